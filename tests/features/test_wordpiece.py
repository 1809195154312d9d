"""WordPiece: the pieces that the tokenizer of BERT itself finds, for texts of any script."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer
from tokenizers.models import WordPiece as Model
from tokenizers.normalizers import BertNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer

from shgat.features.static import built_in

OURS = built_in().pieces
THEIRS = Tokenizer(Model(OURS.number, unk_token="[UNK]", max_input_chars_per_word=100))
THEIRS.normalizer, THEIRS.pre_tokenizer = BertNormalizer(lowercase=True), BertPreTokenizer()


@pytest.mark.parametrize(
    "text",
    [
        "", " \t\n", "Send an email!", "mail.send_message(googleSheets)", "Größe été ñandú", "日本語のテキスト", "привет мир!",
        "a\u200bb\x00c\x07d", "ﬁle ½ ™ İstanbul", "हिन्दी टेक्स्ट", "가나다 한국어", "x" * 100, "x" * 101 + " y", "😀 ok\u00a0go", "Ǆ ß ΑΣ",
        "a\x1fb\x7fc\u2028d\x85e", "don't—stop… “now”",
    ],
)  # fmt: skip
def test_texts_are_taken_apart_as_bert_does(text):
    assert OURS(text) == THEIRS.encode(text, add_special_tokens=False).ids


@settings(max_examples=200)
@given(st.text(st.characters(codec="ascii"), max_size=60))
def test_any_ascii_text_is(text):
    assert OURS(text) == THEIRS.encode(text, add_special_tokens=False).ids


@given(st.text(max_size=60))
def test_any_text_has_pieces_of_the_vocabulary(text):
    assert all(0 <= number < len(OURS.number) for number in OURS(text))


def test_the_first_pieces_and_the_marks_of_the_ends():
    assert OURS("send an email to bob", 3) == OURS("send an email")
    framed = OURS.framed("send an email to bob", 5)
    assert framed == [OURS.first, *OURS("send an email"), OURS.last]
    assert len(OURS.framed("word " * 1000, 256)) == 256
