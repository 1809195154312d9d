from shgat.monitoring.evaluator import Alert, Evaluator
from shgat.monitoring.history import History
from shgat.monitoring.measures import key
from shgat.monitoring.quantities import Gauge
from shgat.monitoring.rules import RULES, Rule
from shgat.monitoring.sources import UP


def rule(name, gauge, limit=1.0, unless=()):
    return Rule(name, "warning", Gauge(gauge), ">", limit, f"{name} is wrong.", "Mend it.", unless)


def test_an_alert_begins_goes_on_and_ends():
    evaluator, history = Evaluator("here", [rule("Hot", "heat")]), History(60.0)
    said = []
    for at, heat in ((0.0, 0.5), (10.0, 2.0), (20.0, 3.0), (30.0, 0.5), (40.0, 0.4)):
        history.add(at, {key("heat"): heat})
        said += evaluator.look(history)
    begun, ended = said
    assert (begun.state, begun.value, begun.since, begun.until) == ("firing", 2.0, 10.0, None)
    assert (ended.state, ended.value, ended.since, ended.until) == ("resolved", 3.0, 10.0, 30.0)
    assert evaluator.firing == []


def test_what_cannot_be_seen_any_more_does_not_fire():
    evaluator, history = Evaluator("here"), History(60.0)
    history.add(0.0, {UP: 1.0, key("shgat_encoder_up"): 0.0})
    assert [a.name for a in evaluator.look(history)] == ["EncoderDown"]
    history.add(10.0, {UP: 0.0})
    assert [(a.name, a.state) for a in evaluator.look(history)] == [("Down", "firing"), ("EncoderDown", "resolved")]


def test_what_explains_another_hides_it():
    history, evaluator = History(60.0), Evaluator("here")
    drift = {key("shgat_drift", test="scores"): 1.0}
    history.add(0.0, {**drift, key("shgat_drift", test="embedding"): 1.0})
    evaluator.look(history)
    assert [a.name for a in evaluator.firing] == ["IntentsDrifted"]
    history.add(30.0, {**drift, key("shgat_drift", test="embedding"): 0.0})
    evaluator.look(history)
    assert [a.name for a in evaluator.firing] == ["ScoresShifted"]


def test_what_looks_back_is_explained_by_what_was_within_its_window():
    history, evaluator = History(60.0), Evaluator("here")
    answers = lambda model, lexical: {  # noqa: E731
        key("shgat_answers_total", by="model", degraded="no"): model,
        key("shgat_answers_total", by="lexical", degraded="yes"): lexical,
    }
    fired = []
    looks = [(0, 1, 0, 0), (10, 0, 0, 50), (20, 1, 10, 50), (60, 1, 20, 50), (90, 1, 30, 50), (150, 1, 90, 50), (160, 1, 90, 99)]
    for at, up, model, lexical in looks:
        history.add(float(at), {key("shgat_encoder_up"): float(up), **answers(float(model), float(lexical))})
        evaluator.look(history)
        fired.append([a.name for a in evaluator.firing])
    assert fired == [[], ["EncoderDown"], [], [], [], [], ["FallbacksHigh"]]


def test_it_goes_on_from_what_fired_before():
    before = Alert("Hot", "warning", "here", "firing", 2.0, 1.0, 5.0, "Hot is wrong.", "Mend it.")
    evaluator, history = Evaluator("here", [rule("Hot", "heat")], {"Hot": before}), History(60.0)
    history.add(10.0, {key("heat"): 4.0})
    assert evaluator.look(history) == []
    assert (evaluator.firing[0].since, evaluator.firing[0].value) == (5.0, 4.0)


def test_rules_have_names_limits_and_a_remedy():
    names = [r.name for r in RULES]
    assert len(set(names)) == len(names)
    for r in RULES:
        assert r.summary.endswith(".")
        assert r.remedy
        assert set(r.unless) <= set(names) - {r.name}
