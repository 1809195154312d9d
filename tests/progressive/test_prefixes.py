import pytest

from shgat.progressive.prefixes import prefixed


@pytest.mark.parametrize(
    ("message", "label", "rest"),
    [
        ("fix(parser)!: no crash", "bugfix", "no crash"),
        ("DOC: explain it", "documentation", "explain it"),
        ("[TST] cover it", "test", "cover it"),
        ("feat: a thing\n\nbody", "feature", "a thing\n\nbody"),
        ("MAINT: tidy", "maintenance", "tidy"),
        ("fixed: a thing", "", "fixed: a thing"),
        ("Merge: fix: it", "", "Merge: fix: it"),
        ("", "", ""),
    ],
)
def test_a_customary_word_is_a_label_and_goes(message, label, rest):
    assert prefixed(message) == (label, rest)
