"""Nothing that a client can send is a 500, and what cannot be used is named."""

from __future__ import annotations

import gzip
import uuid

import pytest
from django.test import Client
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from tests.conftest import Person

DEEP = 100_000
ID = "019aaaaa-0000-7000-8000-000000000001"


def post(probe: Client, body: bytes | str, media_type: str = "application/json"):
    return probe.generic("POST", "/probe/echo", body, content_type=media_type)


class TestBodies:
    @pytest.mark.parametrize(
        "body",
        [
            b"{",
            b"",
            b"nul",
            b"{'text': 'a'}",
            b'{"text": "a",}',
            b'{"text": "a"} x',
            b'{"number": NaN}',
            b'{"number": Infinity}',
            b'{"number": 1e400}',
            b'{"number": -1e400}',
            b'{"number": 1' + b"0" * 5000 + b"}",
            b'{"text": "\xff"}',
            b'{"text": "\\ud800"}',
            b'{"text": "\\udc00 is alone"}',
            b'{"text": "\xed\xa0\x80"}',
            b'{"\\ud800": 1}',
            b"[" * DEEP,
            b"[" * DEEP + b"]" * DEEP,
            b'{"a":' * DEEP + b"1" + b"}" * DEEP,
            '{"text": "a"}'.encode("utf-16"),
            b"\x00",
            b'{"text": "a\nb"}',
        ],
    )
    def test_what_is_no_json_is_a_400(self, probe: Client, body: bytes):
        answer = post(probe, body) if body else post(probe, b" ")
        assert answer.status_code == 400, answer.content
        assert answer["Content-Type"] == "application/problem+json"

    @pytest.mark.parametrize("body", ["[]", '"text"', "5", "null", "true", "[{}]"])
    def test_what_is_no_object_is_a_400(self, probe: Client, body: str):
        answer = post(probe, body)
        assert answer.status_code == 400
        assert [error["pointer"] for error in answer.json()["errors"]] == [""]

    @pytest.mark.parametrize(
        ("body", "understood"),
        [
            (b"", {}),
            (b"{}", {}),
            (b'\xef\xbb\xbf{"text": "a"}', {"text": "a"}),
            (b'{"text": "a", "text": "b"}', {"text": "b"}),
            ('{"text": "\\ud83d\\ude00é"}'.encode(), {"text": "😀é"}),
        ],
    )
    def test_what_is_json_is_read(self, probe: Client, body: bytes, understood):
        answer = post(probe, body)
        assert answer.status_code == 200, answer.content
        assert answer.json() == understood

    @pytest.mark.parametrize("key", [{}, {"Idempotency-Key": "once"}])
    def test_a_compressed_body_is_415_and_says_so(self, alice: Person, key: dict[str, str]):
        packed = {"data": gzip.compress(b'{"title": "Dig"}'), "content_type": "application/json"}
        answer = alice.api.post("/tasks", headers={"Content-Encoding": "gzip", **key}, **packed)
        assert answer.status_code == 415
        assert "gzip" in answer.json()["detail"]

    def test_a_body_may_say_that_it_is_not_compressed(self, alice: Person):
        answer = alice.api.post("/tasks", {"title": "Dig"}, headers={"Content-Encoding": "Identity"})
        assert answer.status_code == 201

    def test_another_media_type_is_415_and_says_what_to_send(self, alice: Person):
        for path, wanted in (("/tasks", "application/json"), ("/imports/ics", "multipart/form-data")):
            answer = alice.api.post(path, "dig", content_type="text/plain")
            assert (answer.status_code, answer.json()["detail"]) == (415, f"Send the body as {wanted}.")

    def test_another_charset_is_415_and_says_what_to_send(self, alice: Person):
        answer = alice.api.post("/tasks", "{}", content_type="application/json; charset=latin-1")
        assert (answer.status_code, answer.json()["detail"]) == (415, "Send JSON in UTF-8.")

    @pytest.mark.parametrize("media_type", ["application/json; charset=utf-8", 'application/json;charset="UTF-8"'])
    def test_utf8_may_be_named(self, probe: Client, media_type: str):
        assert post(probe, "{}", media_type).status_code == 200

    def test_a_patch_may_call_itself_a_merge_patch(self, probe: Client):
        for media_type in ("application/json", "application/merge-patch+json"):
            answer = probe.patch("/probe/echo", '{"due": null}', media_type)
            assert answer.json() == {"due": None}

    @hypothesis_settings(
        max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
    )
    @given(body=st.binary(max_size=200))
    def test_no_bytes_are_a_500(self, probe: Client, body: bytes):
        assert post(probe, body).status_code in {200, 400}


