"""`shgat benchmark td`."""

import json

COMMAND = ("benchmark", "td", "--runs", "2", "--steps", "2000", "--sessions", "60")


def test_the_table_and_its_json_agree(ask):
    code, out, err = ask(*COMMAND)
    assert (code, "true online TD(lambda), 2 runs" in err) == (0, True)
    assert "random walk of 19 states, 2 runs" in out
    found = json.loads(ask(*COMMAND, "--json")[1])
    best = found["random_walk"]["true online TD(lambda)"]["best"][2]
    assert f"{best['error']:.3f} +- {best['standard_error']:.3f}" in out
    assert [row["sessions"] for row in found["planted"]["foresight is paid"]["learned"]] == [60]
    assert "planted sessions, whose values are known" in out
    semi, corrected = found["baird"]["errors"].values()
    assert semi[-1] > 10 * semi[0]
    assert corrected[-1] < corrected[0]


def test_it_draws(ask, tmp_path):
    assert ask(*COMMAND, "--plot", str(tmp_path / "walk.svg"))[0] == 0
    assert (tmp_path / "walk.svg").read_text().startswith("<?xml")
    assert ask(*COMMAND, "--plot-sessions", str(tmp_path / "planted.svg"))[0] == 0
    assert (tmp_path / "planted.svg").read_text().startswith("<?xml")
    assert ask(*COMMAND, "--plot", str(tmp_path / "none" / "walk.svg"))[0] == 2
    assert ask("benchmark", "td", "--sessions", "0", "--plot-sessions", str(tmp_path / "x.svg"))[0] == 2
