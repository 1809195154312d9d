"""`--jobs` and `--executor`: the same model, and how far it is."""

import pytest

from shgat import SHGAT
from shgat.cli import spread
from shgat.executor import Processes, Serial
from worlds import SAMPLE


def test_small_work_stays_in_one_process_unless_asked():
    with spread.opened(None, None, pays=False) as one:
        assert isinstance(one, Serial)
    with spread.opened(None, 2, pays=False) as two:
        assert isinstance(two, Processes)


def test_two_processes_write_the_same_model(ask, tmp_path):
    files = []
    for jobs in (1, 2):
        files.append(tmp_path / f"{jobs}.safetensors")
        code, _, _ = ask("train", "--catalog", SAMPLE, "--out", files[-1], "--epochs", 1, "--force", "--jobs", jobs, "--quiet")
        assert code == 0
    one, two = (SHGAT.load(path) for path in files)
    assert (one.params.buffer == two.params.buffer).all()
    assert one.learned.fusion == two.learned.fusion


@pytest.mark.parametrize("wrong", [("--jobs", "0"), ("--executor", "dask:x")])
def test_what_means_nothing_is_one_line(ask, tmp_path, wrong):
    code, out, err = ask("train", "--catalog", SAMPLE, "--out", tmp_path / "m", *wrong)
    assert code in (1, 2)
    assert out == ""
    assert "jobs" in err or "there is no executor 'dask:x'" in err


def test_a_log_gets_a_line_now_and_then_with_the_time_that_is_left(capsys):
    moments = iter([0.0, 1.0, 20.0, 21.0, 40.0])
    tell = spread._lines("ranked", 200, lambda: next(moments))
    for done in (10, 100, 105, 150):
        tell(done)
    assert capsys.readouterr().err == "shgat: ranked: 100 of 200, ETA 20 s\nshgat: ranked: 150 of 200, ETA 13 s\n"
    with spread.counted("ranked", 3, quiet=True) as nothing:
        assert nothing is None
    with spread.counted("ranked", 3) as tell:
        tell(3)
    assert capsys.readouterr().err == ""
