"""What a word is, in any script; and what texts and requests are indexed and looked up by."""

# ruff: noqa: RUF001

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from shgat.model.words import ASIDE, READ, asked, stem, terms, words

WORDS = [
    "sendMail",
    "Größe",
    "Отправь письмо",
    "Στείλε μήνυμα",
    "أرسل رسالة",
    "שלח הודעה",
    "संदेश भेजें",
    "ส่งอีเมล",
    "메일을 보내",
    "送信する",
    "请删除",
]
HARD = ["请删除", "ﬁle", "x̧̄y", "é", "ｶﾞ", "ΐ", "İ", "1️⃣", "👍🏽", "\ud800", "\u200d", "_", " ", "A", "b", "٣"]
SCRIPTS = st.sampled_from(WORDS + HARD)
TEXT = st.one_of(st.text(), st.text(st.characters()), st.lists(SCRIPTS).map("".join))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("sendMail to bob_smith2, ÜBER 3.5", ["send", "mail", "to", "bob", "smith2", "über", "3", "5"]),
        ("files.readFile kebab-case a/b", ["files", "read", "file", "kebab", "case", "a", "b"]),
        ("HTTPServer v2Beta PDFToText userIDs", ["http", "server", "v2", "beta", "pdf", "to", "text", "user", "ids"]),
        ("Größe STRASSE Straße naïve", ["grösse", "strasse", "strasse", "naïve"]),
        ("портфель, ОтправитьПисьмо", ["портфель", "отправить", "письмо"]),
        ("Ελληνικά ΛΌΓΟΣ", ["ελληνικά", "λόγοσ"]),
        ("أرسِلْ الرسالة", ["أرسل", "الرسالة"]),  # without the points that most writers leave out
        ("שָׁלוֹם עולם", ["שלום", "עולם"]),
        ("हिन्दी में संदेश", ["हिन्दी", "में", "संदेश"]),
        ("తెలుగు বাংলা தமிழ்", ["తెలుగు", "বাংলা", "தமிழ்"]),
        ("请删除 文", ["请删", "删除", "文"]),
        ("ファイルを送る", ["ファ", "ァイ", "イル", "ルを", "を送", "送る"]),
        ("메일을 보내", ["메일", "일을", "보내"]),
        ("อีเมล", ["อีเ", "เม", "มล"]),
        ("GitHub仓库v2", ["git", "hub", "仓库", "v2"]),
        ("ＦＵＬＬ ｶﾞｷﾞ ﬁle m² ٣", ["full", "ガギ", "file", "m2", "3"]),
        ("1️⃣ 👍🏽 👨‍👩‍👧 → ok", ["1", "ok"]),
        ("soft\u00adhyphen", ["softhyphen"]),
        ("\ud800a\udfff \u0301", ["a"]),
        ("-- \t\n", []),
        ("", []),
    ],
)
def test_words(text, expected):
    assert words(text) == expected


@given(TEXT)
@example("\ud800")
@example("Ꭰaꭰ")  # small letters that fold to capitals
def test_words_of_any_text_are_words(text):
    found = words(text)
    assert all(found)
    assert words(" ".join(found)) == found


@given(TEXT)
@example("e\u0323\u0301")
@example("각가ㄱ")
@example("آ\u064b")
def test_composed_and_decomposed_texts_have_the_same_words(text):
    composed, decomposed = unicodedata.normalize("NFC", text), unicodedata.normalize("NFD", text)
    for of in (words, terms, asked):
        assert of(composed) == of(decomposed)


@given(st.text(st.characters(max_codepoint=127), max_size=40))
def test_ascii_is_no_other_script(text):
    assert words(text) == words(text + " é")[:-1]  # the way of plain ASCII, and the way of everything
    assert terms(text) == terms(text + " é")[:-1]


@given(TEXT)
def test_no_mark_is_cut_from_its_letter(text):
    for word in words(text):
        assert not unicodedata.category(word[0]).startswith("M")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("files", "file"), ("categories", "category"), ("boxes", "box"), ("deleting", "deletes"), ("deleted", "delete"),
        ("copied", "copy"), ("running", "runs"), ("embedding", "embed"), ("translation", "translate"), ("письмом", "письмом"),
        ("отправить", "отправил"), ("Rechnung", "Rechnungen"),
    ],
)  # fmt: skip
def test_forms_of_a_word_are_one_term(one, other):
    assert asked(one) == asked(other) == terms(one)


@pytest.mark.parametrize("word", ["status", "address", "string", "speed", "b2", "сша", "删除", "संदेश", "gps"])
def test_what_is_no_ending_stays(word):
    assert stem(word) == word


def test_a_name_is_found_by_its_parts_and_as_a_whole():
    assert terms("GitHub") == ["git", "hub", "github"]
    assert set(asked("github")) < set(terms("GitHub"))
    assert terms("read_file") == ["read", "fil"]


def test_a_request_is_looked_up_by_what_it_is_about():
    assert asked("Could you please send the mail to my boss? Send the MAIL!") == ["send", "mail", "boss", "send", "mail"]
    assert asked("how is that") == ["how", "is", "that"]  # there is nothing else
    assert asked("") == []
    assert all(word == word.lower() for word in ASIDE)


def test_only_the_head_of_a_text_is_read():
    assert len(terms("a " * 10 * READ)) == READ / 2
    assert len("".join(terms("ﷺ" * READ))) <= READ  # each stands for four words
    assert asked("mail " * READ + "file") == ["mail"] * (READ // 5)
