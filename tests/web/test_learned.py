from shgat.web.learned import GROUP, Curve


def test_a_point_says_where_what_worked_stood(ranker, vector):
    curve = Curve(lambda: 7.0)
    for i in range(GROUP):
        answer = ranker.rank(vector, 5)
        curve.shown(answer)
        curve.executed(answer.decision_id, [answer.ids[0 if i < 20 else 3]], 1.0)
        curve.executed(answer.decision_id, [answer.ids[0]], 1.0)  # told twice
    (point,) = curve.to_dict()["usefulness"]
    assert (point["at"], point["first"], point["in_five"], point["failed"]) == (7.0, 0.8, 1.0, 0.0)


def test_failures_and_strangers_make_no_point(ranker, vector):
    curve = Curve()
    for _ in range(GROUP):
        answer = ranker.rank(vector, 5)
        curve.shown(answer)
        curve.executed(answer.decision_id, [answer.ids[0]], 0.0)
        curve.executed("0" * 32, ["x"], 1.0)
    assert curve.to_dict()["usefulness"] == []


def test_a_sample_is_how_the_ranker_is(ranker, vector):
    curve = Curve()
    ranker.rank(vector, 5)
    curve.sample(ranker, 3)
    (sample,) = curve.to_dict()["samples"]
    assert (sample["answers"], sample["requests"], sample["version"]) == (1, 3, "untrained")