class TestFields:
    @pytest.mark.parametrize(
        ("body", "pointer"),
        [
            ('{"text": "a\\u0000b"}', "/text"),
            ('{"text": 5}', "/text"),
            ('{"text": true}', "/text"),
            ('{"text": ["a"]}', "/text"),
            ('{"text": {"a": 1}}', "/text"),
            ('{"text": null}', "/text"),
            ('{"text": "' + "x" * 21 + '"}', "/text"),
            ('{"number": "5"}', "/number"),
            ('{"number": true}', "/number"),
            ('{"number": 1.5}', "/number"),
            ('{"number": 1' + "0" * 100 + "}", "/number"),
            ('{"flag": 1}', "/flag"),
            ('{"flag": "true"}', "/flag"),
            ('{"id": 5}', "/id"),
            ('{"id": "5"}', "/id"),
            ('{"id": "{' + ID + '}"}', "/id"),
            ('{"labels": {"0": "x"}}', "/labels"),
            ('{"labels": "x"}', "/labels"),
            (f'{{"labels": ["{ID}", 5]}}', "/labels/1"),
            (f'{{"labels": ["{ID}", null]}}', "/labels/1"),
            ('{"due": []}', "/due"),
            ('{"due": "tomorrow"}', "/due"),
            ('{"due": {}}', "/due/at"),
            ('{"due": {"at": 5}}', "/due/at"),
            ('{"due": {"at": "2026-11-30"}}', "/due/at"),
            ('{"due": {"at": "2026-11-30T09:00:00"}}', "/due/at"),
            ('{"due": {"at": "2026-02-30T09:00:00Z"}}', "/due/at"),
            ('{"due": {"at": "2026-11-30T09:00Z"}}', "/due/at"),
            ('{"due": {"at": "2026-11-30T09:00:00+0800"}}', "/due/at"),
            ('{"due": {"at": "2026-11-30T09:00:0０Z"}}', "/due/at"),
            ('{"due": {"at": "2026-11-30T09:00:00Z\\n"}}', "/due/at"),
            ('{"due": {"at": "0001-01-01T00:00:00+14:00"}}', "/due/at"),
            ('{"due": {"at": "9999-12-31T23:59:59-14:00"}}', "/due/at"),
            ('{"due": {"at": "99999-12-31T23:59:59Z"}}', "/due/at"),
            ('{"due": {"at": "2026-11-30T09:00:00Z", "when": 1}}', "/due/when"),
            ('{"titel": "a"}', "/titel"),
            ('{"a/b~c": "a"}', "/a~1b~0c"),
            ('{"\\u0000": "a"}', "/\0"),
        ],
    )
    def test_what_cannot_be_used_is_pointed_at(self, probe: Client, body: str, pointer: str):
        answer = post(probe, body)
        assert answer.status_code == 400, answer.content
        problem = answer.json()
        assert problem["type"] == "urn:todo:problem:invalid_input"
        assert [error["pointer"] for error in problem["errors"]] == [pointer]

    def test_all_errors_come_at_once(self, probe: Client):
        answer = post(probe, '{"text": 5, "number": 11, "titel": 1, "due": {"x": 1}}')
        pointers = {error["pointer"] for error in answer.json()["errors"]}
        assert pointers == {"/text", "/number", "/titel", "/due/at", "/due/x"}

    def test_times_are_given_back_in_utc(self, probe: Client):
        for sent, given_back in [
            ("2026-11-30T09:00:00+08:00", "2026-11-30T01:00:00Z"),
            ("2026-11-30t09:00:00.25z", "2026-11-30T09:00:00.250000Z"),
            ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"),
        ]:
            answer = post(probe, f'{{"due": {{"at": "{sent}"}}}}')
            assert answer.json() == {"due": {"at": given_back}}, sent


class TestQueries:
    def test_defaults(self, probe: Client):
        assert probe.get("/probe/echo").json() == {
            "limit": 50,
            "cursor": None,
            "updated_since": None,
            "include_deleted": False,
        }

    @pytest.mark.parametrize(
        ("query", "name"),
        [
            ("limit=0", "limit"),
            ("limit=201", "limit"),
            ("limit=-1", "limit"),
            ("limit=ten", "limit"),
            ("limit=", "limit"),
            ("limit=%00", "limit"),
            ("limit=" + "9" * 5000, "limit"),
            ("limit=1&limit=2", "limit"),
            ("limits=5", "limits"),
            ("cursor=" + "x" * 501, "cursor"),
            ("cursor=%00", "cursor"),
            ("updated_since=yesterday", "updated_since"),
            ("updated_since=2026-11-30T09:00:00", "updated_since"),
            ("updated_since=0001-01-01T00:00:00%2B14:00", "updated_since"),
            ("updated_since=%00", "updated_since"),
            ("include_deleted=maybe", "include_deleted"),
        ],
    )
    def test_what_cannot_be_used_is_named(self, probe: Client, query: str, name: str):
        answer = probe.get(f"/probe/echo?{query}")
        assert answer.status_code == 400, answer.content
        assert [error["pointer"] for error in answer.json()["errors"]] == [f"/{name}"]

    @pytest.mark.parametrize("query", ["%00=1", "%ff=1", "a" * 3000, "&&&", "=", "limit=%ff", "%ed%a0%80=1"])
    def test_garbage_is_no_500(self, probe: Client, query: str):
        assert probe.get(f"/probe/echo?{query}").status_code in {200, 400}

    def test_too_many_parameters_are_a_400(self, probe: Client):
        query = "&".join(f"a{number}=1" for number in range(1001))
        assert probe.get(f"/probe/echo?{query}").status_code == 400


