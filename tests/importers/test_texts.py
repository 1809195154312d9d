"""Texts of tools: title, description and parameters, of bounded length, in any script."""

from hypothesis import given
from hypothesis import strategies as st

from shgat.importers.texts import DESCRIPTION, PARAMETERS, UNDESCRIBED, clean, cut, described, parameters_of
from shgat.model.words import words


def test_a_text_has_title_description_and_parameters():
    text, remarks = described("read_note", "Open a note", "Returns a\n note.", [("path", "Where it lies"), ("mode", "")])
    assert text == "Open a note. Returns a note. Parameters: path (Where it lies), mode"
    assert remarks == []


def test_a_title_that_says_the_name_again_is_left_out():
    assert described("readNote", "Read note", "Returns it.", [])[0] == "Returns it"


def test_what_is_too_long_empty_or_no_text_is_remarked():
    text, remarks = described("x", 7, "word " * 9000, [(f"p{i}", "") for i in range(PARAMETERS + 5)])
    assert len(text) < DESCRIPTION + 400
    assert "p39" in text
    assert "p40" not in text
    assert remarks == [
        "its title is no text",
        f"its description was cut from 44999 to {DESCRIPTION} characters",
        f"only {PARAMETERS} of its parameters are named",
    ]
    assert described("x", None, "  ", [])[1] == [UNDESCRIBED]


def test_other_scripts_stay_and_what_no_file_can_hold_goes():
    text, remarks = described("x", None, "Sucht 日本語\0 العربية \ud800", [])
    assert text == "Sucht 日本語 العربية"
    assert remarks == ["characters that no file can hold were taken out of its description"]


@given(st.text(), st.integers(2, 40))
def test_a_cut_text_is_short_and_begins_as_the_whole(text, most):
    short = cut(clean(text), most)
    assert len(short) <= most
    assert clean(text).startswith(short.removesuffix("…"))


def test_fields_of_objects_within_objects_and_of_references():
    schema = {
        "properties": {
            "to": {"type": "array", "items": {"properties": {"mail": {"description": "Address"}}}},
            "how": {"enum": ["slow", "fast"]},
            "what": {"$ref": "#/$defs/Letter"},
            "title": {"title": "Title"},
        },
        "$defs": {"Letter": {"properties": {"body": {}, "reply": {"$ref": "#/$defs/Letter"}}}},
    }
    assert parameters_of(schema) == [
        ("to", ""),
        ("to.mail", "Address"),
        ("how", "one of slow fast"),
        ("what", ""),
        ("what.body", ""),
        ("what.reply", ""),
        ("title", ""),
    ]
    assert words("to.mail") == ["to", "mail"]


def test_schemas_that_are_none_have_no_fields():
    for schema in (None, [], "x", {"properties": []}, {"properties": {"a": None}}, {"$ref": "#/x"}, {"allOf": [None, 3]}):
        assert parameters_of(schema) in ([], [("a", "")])
