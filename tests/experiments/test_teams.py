"""Teams that ask alike and want otherwise, past gateways that are told who asks and gateways that are not."""

from contextlib import contextmanager

import numpy as np
import pytest

from shgat.experiments.dataset import Dataset
from shgat.experiments.teams import FLOOD, SHOWN, TEAMS, Conditions, Play, Teams, gains
from worlds import SAMPLE


class Attentive:
    """Shows what whoever asks ran last for the same words, then by cosine; told nobody's name, what anybody ran."""

    def __init__(self, data, named):
        self.data, self.named, self.ran, self.asked, self.days, self.seen = data, named, {}, [], 0, []

    def ask(self, team, x, text, k):
        who = (team if self.named else "", text)
        order = [self.data.catalog.tools[t].id for t in np.argsort(-(self.data.tools @ x), kind="stable")]
        self.asked.append(who)
        self.seen.append((team, text, x))
        return str(len(self.asked) - 1), (*self.ran.get(who, ()), *order)[:k]

    def tell(self, decision, tools, outcome):
        assert tools
        if outcome:
            self.ran[self.asked[int(decision)]] = tuple(tools)

    def end_of_day(self):
        self.days += 1

    def about(self):
        return {"days": self.days}


@pytest.fixture(scope="module")
def data():
    return Dataset.load(SAMPLE).with_traces(20)


def played(data, conditions, named=True, seed=0):
    found = []

    @contextmanager
    def opened(named):
        found.append(Attentive(data, named))
        yield found[-1]

    return Teams(data, conditions, seed).play(opened, named), found[0]


def test_every_team_asks_as_often_and_a_flood_as_often_as_all(data):
    play, gateway = played(data, Conditions(days=3, asks=4, flood=True))
    asked = [team for team, *_ in gateway.asked]
    assert {team: asked.count(team) for team in (*TEAMS, FLOOD)} == {"usual": 12, "alike": 12, "contrary": 12, FLOOD: 36}
    assert play.about == {"days": 3}
    assert {team: hits.shape for team, hits in play.hits.items()} == dict.fromkeys(TEAMS, (3, 4))
    assert len({tools for (team, _), tools in gateway.ran.items() if team == FLOOD}) == 1


def test_both_plays_are_of_the_same_days(data):
    conditions = Conditions(days=2, asks=5)
    (one, first), (two, second) = played(data, conditions, True), played(data, conditions, False)
    for (team, text, x), (other, words, y) in zip(first.seen, second.seen, strict=True):
        assert (team, text) == (other, words)
        np.testing.assert_array_equal(x, y)
    again, _ = played(data, conditions, True)
    assert all((again.hits[team] == one.hits[team]).all() for team in TEAMS)
    assert len(first.seen) == 30
    assert two.about == {"days": 2}


def test_the_contrary_team_wants_what_is_nearest_to_what_the_others_want(data):
    wanted = Teams(data, Conditions(differ=0.5)).wanted()
    usual, contrary = wanted["usual"], wanted["contrary"]
    assert 0.3 < float((usual != contrary).mean()) < 0.7
    unit = data.tools / np.linalg.norm(data.tools, axis=1, keepdims=True)
    t = int(np.flatnonzero(usual != contrary)[0])
    assert contrary[t] == int(np.argsort(-(unit @ unit[t]))[1])
    assert (Teams(data, Conditions(differ=0.0)).wanted()["contrary"] == usual).all()


def test_who_is_told_names_serves_the_contrary_team_better_and_the_figures_say_so(data):
    conditions = Conditions(days=8, asks=30)
    gained = gains(played(data, conditions, True)[0], played(data, conditions, False)[0])
    assert gained["contrary"]["low"] > 0.0
    assert gained["contrary"]["own"] - gained["contrary"]["shared"] == pytest.approx(gained["contrary"]["gain"])
    same = Play({team: np.ones((2, SHOWN), bool) for team in TEAMS})
    assert {tuple(g.values()) for g in gains(same, same).values()} == {(1.0, 1.0, 0.0, 0.0, 0.0)}