class TestEntityTags:
    def get(self, probe: Client, header: str):
        return probe.get("/probe/tagged", headers={"If-None-Match": header})

    @pytest.mark.parametrize(
        "header", ['"3-abc"', 'W/"3-abc"', '"1-x", "3-abc"', '"1-x",W/"3-abc"', "*", ' "3-abc" ', '"3-abc-gzip"']
    )
    def test_what_the_client_holds_is_not_sent_again(self, probe: Client, header: str):
        answer = self.get(probe, header)
        assert answer.status_code == 304
        assert answer.content == b""
        assert answer["ETag"] == '"3-abc"'
        assert answer["Cache-Control"] == "private, no-cache"
        assert "Content-Type" not in answer

    @pytest.mark.parametrize("header", ['"3-abd"', "3-abc", "", '"', '""', '"3-ab', "W/", "\xff", '"3-abc'])
    def test_anything_else_gets_the_answer(self, probe: Client, header: str):
        answer = self.get(probe, header)
        assert answer.status_code == 200
        assert answer["ETag"] == '"3-abc"'

    def test_head_is_get_without_the_body(self, probe: Client):
        answer = probe.head("/probe/tagged")
        assert (answer.status_code, answer.content) == (200, b"")
        assert answer["ETag"] == '"3-abc"'


@pytest.mark.parametrize(
    ("header", "versions"),
    [
        (None, None),
        ("*", None),
        ('"3-0abcde"', {3}),
        ('"3-0abcde", "4-0abcde"', {3, 4}),
        ('"3-0abcde-gzip"', {3}),
        ('W/"3-0abcde"', set()),  # a write compares strongly
        ('W/"3-0abcde", "4-0abcde"', {4}),
        ('"x-0abcde"', set()),
        ('"-1-0abcde"', set()),
        ('"99999999999999999999-0abcde"', set()),
        ('"٣-0abcde"', set()),
        ('"3-0abcde-5"', {3}),  # with the role in a project
        ('"3"', set()),
        ('"3-zz"', set()),
        ("3-0abcde", set()),
        ("", set()),
        ('"', set()),
    ],
)
def test_if_match_names_versions(rf, header: str | None, versions: set[int] | None):
    from todo_project.api import etag

    request = rf.patch("/x", **({} if header is None else {"HTTP_IF_MATCH": header}))
    assert etag.expected_versions(request) == versions


class TestCursors:
    def cursor(self, *key: object) -> str:
        from todo_project.api import pagination

        return pagination.encode(*key)

    @pytest.mark.parametrize(
        "cursor",
        [
            "",
            "x",
            "!!!!",
            "a" * 499,
            "é",
            "%00",
            "bnVsbA",
            "W10",
            "WzFd",
            "eyJhIjoxfQ",
            "WyJ4Il0",
            "/w",
            "W1tbW1tb",
        ],
    )
    @pytest.mark.parametrize("kind", ["", "&time=1"])
    def test_garbage_is_a_400(self, probe: Client, cursor: str, kind: str):
        answer = probe.get(f"/probe/cursor?cursor={cursor}{kind}")
        assert answer.status_code == 400
        assert answer.json()["errors"][0]["pointer"] == "/cursor"

    def test_one_of_another_list_is_a_400(self, probe: Client):
        from datetime import UTC, datetime

        by_id, by_time = self.cursor(uuid.UUID(ID)), self.cursor(datetime(2026, 1, 1, tzinfo=UTC), uuid.UUID(ID))
        assert probe.get(f"/probe/cursor?cursor={by_id}").json() == [ID]
        assert probe.get(f"/probe/cursor?cursor={by_id}&time=1").status_code == 400
        assert probe.get(f"/probe/cursor?cursor={by_time}").status_code == 400
        assert probe.get(f"/probe/cursor?cursor={by_time}&time=1").json() == ["2026-01-01T00:00:00Z", ID]

    def test_a_forged_time_is_a_400(self, probe: Client):
        import base64
        import json

        for time in ("2026-01-01T00:00:00", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"):
            forged = base64.urlsafe_b64encode(json.dumps([time, ID]).encode()).decode().rstrip("=")
            assert probe.get(f"/probe/cursor?cursor={forged}&time=1").status_code == 400, time
