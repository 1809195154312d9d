"""Words that nobody can read, and that are found again."""

from shgat.gateway.blinding import DIGITS, blinding, is_blinded
from shgat.model.words import terms


def test_the_same_words_have_the_same_numbers_and_nothing_else_is_left():
    blind = blinding(b"k" * 16)
    one, other = blind("Send an email to Ada"), blind("ada, please send emails!")
    assert set(one.split()) & set(other.split()) == {blind("send"), blind("email"), blind("ada")}
    assert one == blind("to ada an email send")  # not even their order
    assert is_blinded(one)
    assert not any(letter.isalpha() for letter in one)
    assert all(len(number) == DIGITS for number in one.split())
    assert terms(one) == one.split()  # read as they are


def test_without_the_secret_they_are_others():
    assert blinding(b"a" * 16)("email") != blinding(b"b" * 16)("email")


def test_what_has_no_word():
    assert blinding(b"k" * 16)(" ?! ") == ""
    assert not is_blinded("")
    assert not is_blinded("send 1234567")
