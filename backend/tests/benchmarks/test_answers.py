from __future__ import annotations

import json
from typing import Any

import pytest

from benchmarks.answers import BYTES, SHARED, VALUES, Answer, compare, difference
from benchmarks.load import Request, WrongAnswers

REQUESTS = [Request("GET", "/api/v1/tasks")]
ID, OTHER_ID = "019aaaaa-0000-7000-8000-000000000001", "019aaaaa-0000-7000-8000-000000000002"


def agreement(one: bytes, other: bytes, masked: frozenset[str] = frozenset()) -> str:
    given = {"ceiling": [Answer(200, one)], "ours": [Answer(200, other)]}
    return compare(given, REQUESTS, status=200, masked=masked)["ours"]


def encoded(value: Any) -> bytes:
    return json.dumps(value).encode()


def test_the_same_bytes_agree_byte_for_byte() -> None:
    assert agreement(b'{"a":1}', b'{"a":1}') == BYTES


def test_other_white_space_or_order_agrees_as_values() -> None:
    assert agreement(b'{"a":1,"b":2}', b'{"b": 2, "a": 1}') == VALUES


def test_other_values_are_wrong_and_named() -> None:
    with pytest.raises(WrongAnswers, match=r"(?s)/results/0/title: 'x' and 'y'"):
        agreement(encoded({"results": [{"title": "x"}]}), encoded({"results": [{"title": "y"}]}))


def test_an_unexpected_status_is_wrong() -> None:
    given = {"ceiling": [Answer(200, b"{}")], "ours": [Answer(429, b"slow down")]}
    with pytest.raises(WrongAnswers, match="ours answers 429"):
        compare(given, REQUESTS, status=200, masked=frozenset())


def test_a_lists_envelope_may_have_other_names() -> None:
    cursor = encoded({"results": [1], "next_cursor": "abc"})
    link = encoded({"next": "http://testserver/?cursor=abc", "previous": None, "results": [1]})
    assert agreement(cursor, link) == VALUES
    with pytest.raises(WrongAnswers, match="/more"):
        agreement(cursor, encoded({"next": None, "results": [1]}))


def test_an_older_commit_may_lack_fields_but_not_answer_other_values() -> None:
    def with_older(older: Any) -> str:
        new = {"results": [{"title": "x", "place": {"a": 1, "b": 2}}]}
        given = {"ours": [Answer(200, encoded(new))], "abc1234": [Answer(200, encoded(older))]}
        return compare(given, REQUESTS, status=200, masked=frozenset(), older=frozenset({"abc1234"}))["abc1234"]

    assert with_older({"results": [{"title": "x", "place": {"a": 1}}]}) == SHARED
    with pytest.raises(WrongAnswers, match=r"/results/0/place/a: 1 and 3"):
        with_older({"results": [{"title": "x", "place": {"a": 3}}]})
    with pytest.raises(WrongAnswers, match="/results"):
        with_older({"results": []})


def test_another_contender_may_not_lack_fields() -> None:
    with pytest.raises(WrongAnswers, match="/b"):
        agreement(b'{"a":1,"b":2}', b'{"a":1}')


def test_masked_values_may_differ_when_they_are_well_formed() -> None:
    masked = frozenset({"id"})
    assert agreement(b'{"id":"%b"}' % ID.encode(), b'{"id":"%b"}' % OTHER_ID.encode(), masked) == BYTES
    assert agreement(b'{"id":"%b"}' % ID.encode(), b'{"id": "%b"}' % OTHER_ID.encode(), masked) == VALUES
    with pytest.raises(WrongAnswers, match="/id"):
        agreement(encoded({"id": ID}), encoded({"id": None}), masked)


def test_empty_bodies_agree() -> None:
    assert agreement(b"", b"") == BYTES


def test_a_difference_names_missing_keys_and_lengths() -> None:
    assert difference({"a": 1}, {}) == ["  /a: 1 and 'nothing'"]
    assert difference([1], [1, 2]) == ["  /: [1] and [1, 2]"]
