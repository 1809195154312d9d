"""What Prometheus reads: everything that was done, nothing that was asked, and a bounded number of series."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from monitoring.world import World
from shgat.monitoring import Exposition
from shgat.monitoring.measures import BY_NAME, MEASURES, TOOLS, key


@pytest.fixture
def fresh(sqlite_url):
    world = World(sqlite_url)
    yield world
    world.close()


def read(exposition):
    families = text_string_to_metric_families(exposition.text().decode())
    return {(s.name, tuple(sorted(s.labels.items()))): s.value for family in families for s in family.samples}


def test_what_was_done_is_counted_once(fresh):
    exposition = Exposition()
    exposition.watch(fresh.ranker)
    fresh.people(20)
    for _ in range(2):
        found = read(exposition)
        assert found[key("shgat_answers_total", by="model", degraded="no")] == 20
        assert found[key("shgat_answers_total", by="cosine", degraded="no")] == 0
        assert found[key("shgat_answer_seconds_count")] == 20
        assert {found[key("shgat_stage_seconds_count", stage=s)] for s in ("encode", "rank", "arrange", "record")} == {20}
        assert found[key("shgat_executions_total", outcome="worked")] + found[key("shgat_executions_total", outcome="failed")] == 20
        assert found[key("shgat_execution_seconds_sum")] == pytest.approx(20 * 0.12)
        assert found[key("shgat_cache_reads_total", result="miss")] >= 20
        assert found[key("shgat_store_up")] == found[key("shgat_encoder_up")] == 1.0
        assert found[key("shgat_model_version", role="production")] == 1
    assert exposition.samples().keys() == found.keys()


def test_neither_words_nor_secrets_are_in_it(fresh):
    exposition = Exposition()
    exposition.watch(fresh.ranker)
    fresh.ranker.rank(None, text="wish 3 nr 4711", principal="ann@example.org", session="s-4712")
    text = exposition.text().decode()
    for said in ("4711", "wish", "ann@", "4712"):
        assert said not in text


def test_facts_of_the_store_take_the_place_of_the_former(fresh):
    exposition = Exposition()
    exposition.show({key("shgat_tool_success", tool=f"t{i}"): 0.5 for i in range(TOOLS)})
    assert sum(name == "shgat_tool_success" for name, _ in read(exposition)) == TOOLS
    exposition.show({key("shgat_tool_success", tool='a "quoted"\n\\name'): 0.25})
    assert read(exposition)[key("shgat_tool_success", tool='a "quoted"\n\\name')] == 0.25
    assert sum(name == "shgat_tool_success" for name, _ in read(exposition)) == 1


def test_every_series_is_in_the_table(fresh):
    exposition = Exposition()
    exposition.watch(fresh.ranker)
    for name, _ in read(exposition):
        known = name.removesuffix("_created")
        assert any(
            n in BY_NAME for n in (name, known, f"{known}_total", *(name.removesuffix(e) for e in ("_bucket", "_count", "_sum")))
        )
    assert len({m.name for m in MEASURES}) == len(MEASURES)


SERVED = """
import sys
sys.path[:0] = [{tests!r}]
from monitoring.world import World
from shgat.monitoring import Exposition

world, exposition = World("sqlite:///{folder}/{name}.db"), Exposition()
exposition.watch(world.ranker)
world.people({n})
exposition.refresh()
print("ready", flush=True)
sys.stdin.readline()
print(exposition.text().decode(), flush=True)
sys.stdin.readline()
world.close()
"""


@pytest.mark.slow
def test_processes_that_share_a_folder_are_shown_as_one(tmp_path):
    folder = tmp_path / "figures"
    folder.mkdir()
    tests = str(Path(__file__).parents[1])

    def start(name, n):
        code = SERVED.format(tests=tests, folder=tmp_path, name=name, n=n)
        env = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(folder)}
        process = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=env)
        assert process.stdout.readline() == "ready\n"
        return process

    def text(process):
        process.stdin.write("\n")
        process.stdin.flush()
        lines = []
        for line in process.stdout:
            lines.append(line)
            if line == "\n":
                break
        families = text_string_to_metric_families("".join(lines))
        return {(s.name, tuple(sorted(s.labels.items()))): s.value for family in families for s in family.samples}

    first, second = start("a", 5), start("b", 7)
    found = text(first)
    assert found[key("shgat_answers_total", by="model", degraded="no")] == 12
    assert found[key("shgat_answer_seconds_count")] == 12
    assert found[key("shgat_store_up")] == 1.0
    second.kill()
    second.wait()
    third = start("c", 1)  # what was killed stays counted, and is no gauge any more
    found = text(third)
    assert found[key("shgat_answers_total", by="model", degraded="no")] == 13
    for process in (first, third):
        process.communicate("\n", timeout=60)
    second.stdin.close()
    second.stdout.close()
    assert not list(folder.glob(f"gauge_live*_{second.pid}.db"))
