"""BM25 against its formula in float64, and how far a description can lift a tool."""

import bm25s
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shgat import Catalog
from shgat.model.lexical import LONG, REPEATS, Bm25, Descriptions
from shgat.model.words import READ, asked
from worlds import SAMPLE

K1, B = 1.5, 0.75
WORDS = st.lists(st.sampled_from(["mail", "send", "file", "the", "a", "7"]), max_size=12)
QUERIES = st.lists(st.sampled_from(["mail", "send", "file", "the", "unknown", "another"]), max_size=8)


def bm25(documents, query):
    """Lucene's variant, (n,) float64."""
    n = len(documents)
    mean = sum(map(len, documents)) / max(n, 1)
    scores = np.zeros(n)
    for word in query:
        holding = sum(word in document for document in documents)
        for i, document in enumerate(documents):
            f = document.count(word)
            if f:
                rarity = np.log(1 + (n - holding + 0.5) / (holding + 0.5))
                scores[i] += rarity * f / (f + K1 * (1 - B + B * len(document) / mean))
    return scores


@given(st.lists(WORDS, max_size=8), QUERIES)
def test_scores_are_the_formula(documents, query):
    found = Bm25(documents).scores(query)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, bm25(documents, query), rtol=2e-6, atol=1e-7)


@given(st.lists(WORDS, max_size=8), st.lists(QUERIES, max_size=5))
def test_relative_to_the_best_of_each_query(documents, queries):
    exact = np.array([bm25(documents, query) for query in queries]).reshape(len(queries), len(documents))
    best = exact.max(axis=1, initial=0.0, keepdims=True)
    found = Bm25(documents).relative(queries)
    assert (found.shape, found.dtype) == (exact.shape, np.float32)
    np.testing.assert_allclose(found, exact / (best + 1e-6), rtol=5e-6, atol=1e-6)


def test_a_word_that_a_query_repeats_counts_each_time():
    index = Bm25([["mail", "mail", "send"], ["mail"], ["file"]])
    np.testing.assert_allclose(index.scores(["mail"] * 3), 3 * index.scores(["mail"]), rtol=1e-6)


@pytest.mark.parametrize("documents", [[], [[]], [[], [], []]], ids=["none", "one that is empty", "all are empty"])
def test_where_nothing_is_written_nothing_is_found(documents):
    index = Bm25(documents)
    np.testing.assert_array_equal(index.scores(["mail"]), np.zeros(len(documents)))
    np.testing.assert_array_equal(index.relative([["mail"], []]), np.zeros((2, len(documents))))


def test_bm25_is_the_librarys_bit_for_bit():
    rng = np.random.default_rng(3)
    vocabulary = [f"w{i}" for i in range(300)]
    documents = [rng.choice(vocabulary[: 30 + i], int(rng.integers(0, 40))).tolist() for i in range(200)]
    theirs, ours = bm25s.BM25(k1=1.5, b=0.75), Bm25(documents)
    theirs.index(documents, show_progress=False)
    for _ in range(50):
        query = rng.choice(vocabulary, int(rng.integers(1, 12))).tolist()
        np.testing.assert_array_equal(ours.scores(query), theirs.get_scores(query))
    assert Bm25([]).scores(["w1"]).shape == (0,)


# ---------------------------------------------------------------- descriptions
@given(st.lists(st.lists(st.sampled_from(["mail", "send", "file", "the"]), min_size=2, max_size=8), max_size=8), QUERIES)
def test_ordinary_descriptions_are_ranked_by_the_same_formula(documents, query):
    np.testing.assert_array_equal(Bm25(documents, trusted=False).scores(query), Bm25(documents).scores(query))


@pytest.fixture(scope="module")
def texts():
    return {t.id: t.text for t in Catalog.load(SAMPLE).tools}


def described(texts):
    return Descriptions.of(Catalog.from_records([{"id": key, "text": text} for key, text in texts.items()], []), "tools")


def firsts(texts, queries):
    index = described(texts).index
    return [list(texts)[int(index.scores(asked(query)).argmax())] for query in queries]


def stuffed(texts, kind):
    """A text that wants to stand first for everything."""
    everything = " ".join(texts.values())
    vocabulary = " ".join(dict.fromkeys(everything.split()))
    most_used = " ".join(sorted(set(everything.split()), key=everything.split().count)[-25:])
    return {
        "all texts": everything,
        "every word": vocabulary,
        "every word, thirty times": 30 * (vocabulary + " "),
        "every word thirty times in a row": " ".join(word for word in vocabulary.split() for _ in range(30)),
        "the usual words, a thousand times": 1000 * (most_used + " "),
    }[kind]


