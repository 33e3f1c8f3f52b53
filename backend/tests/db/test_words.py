"""The words of texts: Python and PostgreSQL find the same, and typing errors are measured as described."""

from __future__ import annotations

import re

import pytest
from django.db import connection
from hypothesis import example, given, settings
from hypothesis import strategies as st

from todo_project.db.words import texts, typing_errors
from todo_project.db.words.characters import TEXT_LENGTH_MAX, WORD_LENGTH_MAX

# letters and marks of many scripts, separators, symbols, and what folding makes longer or shorter
CHARACTERS = (
    *"aZé ß ς Σ İ ı ŉ ǅ ﬁ ﷺ ｶﾞ ﾊ ﾞ ﾟ ﾡ ￂ ガ か\u3099 Ａ １ ½ µ ª Ё й א ש ب ع अ क ก ไ 한 글",
    *"Đ đ Ø ø Ł ł Ħ ŧ Æ œ Ð þ שָׁלוֹם ـ أَحْمَدُ ٱ ۖ \u1dc4 \u1ab0",
    *"\u1112\u1161\u11ab 日 本 々 ー ・ 、 。 𠀀 \uf900",
    *"'\"\\:&|!*()<>-_.,;@#\t\n\x01\u0301\u0327\u200b\u200d\u202e\ufe0f\ufeff🎉👩🏽🇩→√€℃Ⅷ²",
)
TEXTS = st.lists(st.sampled_from(CHARACTERS), max_size=12).map("".join)


def in_database(text: str) -> set[str]:
    """Return the words that PostgreSQL finds."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT tsvector_to_array(search_words(%s))", [text])
        (words,) = cursor.fetchone()
    return set(words)


@pytest.mark.postgres
@pytest.mark.django_db
@settings(max_examples=300)
@given(TEXTS)
@example("x" * (WORD_LENGTH_MAX + 1))
@example("ﷺ" * 100)
@example("明天" * 10_000)
@example("a" * TEXT_LENGTH_MAX + " b")
@example("Σ" * 3 + " ΟΔΥΣΣΕΥΣ")
def test_postgresql_and_python_find_the_same_words(text: str) -> None:
    assert in_database(text) == texts.words_of(text)
    with connection.cursor() as cursor:
        cursor.execute("SELECT search_fold(%s)", [text])
        assert cursor.fetchone() == (texts.fold(text),)


@given(TEXTS)
def test_words_never_contain_what_a_query_would_have_to_escape(text: str) -> None:
    assert not any(re.search(r"['\\\s:&|!*()<>]", word) for word in texts.words_of(text))


@given(TEXTS)
def test_a_text_has_the_words_of_each_query_that_is_a_part_of_it(text: str) -> None:
    words = texts.words_of(text)
    assert set(texts.words_of_query(text)) <= words
    for run in re.findall("[日本々ー]+", texts.fold(text)):
        for start in range(len(run)):
            assert all(any(word.startswith(each) for word in words) for each in texts.words_of_query(run[start:]))


@given(TEXTS)
def test_places_lead_back_to_the_text(text: str) -> None:
    folded, places = texts.fold_with_places(text)
    assert len(places) == len(folded)
    assert folded == texts.fold(text)
    assert all(0 <= start < end <= len(text) for start, end in places)
    for word in texts.words_in(folded):
        part = text[places[word.start][0] : places[word.end - 1][1]]
        assert word.text in texts.fold(part)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Don't, PANIC!", ["don", "t", "panic"]),
        ("明天 买iPhone", ["明天", "买", "iphone"]),
        ("明天买", ["明天", "天买"]),
        ("奶", ["奶"]),
        ("buy buy", ["buy"]),
        (" -- ", []),
    ],
)
def test_a_query_needs_these_words(text: str, words: list[str]) -> None:
    assert texts.words_of_query(text) == words


@pytest.mark.parametrize(
    ("typed", "word", "is_error"),
    [
        ("grocreies", "groceries", True),
        ("grocr", "groceries", True),
        ("tommorow", "tomorrow", True),
        ("thing", "thing", False),  # no error at all
        ("tae", "tea", False),  # too short
        ("thxyg", "thing", False),  # two errors in a short word
        ("明天卖", "明天买", False),
        ("meeting", "meet", False),
        ("mlik", "milk", True),
    ],
)
def test_an_error_of_a_word(typed: str, word: str, is_error: bool) -> None:
    assert typing_errors.is_error_of(typed, word) is is_error


def test_a_long_text_costs_little() -> None:
    """The number of steps, not the time: each place of the text is looked at once."""
    text = "é" * 1000 + "明" * 1000
    assert len(list(texts.words_in(texts.fold(text)))) == 1001
    assert len(texts.fold_with_places(text)[1]) == 2000
