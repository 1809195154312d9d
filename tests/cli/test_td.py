"""`shgat benchmark td`."""

import json

COMMAND = ("benchmark", "td", "--runs", "2", "--steps", "2000")


def test_the_table_and_its_json_agree(ask):
    code, out, err = ask(*COMMAND)
    assert (code, "true online TD(lambda), 2 runs" in err) == (0, True)
    assert "random walk of 19 states, 2 runs" in out
    found = json.loads(ask(*COMMAND, "--json")[1])
    best = found["random_walk"]["true online TD(lambda)"]["best"][2]
    assert f"{best['error']:.3f} +- {best['standard_error']:.3f}" in out
    semi, corrected = found["baird"]["errors"].values()
    assert semi[-1] > 10 * semi[0]
    assert corrected[-1] < corrected[0]


def test_it_draws(ask, tmp_path):
    assert ask(*COMMAND, "--plot", str(tmp_path / "walk.svg"))[0] == 0
    assert (tmp_path / "walk.svg").read_text().startswith("<?xml")
    assert ask(*COMMAND, "--plot", str(tmp_path / "none" / "walk.svg"))[0] == 2
