"""Compare the contenders' answers to the same requests: only equal answers may be compared for speed."""

from __future__ import annotations

import http.client
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.load import Request, WrongAnswers

BYTES, VALUES, SHARED = "byte for byte", "as JSON values", "in the fields that both have"
UNKNOWN = "not known there"
_REFUSED = frozenset({400, 404})
_HIDDEN = "…"
_WELL_FORMED = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z")


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    body: bytes
    tag: str | None = None


def ask(port: int, requests: Iterable[Request]) -> list[Answer]:
    """Send requests one after the other."""
    answers = []
    for request in requests:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        try:
            connection.request(request.method, request.path, body=request.body, headers=request.all_headers())
            response = connection.getresponse()
            answers.append(Answer(response.status, response.read(), response.getheader("ETag")))
        finally:
            connection.close()
    return answers


def are_unknown(answers: Sequence[Answer]) -> bool:
    """Return whether a commit refuses all these requests: it has no such endpoint or query parameter yet."""
    return all(answer.status in _REFUSED for answer in answers)


def compare(
    given: Mapping[str, Sequence[Answer]],
    requests: Sequence[Request],
    *,
    status: int,
    masked: frozenset[str],
    older: frozenset[str] = frozenset(),
) -> dict[str, str]:
    """Return how each contender's answers agree with the first one's; raise WrongAnswers where they do not.

    Between a contender in `older` and another one a field may be missing on either side.
    """
    first, *others = given
    for name, answers in given.items():
        for request, answer in zip(requests, answers, strict=True):
            if answer.status != status:
                raise WrongAnswers(
                    f"{name} answers {answer.status}, not {status}, to {request.method} {request.path}: "
                    f"{answer.body[:500]!r}"
                )
    agreement = {}
    for name in others:
        kinds = [
            _agreement(
                one,
                other,
                masked,
                what=f"{first} and {name} differ at {request.method} {request.path}:",
                may_lack_fields=bool(older & {first, name}),
            )
            for request, one, other in zip(requests, given[first], given[name], strict=True)
        ]
        agreement[name] = max(kinds, key=[BYTES, VALUES, SHARED].index)
    return agreement


def _agreement(one: Answer, other: Answer, masked: frozenset[str], *, what: str, may_lack_fields: bool) -> str:
    if one.body == other.body:
        return BYTES
    left, right = (_read(answer.body, masked) for answer in (one, other))
    if json.dumps(left) == json.dumps(right):
        return BYTES if masked and _written(one.body, masked) == _written(other.body, masked) else VALUES
    if _sorted(left) == _sorted(right):
        return VALUES
    if may_lack_fields:
        left, right = _shared(left, right), _shared(right, left)
        if _sorted(left) == _sorted(right):
            return SHARED
    raise WrongAnswers("\n".join([what, *difference(left, right)]))


def _shared(value: Any, other: Any) -> Any:
    """Return a value without the fields that the other one does not have."""
    if isinstance(value, dict) and isinstance(other, dict):
        return {key: _shared(inner, other[key]) for key, inner in value.items() if key in other}
    if isinstance(value, list) and isinstance(other, list) and len(value) == len(other):
        return [_shared(*pair) for pair in zip(value, other, strict=True)]
    return value


def _sorted(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


def _read(body: bytes, masked: frozenset[str]) -> Any:
    """Return the value of a body; of a list, its rows and whether there are more, whatever the keys are called."""
    value = _hidden(json.loads(body), masked) if body else None
    if isinstance(value, dict) and "results" in value:
        return {"results": value["results"], "more": bool(value.get("next_cursor") or value.get("next"))}
    return value


def _hidden(value: Any, masked: frozenset[str]) -> Any:
    if isinstance(value, list):
        return [_hidden(inner, masked) for inner in value]
    if isinstance(value, dict):
        return {
            key: _HIDDEN if key in masked and _is_well_formed(inner) else _hidden(inner, masked)
            for key, inner in value.items()
        }
    return value


def _is_well_formed(value: Any) -> bool:
    return isinstance(value, str) and bool(_WELL_FORMED.fullmatch(value))


def _written(body: bytes, masked: frozenset[str]) -> bytes:
    """Return a body without its masked values."""
    names = b"|".join(name.encode() for name in sorted(masked))
    return re.sub(rb'("(?:%b)": ?)"[^"]*"' % names, rb"\1", body)


def difference(left: Any, right: Any, path: str = "") -> list[str]:
    """Return a line for each place where two JSON values differ."""
    if isinstance(left, dict) and isinstance(right, dict):
        keys = [*left, *(key for key in right if key not in left)]
        missing = "nothing"
        return [
            line
            for key in keys
            for line in difference(left.get(key, missing), right.get(key, missing), f"{path}/{key}")
        ]
    if isinstance(left, list) and isinstance(right, list) and len(left) == len(right):
        return [
            line
            for number, pair in enumerate(zip(left, right, strict=True))
            for line in difference(*pair, f"{path}/{number}")
        ]
    return [] if left == right else [f"  {path or '/'}: {left!r} and {right!r}"]
