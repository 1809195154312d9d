"""Every command that makes tables, at 80, 100 and 140 columns: every header is there, every id is whole, what may be pasted is one line."""

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios

import orjson
import pytest

from shgat import Catalog
from shgat.store import Store
from worlds import SAMPLE

WIDTHS = (80, 100, 140)
TOOLS = {t.id for t in Catalog.load(SAMPLE).tools}
CAPABILITIES = {c.id for c in Catalog.load(SAMPLE).capabilities}
ID = re.compile(r"(?<![\w./])[a-z]+\.[a-z]+(?:_[a-z]+)*_?")  # what looks like an id of the sample, or like the beginning of one
METRICS = ("Hit@1", "Recall@5", "NDCG@10", "COMP@3", "MRR", "MAP", "criterion")

# Command line -> (headers and names that have to be there, ids that have to be whole).
TABLES = {
    "demo": (("intent", "really used", "cosine, and before training", "after training"), ("storage.create_share_link",)),
    "catalog check SAMPLE": (("tools", "capabilities", "mean cosine between capabilities", "train.jsonl"), ("mail.archive_message",)),
    "catalog import TOOLS --out IMPORTED": (("source", "kind", "tools", "capabilities", "traces", "left out"), ()),
    "rank --catalog SAMPLE --intent-id t0404": (("#", "tool", "score", "text"), ("mail.send_message", "calendar.respond_invitation")),
    "rank --catalog SAMPLE --intent-id t0404 --explain": (("#", "tool", "score", "why", "text"), ("cap.write_mail",)),
    "rank --catalog SAMPLE --model MODEL --intent-id t0404 --explain": (("probability", "why", "score"), ("storage.create_share_link",)),
    "rank --catalog SAMPLE --model MODEL --intent-id t0404 --kind sets --explain": (("set", "tools", "why"), ("browser.take_screenshot",)),
    "rank --catalog SAMPLE --intent-id t0404 --kind capabilities": (("capability", "score", "text"), ("cap.launch_day",)),
    "train --catalog SAMPLE --out OUT --quiet": (("traces", "n", "ranked by", "against cosine (98 %)"), ()),
    "evaluate model MODEL --catalog SAMPLE": (("metric", "shgat", "cosine", "difference", "95 % interval", "cold: 12 intents", *METRICS), ()),
    "evaluate model MODEL --catalog SAMPLE --against MODEL": (("p, bootstrap", "p, permutation", *METRICS), ()),
    "evaluate protocol holdout --catalog SAMPLE --epochs 1": (("trial", "train", "test", "counted", "training", *METRICS), ()),
    "evaluate ab AB": (("interval", "limit", "state", "added success rate", "error rate", "p99 latency ratio"), ()),
    "evaluate log --model MODEL LOG": (("policy", "value", "95 % interval", "effective decisions", "mean weight", "model, switch-dr"), ()),
    "benchmark quality --data SMALL --seeds 1": (("method", "Recall@5", "COMP@5", "NDCG@5", "MRR", "linear_adapter", "cold COMP@5"), ()),
    "benchmark stream --data SMALL --limit 20": (("feedbacks", "SHGAT", "cosine", "kNN", "adapter", "full labels", "way"), ()),
    "gateway status --store STORE": (("store.dimension", "store.rows.traces", "ranker.model_version", "ranker.waiting_for_store"), ()),
    "models list --url STORE": (("version", "aliases", "stored", "parent", "traces", "MiB", "why", "alias", "from", "action", "who"), ()),
    "gateway simulate --seconds 0.6": (("from", "intents", "live", "cosine", "p50 ms", "p99 ms", "model", "preferences"), ()),
}  # fmt: skip


@pytest.fixture(scope="module")
def places(trained, tmp_path_factory):
    """What the command lines name."""
    folder = tmp_path_factory.mktemp("widths")
    ab, log = folder / "ab.jsonl", folder / "log.jsonl"
    row = {"success": 1, "error": 0, "fallback": 0, "latency": 0.01}
    ab.write_bytes(b"\n".join(orjson.dumps({"id": f"{i}", "treated": i % 2 == 0, **row}) for i in range(30)))
    tools = trained.model.tool_ids
    x = trained.test.vectors(range(20)).tolist()
    log.write_bytes(b"\n".join(
        orjson.dumps({"id": f"{i}", "ranked": tools[:3], "propensities": [0.5, 0.3, 0.2], "chosen": tools[i % 3], "outcome": i % 2,
                      "embedding": x[i]})
        for i in range(20)
    ))  # fmt: skip
    url = f"sqlite:///{folder}/store.db"
    with Store.open(url, trained.catalog.dimension) as store:
        store.keep_catalog(trained.catalog)
        store.put_model(trained.path.read_bytes(), {"reason": "better than cosine"}, why="to be shown")
    small = folder / "small"
    small.mkdir()
    for file in SAMPLE.glob("*.*"):
        (small / file.name).write_bytes(file.read_bytes())
    (folder / "tools.json").write_bytes(orjson.dumps([{"name": "send_mail", "description": "Sends an email."}, {"name": None}]))
    given = {"TOOLS": folder / "tools.json", "IMPORTED": folder / "imported"}
    return given | {
        "SAMPLE": SAMPLE,
        "MODEL": trained.path,
        "OUT": folder / "m",
        "AB": ab,
        "LOG": log,
        "SMALL": small,
        "STORE": url,
    }


