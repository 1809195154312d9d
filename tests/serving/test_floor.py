"""What is no answer: queries that no tool is for, on the sample, without losing those that one is for."""

from dataclasses import replace

import orjson
import pytest

from shgat import Catalog, Tool
from shgat.features import embedded, open_encoder
from shgat.serving import Ranker
from shgat.serving.floor import EVERYDAY, HIGHEST, Floor
from worlds import SAMPLE

UNRELATED = (
    "What is the meaning of life?", "why do cats purr at night", "bake a chocolate cake with raspberries", "how tall is mount everest",
    "translate hamlet into klingon", "symptoms of influenza in toddlers", "knit a woolen sweater pattern", "asdf qwer zxcv",
    "launch a rocket into lunar orbit", "best hiking trails in patagonia", "explain quantum entanglement", "tune a guitar to drop D",
    "the mitochondria is the powerhouse of the cell", "paint my living room walls blue", "plant tomatoes in spring", "xyzzy plugh",
    "repair a flat bicycle tire", "who won the world cup in 1998", "brew kombucha at home", "train a puppy to sit",
    "neutron star density calculation", "medieval castle siege tactics", "recipe for vegan lasagna", "fix leaking kitchen faucet",
    "control the thermostat", "book a table at a sushi restaurant", "order a pizza", "play some jazz music", "turn off the lights",
    "mine bitcoin",
)  # fmt: skip


@pytest.fixture(scope="module")
def ranker(tmp_path_factory):
    tools = [replace(t, embedding=None) for t in Catalog.load(SAMPLE).tools]
    catalog = embedded(Catalog.from_records(tools, []), open_encoder("static"))
    with Ranker.open(f"sqlite:///{tmp_path_factory.mktemp('floor')}/s.db", catalog, mode="off") as ranker:
        yield ranker


def test_most_queries_that_no_tool_is_for_have_no_answer_and_nearly_all_others_have_one(ranker):
    floor = Floor(ranker.nearest, lambda: ranker.catalog)
    lines = (SAMPLE / "train.jsonl").read_bytes().splitlines()[:300]
    related = [orjson.loads(line)["intent"] for line in lines]
    kept = [floor.reached(ranker.nearest(query)) for query in related]
    nothing = [not floor.reached(ranker.nearest(query)) for query in UNRELATED]
    assert sum(kept) / len(kept) >= 0.92
    assert sum(nothing) / len(nothing) >= 0.6


def test_a_tool_that_is_near_to_everything_hides_nothing(tmp_path):
    catalog = Catalog.from_records([Tool("all", " ".join(EVERYDAY)), Tool("mail", "Sends an email to somebody.")], [])
    with Ranker.open(f"sqlite:///{tmp_path}/s.db", embedded(catalog, open_encoder("static")), mode="off") as ranker:
        floor = Floor(ranker.nearest, lambda: ranker.catalog)
        assert floor.reached(ranker.nearest("send an email"))
        assert floor._alone == HIGHEST


def test_without_an_encoder_words_tell(tmp_path):
    catalog = replace(Catalog.load(SAMPLE), encoder="")
    with Ranker.open(f"sqlite:///{tmp_path}/s.db", catalog, mode="off") as ranker:
        floor = Floor(ranker.nearest, lambda: ranker.catalog)
        assert floor.reached(ranker.nearest("archive the message"))
        assert not floor.reached(ranker.nearest("zxcv"))
