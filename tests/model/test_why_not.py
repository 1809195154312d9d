"""Why not: the place, the blame and the carrier are those of the ranking."""

import numpy as np
import pytest

from shgat import SHGAT
from shgat.errors import InputError


def intent(trained, row):
    return trained.test.vectors(np.array([row]))[0], trained.test.texts[row]


def test_the_place_is_that_of_rank(trained):
    x, text = intent(trained, 3)
    ranking = trained.model.rank(x, 83, text=text)
    for place in (0, 1, 7, 82):
        why = trained.model.why_not(x, ranking.ids[place], text=text)
        assert (why.rank, why.n_tools) == (place + 1, 83)
        assert why.score == ranking.scores[place]
        assert why.probability == pytest.approx(float(ranking.probabilities[place]))
        assert why.above == tuple(zip(ranking.ids, ranking.scores.tolist(), strict=True))[: min(3, place)]


def test_gaps_add_up_to_the_distance_from_the_first(trained):
    for row in range(20):
        x, text = intent(trained, row)
        ranking = trained.model.rank(x, 83, text=text)
        why = trained.model.why_not(x, ranking.ids[-1], text=text)
        assert sum(why.gaps.values()) == pytest.approx(float(ranking.scores[0] - ranking.scores[-1]), abs=1e-3)
        assert why.blamed == max(why.gaps, key=why.gaps.get)


def test_cosine_and_traces_are_counted(trained):
    x, text = intent(trained, 5)
    own = trained.catalog.tool_embeddings.astype(np.float64)
    cosine = own @ x / np.linalg.norm(own, axis=1)
    counts = np.bincount(trained.train.tools.indices[trained.train.outcome[trained.train.tools.row_of_entry] >= 0.5], minlength=83)
    for column in (0, 40, 82):
        why = trained.model.why_not(x, trained.model.tool_ids[column], text=text)
        assert why.cosine == pytest.approx(cosine[column], abs=1e-3)
        assert why.cosine_rank == 1 + np.count_nonzero(cosine > cosine[column])
        assert why.traces == counts[column]
        assert why.seen == (np.count_nonzero(trained.train.tools.indices == column) > 0)


def test_the_carrier_holds_the_tool_also_through_members(trained):
    x, text = intent(trained, 0)
    sets = {s.id: s.tools for s in trained.model.rank_sets(x, 40, text=text)}
    for tool in trained.model.tool_ids:
        carrier = trained.model.why_not(x, tool, text=text).carrier
        holding = [key for key, tools in sets.items() if tool in tools]
        assert (carrier.id if carrier else None) == (holding[0] if holding else None)


def test_sentences_say_it(trained):
    x, text = intent(trained, 1)
    ranking = trained.model.rank(x, 83, text=text)
    said = " ".join(trained.model.why_not(x, ranking.ids[9], text=text).sentences())
    assert said.startswith(f"Rank 10 of 83, below {ranking.ids[0]}, {ranking.ids[1]}, {ranking.ids[2]} and 6 more; by cosine alone")
    assert "Put down most by" in said
    assert trained.model.why_not(x, ranking.ids[0], text=text).sentences() == [f"{ranking.ids[0]} stands first of 83 tools."]


def test_an_untrained_model_blames_nothing(trained):
    model = SHGAT.from_catalog(trained.catalog)
    why = model.why_not(intent(trained, 1)[0], "files.read_file")
    assert (why.seen, why.gaps, why.blamed, why.probability) == (None, {}, None, None)
    assert why.rank == why.cosine_rank
    assert why.to_dict()["sentences"]


def test_bad_questions_are_refused(trained):
    x, _ = intent(trained, 1)
    with pytest.raises(InputError, match="unknown tool 'nothing'"):
        trained.model.why_not(x, "nothing")
    with pytest.raises(InputError, match="expected"):
        trained.model.why_not(x[:5], "files.read_file")