@pytest.mark.parametrize(
    "kind",
    [
        "all texts",
        "every word",
        "every word, thirty times",
        "every word thirty times in a row",
        "the usual words, a thousand times",
    ],
)
@pytest.mark.parametrize("n", [3, 10, 1000])
def test_a_text_that_holds_everything_stands_first_for_nothing_of_others(texts, kind, n):
    few = dict(list(texts.items())[:n])
    assert "stuffed" not in firsts({**few, "stuffed": stuffed(few, kind)}, few.values())


def test_one_long_description_does_not_change_what_length_means(texts):
    plain = firsts(texts, texts.values())
    beside = firsts({**texts, "long": " ".join(f"w{i}" for i in range(30_000))}, texts.values())
    assert beside == plain


def test_of_a_huge_text_the_head_is_kept(texts):
    kept = described({"a": "mail " * 2_000_000, "b": "字" * 1_000_000, "c": "mail"})
    assert max(map(len, kept.documents)) <= READ
    assert max(map(len, kept.heads)) <= READ


def test_heads_are_bounded_by_what_is_typical():
    kept = described(
        {**{f"t{i}": "one two three" for i in range(9)}, "u": "mail " * 500, "v": " ".join(f"w{i}" for i in range(500))}
    )
    lengths = [len(head) for head in kept.heads]
    assert lengths[0] == len(kept.documents[0])
    assert lengths[9:] == [REPEATS + 1, LONG * 4]  # "u" is a word too, and "t0 one two three" is typical


def test_readers_of_one_catalogue_share_one_index():
    catalog = Catalog.from_records(
        [{"id": "mail.send", "text": "send a mail"}], [{"id": "c", "text": "set", "tools": ["mail.send"]}]
    )
    assert Descriptions.of(catalog, "tools") is Descriptions.of(catalog, "tools")
    assert Descriptions.of(catalog, "tools").index is Descriptions.of(catalog, "tools").index
    assert Descriptions.of(catalog, "capabilities").documents == [["c", "set"]]


RUSSIAN = {
    "crm.contacts": "Список контактов: найти клиента по имени или телефону",
    "finance.portfolio": "Показать портфель: текущая стоимость ценных бумаг и доходность",
    "docs.search": "Поиск по документам и портретам сотрудников",
}


@pytest.mark.parametrize(
    ("texts_of", "query", "first"),
    [
        (RUSSIAN, "что сейчас в моём портфеле?", "finance.portfolio"),
        (RUSSIAN, "портфель", "finance.portfolio"),
        ({"a": "Datei löschen", "b": "Schriftgröße ändern", "c": "Große Datei öffnen"}, "Schriftgro\u0308ße", "b"),
        ({"a": "删除文件", "b": "发送邮件", "c": "日程安排"}, "请帮我发一封邮件", "b"),
        ({"a": "ファイルを削除", "b": "メールを送信", "c": "予定を作成"}, "ﾒｰﾙを書きたい", "b"),
        ({"a": "파일 삭제", "b": "메일 보내기", "c": "일정 만들기"}, "메일을 써 줘", "b"),
        ({"a": "ลบไฟล์", "b": "ส่งอีเมล", "c": "สร้างนัดหมาย"}, "เขียนอีเมลถึงแอนนา", "b"),
        ({"a": "حذف ملف", "b": "إرسال رسالة", "c": "موعد جديد"}, "أريد كتابة رِسَالَة", "b"),
        ({"a": "फ़ाइल हटाएं", "b": "संदेश भेजें", "c": "बैठक बनाएं"}, "एक संदेश लिखो", "b"),
        ({"a": "Διαγραφή αρχείου", "b": "Αποστολή μηνύματος", "c": "Νέο ραντεβού"}, "ΑΠΟΣΤΟΛΉ", "b"),
        ({"a": "drive_upload", "b": "createGitHubIssue", "c": "sendSlackMessage"}, "open an issue on github", "b"),
    ],
)  # fmt: skip
def test_requests_in_many_scripts_find_their_tool(texts_of, query, first):
    assert firsts(texts_of, [query]) == [first]
