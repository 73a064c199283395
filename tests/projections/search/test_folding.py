import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projections.search.folding import asked_words, excerpt, fold_text, words_of

FOLDED = [
    ("Straße", "strasse"),
    ("ÉTÉ à Zürich", "ete a zurich"),
    ("İSTANBUL", "istanbul"),
    ("ﬁnal ①②", "final 12"),
    ("ＡＢＣ１２", "abc12"),
    ("كتاب علي", "کتاب علی"),
    ("مصطفى", "مصطفی"),
    ("أحمد إيران آب ٱلله", "احمد ایران اب الله"),
    ("مسؤول شئون جزء", "مسوول شیون جز"),
    ("مدرسة", "مدرسه"),
    ("خانۀ ما", "خانه ما"),
    ("مُحَمَّد", "محمد"),
    ("ســلام", "سلام"),
    ("٠١٢٣٤٥٦٧٨٩ ۰۱۲۳۴۵۶۷۸۹", "0123456789 0123456789"),
    ("می\u200cرسد", "می رسد"),
    ("\u200eabc\u200f \u2067سلام\u2069\ufeff", "abc سلام"),
    ("한국어", "한국어"),
    ("ﻻ", "لا"),
    ("a,b;c@d.e", "a,b;c@d.e"),
]
LETTERS = st.text(st.one_of(st.characters(codec="utf-8"), st.sampled_from("ا آأإكيىةهۀ\u200c\u0640\u064e\u0654١۲éİß")))


@pytest.mark.parametrize(("written", "folded"), FOLDED)
def test_what_is_one_to_a_reader_is_one_to_the_search(written: str, folded: str) -> None:
    assert fold_text(written) == folded


@given(LETTERS)
def test_folding_twice_is_folding_once(text: str) -> None:
    assert fold_text(fold_text(text)) == fold_text(text)


@given(LETTERS)
def test_how_letters_are_encoded_does_not_count(text: str) -> None:
    for form in ("NFC", "NFD"):
        assert fold_text(unicodedata.normalize(form, text)) == fold_text(text)


@given(LETTERS)
def test_every_text_has_the_words_that_are_asked_with_it(text: str) -> None:
    asked = asked_words(text)
    assert not asked or any(set(words) <= words_of(text) for words in asked)


@pytest.mark.parametrize("stored", ["می\u200cشود", "می شود", "میشود"])
@pytest.mark.parametrize("asked", ["می\u200cشود", "می شود", "میشود"])
def test_a_word_in_two_pieces_is_found_however_it_is_joined(stored: str, asked: str) -> None:
    found = any(set(words) <= words_of(stored) for words in asked_words(asked))
    assert found == ({stored, asked} != {"می شود", "میشود"})


def test_nothing_is_asked_with_punctuation_alone() -> None:
    assert asked_words(" ؟!.") == ()


def test_words_are_bounded() -> None:
    assert words_of("x" * 50) == {"x" * 40}
    assert len(words_of(" ".join(str(n) for n in range(3000)))) == 1000
    assert words_of("a " * 15_000 + "late") == {"a"}


LONG = "one " * 50 + "the سفارش‌ها are late " + "two " * 50


def test_an_excerpt_is_around_the_first_word_that_was_asked_for() -> None:
    found = excerpt(LONG, asked_words("سفارش"), 60)
    assert "سفارش‌ها are late" in found
    assert (found[0], found[-1], len(found)) == ("…", "…", 62)
    assert excerpt("short\n text", asked_words("text"), 60) == "short text"
    assert excerpt(LONG, asked_words("nowhere"), 8) == "one one …"
