"""What makes no sense on a command line is refused with exit code 2 before any work; every option that is taken has an effect."""

import pytest

from shgat.cli import given
from shgat.errors import InputError, StoreError, StoreURLError
from worlds import SAMPLE

MISSING = "/nowhere/there"

# Two options, or an option and a kind of question, of which one would have to be ignored: command line -> what is refused.
TOGETHER = {
    "rank --catalog SAMPLE --intent-id t0404 --intent-vector X.npy": "--intent-vector FILE.npy, --intent-id ID or --text TEXT",
    "rank --catalog SAMPLE": "--intent-vector FILE.npy, --intent-id ID or --text TEXT",
    "rank --intent-id t0404": "give --catalog DIR",
    "rank --intent-vector X.npy": "give --catalog DIR, --model FILE, or both",
    "rank --model MODEL --intent-id t0404": "give --catalog DIR: --intent-id looks into",
    "rank --catalog SAMPLE --intent-id t0404 --text words": "--text goes with",
    "rank --catalog SAMPLE --intent-id t0404 --kind sets --why-not mail.send_message": "--why-not goes with --kind tools",
    "rank --catalog SAMPLE --intent-id t0404 --kind capabilities --min-score 0.5": "--min-score goes with --kind tools",
    "rank --catalog NAMELESS --text words --kind sets": "--kind goes with --intent-vector",
    "rank --catalog NAMELESS --text words --explain": "--explain goes with --intent-vector",
    "rank --catalog NAMELESS --text words --why-not mail.send_message": "--why-not goes with --intent-vector",
    "rank --catalog NAMELESS --text words --min-score 0.5": "--min-score goes with --intent-vector",
    "rank --catalog NAMELESS --text words --context-tool mail.send_message": "--context-tool goes with --intent-vector",
    "evaluate model MODEL": "give --catalog DIR, or --traces FILE",
    "evaluate model MODEL --catalog SAMPLE --traces X.jsonl --split test": "--split goes with traces of the catalogue's folder",
    "evaluate model MODEL --traces X.jsonl --split test": "--split goes with traces of the catalogue's folder",
    "evaluate model MODEL --catalog SAMPLE --folds 3": "--folds",
    "evaluate protocol cv": "give --catalog DIR",
    "evaluate protocol cv --traces X.jsonl": "give --catalog DIR",
    "evaluate protocol cv --catalog SAMPLE --traces X.jsonl --split train": "--split goes with traces of the catalogue's folder",
    "evaluate protocol cv --catalog SAMPLE --model MODEL": "--model",
    "evaluate protocol cv --catalog SAMPLE --against MODEL": "--against",
    "evaluate protocol cv --catalog SAMPLE --train-window 3d": "--train-window goes with temporal, not with cv",
    "evaluate protocol cold --catalog SAMPLE --test-window 3d": "--test-window goes with temporal, not with cold",
    "evaluate protocol holdout --catalog SAMPLE --folds 5": "--folds goes with cv, not with holdout",
    "evaluate protocol temporal --catalog SAMPLE --folds 5": "--folds goes with cv, not with temporal",
    "evaluate protocol counterfactual --catalog SAMPLE": "counterfactual",
    "evaluate log --model MODEL": "LOG.jsonl or --store URL",
    "evaluate log X.jsonl --store sqlite:///x.db --model MODEL": "LOG.jsonl or --store URL",
    "evaluate log X.jsonl": "--model",
    "evaluate ab X.jsonl --gate": "--gate",
    "sample --path --copy new": "--copy goes alone",
    "db upgrade": "--url",
    "gateway status": "--store",
    "completion tcsh": "tcsh",
}

