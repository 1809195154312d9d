"""`shgat catalog check`: what a catalogue is, and every fault of one by name."""

import numpy as np
import orjson

from commands import INTENT, rewrite
from shgat import Catalog
from worlds import SAMPLE


def test_check_a_sound_catalogue(ask):
    code, out, err = ask("catalog", "check", SAMPLE)
    assert code == 0
    assert err.endswith("no faults\n")
    for part in ("83", "28 on level 0, 9 on level 1, 3 on level 2", "384 dimensions", "400 traces"):
        assert part in out
    about = orjson.loads(ask("catalog", "check", SAMPLE, "--json")[1])
    assert (about["ok"], about["faults"], about["n_tools"], len(about["orphan_tools"])) == (True, [], 83, 6)
    assert about["traces"][1] == {"file": "test.jsonl", "traces": 100, "embeddings": True, "with_unknown_tools": 0}


def test_check_names_every_fault(ask, copied):
    def spoil(records):
        records[0]["uses"] = None
        records[3]["tools"].append("gone")
        records[4]["tools"].append("lost")

    rewrite(copied, "tools.jsonl", lambda r: r[1].update(id="files.read_file"))
    rewrite(copied, "capabilities.jsonl", spoil)
    code, out, err = ask("catalog", "check", copied, "--json")
    answer = orjson.loads(out)
    assert (code, answer["ok"], err) == (1, False, "")
    faults = answer["faults"]
    for part in ("occurs 2 times", "uses is a number", "'gone'", "'lost'"):
        assert any(part in fault for fault in faults)
    code, out, err = ask("catalog", "check", copied)
    assert (code, out) == (1, "")
    assert err.count("shgat: fault: ") == len(faults)
    served = Catalog.load(copied, strict=False)
    assert answer["left_out"] == list(served.left_out)
    assert err.count("shgat: not served: ") == len(served.left_out)
    assert "a ranker opens it without that, as Catalog(82 tools, 40 capabilities, d=384 by 'all-MiniLM-L6-v2', 5 left out)" in err
    code, _, err = ask("rank", "--catalog", copied, "--intent-id", INTENT)
    assert code == 1
    assert f"(and {len(faults) - 1} more); `shgat catalog check DIR` names every fault" in err


def test_check_looks_at_traces(ask, copied):
    np.save(copied / "test.npy", np.ones((3, 384), np.float16))
    (copied / "traces.jsonl").write_bytes(b"[]\n")
    rewrite(copied, "train.jsonl", lambda r: r[0]["tools"].append("gone"))
    code, out, _ = ask("catalog", "check", copied, "--json")
    answer = orjson.loads(out)
    assert code == 1
    assert "test.npy has shape (3, 384), expected (100, 384)" in answer["faults"][0]
    assert "traces.jsonl, line 1: a trace is a record" in answer["faults"][1]
    assert answer["traces"][0]["with_unknown_tools"] == 1


def test_check_says_what_becomes_of_texts_alone_and_of_a_folder_that_is_none(ask, copied, tmp_path):
    for name in ("tools.npy", "capabilities.npy"):
        (copied / name).unlink()
    code, out, _ = ask("catalog", "check", copied)
    assert code == 0
    assert "a ranker makes some of the texts" in " ".join(out.split())
    (tmp_path / "empty").mkdir()
    code, _, err = ask("catalog", "check", tmp_path / "empty")
    assert code == 1
    assert "not served" not in err
