import numpy as np
import pytest
from sklearn.metrics import f1_score
from sklearn.naive_bayes import MultinomialNB

from shgat.errors import InputError
from shgat.progressive.changeset import Changes
from shgat.progressive.patterns import Labelled, learned, macro_f1, tokens

from .histories import event


def labelled(n=300, seed=0):
    rng = np.random.default_rng(seed)
    kinds = (("fix", "crash leak wrong"), ("doc", "explain guide typo"), ("feat", "support option new"))
    events = []
    for i in range(n):
        word, said = kinds[rng.integers(3)]
        events.append(event(i, [f"{word}/{rng.integers(5)}.py"], f"{word}: {rng.choice(said.split())} thing{rng.integers(40)}"))
    return Labelled.of(Changes.of([*events, event(n, ["x"], "no word of its kind")]).rows)


def test_only_those_that_say_so_are_labelled_and_the_word_is_gone():
    data = labelled()
    assert len(data) == 300
    assert not any(word in ("fix", "doc", "feat") for text in data.texts for word in text)


def test_naive_bayes_is_that_of_scikit_learn():
    data = labelled()
    ours = learned(data, "naive Bayes")
    x = np.zeros((len(data), len(ours.vocabulary)))
    for row, text in zip(x, data.texts, strict=True):
        row[[ours.vocabulary[w] for w in text]] = 1.0
    theirs = MultinomialNB(alpha=0.3).fit(x, data.labels)
    assert ours.weights == pytest.approx(theirs.feature_log_prob_)
    assert ours.bias == pytest.approx(theirs.class_log_prior_)


@pytest.mark.parametrize("method", ["naive Bayes", "logistic regression", None])
def test_later_commits_are_labelled_from_earlier_ones(method):
    data = labelled()
    classifier = learned(data.part(0, 200), method)
    rest = data.part(200, 300)
    assert macro_f1(classifier.predict(rest.texts), rest.labels) > 0.95
    p = classifier.probabilities(rest.texts)
    assert p.sum(axis=1) == pytest.approx(1.0)


def test_labels_that_mean_nothing_are_not_learned():
    data = labelled()
    shuffled = Labelled(data.texts, [str(name) for name in np.random.default_rng(1).permutation(data.labels)])
    classifier, rest = learned(shuffled.part(0, 200)), shuffled.part(200, 300)
    assert macro_f1(classifier.predict(rest.texts), rest.labels) < 0.55


def test_macro_f1_is_that_of_scikit_learn():
    rng = np.random.default_rng(2)
    found, wanted = rng.choice(list("abc"), 50).tolist(), rng.choice(list("abc"), 50).tolist()
    assert macro_f1(found, wanted) == pytest.approx(f1_score(wanted, found, average="macro"))


def test_one_label_is_refused():
    with pytest.raises(InputError, match="two labels"):
        learned(Labelled([["a"], ["b"]], ["test", "test"]))


def test_words_of_paths_are_others_than_words_of_messages():
    assert tokens("fix parser", ["src/parser.py"])[:2] == ["fix", "parser"]
    assert {"/parser", "dir src", "end py", "files 1"} <= set(tokens("fix parser", ["src/parser.py"]))