# Places that are not there, for each option and argument that names one.
PLACES = [
    f"catalog check {MISSING}",
    "catalog check X.jsonl",
    f"rank --catalog {MISSING} --intent-id t0404",
    "rank --catalog X.jsonl --intent-id t0404",
    f"rank --catalog SAMPLE --intent-vector {MISSING}.npy",
    "rank --catalog SAMPLE --intent-vector SAMPLE",
    f"rank --catalog SAMPLE --intent-id t0404 --model {MISSING}",
    f"train --catalog {MISSING} --out m",
    f"train --catalog SAMPLE --out {MISSING}/m",
    "train --catalog SAMPLE --out SAMPLE",
    f"train --catalog SAMPLE --out m --traces {MISSING}",
    f"train --catalog SAMPLE --out m --checkpoint {MISSING}/c",
    f"plot {MISSING}",
    "plot SAMPLE",
    f"evaluate model {MISSING} --catalog SAMPLE",
    f"evaluate model MODEL --catalog {MISSING}",
    f"evaluate model MODEL --traces {MISSING}",
    f"evaluate model MODEL --catalog SAMPLE --against {MISSING}",
    "evaluate model MODEL --catalog SAMPLE --split nothing",
    f"evaluate model MODEL --catalog SAMPLE --report {MISSING}/page.html",
    "evaluate model MODEL --catalog SAMPLE --report SAMPLE",
    f"evaluate protocol cv --catalog {MISSING}",
    f"evaluate protocol cv --catalog SAMPLE --traces {MISSING}",
    "evaluate protocol cv --catalog SAMPLE --split nothing",
    f"evaluate protocol cv --catalog SAMPLE --report {MISSING}/page.html",
    f"evaluate log {MISSING} --model MODEL",
    f"evaluate log X.jsonl --model {MISSING}",
    f"evaluate log X.jsonl --model MODEL --catalog {MISSING}",
    f"evaluate ab {MISSING}",
    f"benchmark quality --data {MISSING}",
    f"sample --copy {MISSING}/new",
    "sample --copy SAMPLE",
    f"gateway status --store sqlite:///x.db --catalog {MISSING}",
]

# Every command that takes a URL, with one that can never work.
STORES = [
    f"{command} {url}"
    for command in (
        "db upgrade --dimension 8 --url",
        "db status --url",
        "db export out --url",
        "db import X.jsonl --dimension 8 --url",
        "evaluate log --model MODEL --store",
        "gateway status --store",
        "gateway simulate --seconds 0.5 --url",
    )
    for url in ("mysql://u:secret@host/db", "nonsense", "sqlite://")
]


@pytest.fixture
def refused(ask, untrained, nameless, tmp_path, monkeypatch):
    """Runs a command line in an empty folder: its one line of error."""
    monkeypatch.chdir(tmp_path)
    for name in ("X.npy", "X.jsonl"):
        (tmp_path / name).write_bytes(b"")
    before = sorted(tmp_path.iterdir())

    def call(line):
        words = [
            {"SAMPLE": str(SAMPLE), "NAMELESS": str(nameless), "MODEL": str(untrained)}.get(word, word) for word in line.split()
        ]
        code, out, err = ask(*words)
        assert (code, out, err.count("\n")) == (2, "", 1), err
        assert "Traceback" not in err
        assert sorted(tmp_path.iterdir()) == before
        return err

    return call


@pytest.mark.parametrize("line", TOGETHER)
def test_what_would_be_ignored_is_refused(refused, line):
    assert TOGETHER[line] in refused(line)


@pytest.mark.parametrize("line", PLACES)
def test_a_place_that_is_not_there(refused, line):
    err = refused(line)
    word = next((w for w in reversed(line.split()) if w.startswith(MISSING)), None)
    assert word is None or word in err


@pytest.mark.parametrize("line", STORES)
def test_a_store_that_can_never_work(refused, line):
    assert "secret" not in refused(line)


def test_exit_codes():
    assert given.exit_code(given.WrongUsage("x")) == 2
    assert given.exit_code(StoreURLError("x")) == 2
    assert [given.exit_code(e) for e in (StoreError("x"), InputError("x"), OSError(), KeyboardInterrupt())] == [1, 1, 1, 1]