def words(line, places):
    return [str(places.get(word, word)) for word in line.split()]


def flat(text):
    """Without colours and frames."""
    return re.sub(r"[│┃┏━┳┓┡╇┩├┼┤└┴┘─┌┬┐]", " ", re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", text).replace("\r", ""))


def check(line, text, width):
    headers, ids = TABLES[line]
    plain = flat(text)
    found = plain.split()
    for header in headers:
        assert set(header.split()) <= set(found), (header, width)
    for name in ids:
        assert name in plain
    broken = (
        {word for word in ID.findall(plain) if word.startswith(("mail.", "cap.", "browser.", "storage."))} - TOOLS - CAPABILITIES
    )
    assert not broken


SLOW = ("benchmark", "train", "demo")


TRAINS = ("demo", "train", "evaluate protocol", "benchmark", "gateway simulate")


@pytest.mark.parametrize("line", [pytest.param(t, marks=pytest.mark.slow if t.startswith(TRAINS) else ()) for t in TABLES])
def test_in_a_pipe_of_a_given_width(ask, places, monkeypatch, line):
    for width in WIDTHS if not line.startswith(SLOW) else WIDTHS[:1]:
        monkeypatch.setenv("COLUMNS", str(width))
        code, out, err = ask(*words(line, places))
        assert code == 0, err
        check(line, out, width)
        too_long = [row for row in out.splitlines() if len(row) > width and not row.startswith("  shgat ")]
        assert not too_long
        assert "\x1b" not in out


def test_in_a_pipe_without_a_width_rows_are_whole(ask, places, monkeypatch):
    monkeypatch.delenv("COLUMNS", raising=False)
    line = "rank --catalog SAMPLE --model MODEL --intent-id t0404 --explain"
    out = ask(*words(line, places))[1]
    check(line, out, None)
    assert "┏" in out


def terminal(arguments, width, **environment):
    """What a command writes to a terminal of a width."""
    main, its = pty.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", 50, width, 0, 0))
    clean = {k: v for k, v in os.environ.items() if k not in ("COLUMNS", "NO_COLOR", "FORCE_COLOR")}
    command = [sys.executable, "-m", "shgat", *arguments]
    with subprocess.Popen(
        command, stdin=its, stdout=its, stderr=its, env={**clean, "TERM": "xterm-256color", **environment}
    ) as child:
        os.close(its)
        parts = []
        while True:
            try:
                part = os.read(main, 65536)
            except OSError:  # nobody writes any more
                break
            if not part:
                break
            parts.append(part)
    os.close(main)
    assert child.returncode == 0
    return b"".join(parts).decode()


ON_A_TERMINAL = (
    "rank --catalog SAMPLE --model MODEL --intent-id t0404 --explain",
    "evaluate model MODEL --catalog SAMPLE",
    "catalog check SAMPLE",
)


@pytest.mark.slow
@pytest.mark.parametrize("environment", [{}, {"NO_COLOR": "1"}], ids=["colour", "plain"])
@pytest.mark.parametrize("line", ON_A_TERMINAL)
def test_on_a_terminal(places, line, environment):
    for width in WIDTHS:
        text = terminal(words(line, places), width, **environment)
        check(line, text, width)
        assert not re.search(r"\x1b\[[0-9;]*3[0-7][0-9;]*m", text) or not environment
        assert max(len(row.rstrip()) for row in re.sub(r"\x1b\[[0-9;]*m", "", text).split("\r\n")) <= width


@pytest.mark.slow
def test_a_table_that_moved_stands_once_at_the_end(places):
    text = terminal(words("gateway simulate --seconds 0.6", places), 100)
    erased = re.compile(r"\x1b\[\d*A\x1b\[2K|\x1b\[1A|\x1b\[2K")
    last = erased.split(text)[-1]
    assert last.count("Hit@1 over time") == 1
    assert last.count("preferences") == 1
    check("gateway simulate --seconds 0.6", last, 100)


@pytest.mark.slow
def test_what_may_be_pasted_is_not_broken(places):
    text = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", terminal(["demo"], 80))
    lines = text.split("Try next:")[1].replace("\r", "").split("\n")
    commands = [line.strip() for line in lines if line.strip()]
    assert len(commands) == 4
    assert all(c.startswith("shgat ") for c in commands)
    assert sum(str(SAMPLE) in c for c in commands) == 4


@pytest.mark.slow
def test_the_demo_says_that_cosine_is_what_stands_before_training(ask):
    out = ask("demo")[1]
    assert "cosine, and before training" in out
    assert "orders tools exactly as cosine does" in out
    assert "cosine and before 41.8 %" in out
