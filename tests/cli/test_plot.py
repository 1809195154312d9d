"""`shgat plot`: a PNG for each picture, or one for all."""

import pytest

PNG = b"\x89PNG"


@pytest.fixture(autouse=True)
def _pictures():
    pytest.importorskip("matplotlib")


def test_pictures_are_written(ask, trained, tmp_path):
    code, out, _ = ask("plot", trained.path, "--out", tmp_path / "pictures")
    assert code == 0
    written = [line for line in out.splitlines() if line]
    assert {p.name for p in (tmp_path / "pictures").iterdir()} >= {"loss.png", "validation.png", "channels.png", "heads.png"}
    assert len(written) == len(list((tmp_path / "pictures").iterdir()))
    assert all(p.read_bytes().startswith(PNG) for p in (tmp_path / "pictures").iterdir())


@pytest.mark.slow
def test_all_pictures_in_one_file(ask, trained, tmp_path):
    sheet = tmp_path / "sheet.png"
    code, out, err = ask("plot", trained.path, "--out", sheet)
    assert (code, err) == (0, "")
    assert out.split() == [str(sheet)]
    assert sheet.read_bytes().startswith(PNG)


def test_a_model_that_was_not_trained_has_no_pictures(ask, untrained, tmp_path):
    code, out, err = ask("plot", untrained, "--out", tmp_path)
    assert (code, out) == (1, "")
    assert "was not trained" in err
    assert not list(tmp_path.iterdir())
