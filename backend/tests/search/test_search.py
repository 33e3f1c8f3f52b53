"""The search over the API: what is found, in which order, and what a result shows."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, urlencode

import pytest

from tests.comments.stories import post_comment
from tests.conftest import Person
from tests.search.stories import found, marked, search
from tests.todos.stories import make, make_project, pointers, post_task
from todo_project.search.services import finding, snippets
from todo_project.search.services.wanted import Wanted


def test_results_are_ranked_by_place_then_by_wholeness_then_by_state_then_by_age(alice: Person) -> None:
    other = post_task(alice, title="Ask Bob")
    post_comment(alice, other, "beforehand")
    post_comment(alice, other, "the ford")
    for title, description in (
        ("Ask Carol", "about the Fords"),
        ("Ask Dan", "about the Ford"),
        ("Fords", ""),
        ("Ford, first", ""),
        ("Ford, second", ""),
        ("Ford, done", ""),
        ("ofrd", ""),
        ("Something else", "entirely"),
    ):
        task = post_task(alice, title=title, description=description)
        if "done" in title:
            alice.api.post(f"/tasks/{task['id']}/complete")
    results = search(alice, "ford")
    assert [(each["data"].get("title") or each["data"]["text"], each["rank"]) for each in results] == [
        ("Ford, second", 12.5),
        ("Ford, first", 12.5),
        ("Ford, done", 12.0),
        ("Fords", 10.5),
        ("Ask Dan", 9.5),
        ("Ask Carol", 7.5),
        ("the ford", 6.5),
        ("ofrd", 2.5),
    ]
    assert {(each["kind"], each["id"]) for each in results} >= {("task", results[0]["data"]["id"])}
    assert found(alice, "ford ask") == ["Ask Dan", "Ask Carol"], "both words, in whatever field"


@pytest.mark.parametrize(
    ("title", "query", "marks"),
    [
        ("Buy groceries", "b", ["B"]),
        ("Buy groceries", "groc bu", ["Bu", "groc"]),
        ("Buy groceries", "GROCERIES", ["groceries"]),
        ("Meet at the Café", "cafe", ["Café"]),
        ("Meet at the Cafe\u0301s", "cafés", ["Cafe\u0301s"]),
        ("Straße kehren", "strasse", ["Straße"]),
        ("Gọi điện cho Đặng", "dang dien", ["điện", "Đặng"]),
        ("Kupić mąkę w Łodzi", "lodzi make", ["mąkę", "Łodzi"]),
        ("Køb Smørrebrød", "smorrebrod", ["Smørrebrød"]),
        ("Ring Æsa", "aesa", ["Æsa"]),
        ("לקנות לֶחֶם", "לחם", ["לֶחֶם"]),
        ("لقاء مع أَحْمَد", "احمد", ["أَحْمَد"]),
        ("لقاء مع محمـــد", "مُحَمَّد", ["محمـــد"]),
        ("ΟΔΥΣΣΕΥΣ", "οδυσσευς", ["ΟΔΥΣΣΕΥΣ"]),
        ("Ёлка", "елка", ["Ёлка"]),
        ("ＡＢＣ１２３", "abc123", ["ＡＢＣ１２３"]),
        ("ﾒｰﾙを送る", "メール", ["ﾒｰﾙ"]),
        ("ガスの点検", "ｶﾞｽ", ["ガス"]),
        ("ﾃﾞｰﾀ送信", "データ", ["ﾃﾞｰﾀ"]),
        ("ﾊﾟｿｺﾝ", "パソコン", ["ﾊﾟｿｺﾝ"]),
        ("新しいｱﾌﾟﾘ", "アプリ", ["ｱﾌﾟﾘ"]),
        ("ｶﾞｷﾞ", "ガギ", ["ｶﾞｷﾞ"]),
        ("ｶﾞｷﾞ", "ガ", ["ｶﾞ"]),
        ("\uffa1\uffc2 half-width", "가", ["\uffa1\uffc2"]),
        ("明天买牛奶", "明天", ["明天"]),
        ("明天买牛奶", "牛", ["牛"]),
        ("明天买牛奶", "买牛奶", ["买牛奶"]),
        ("明天买牛奶", "奶", ["奶"]),
        ("東京タワーに行く", "タワー", ["タワー"]),
        ("新しいiPhone手机を買う", "iphone 手机", ["iPhone手机"]),
        ("新しいiPhone手机を買う", "ipho", ["iPho"]),
        ("회의를 준비", "회의", ["회의"]),
        ("ประชุมทีม", "ทีม", ["ทีม"]),
        ("🎉Party🎂", "🎉", ["🎉"]),
        ("🎉Party🎂", "party", ["Party"]),
        ("👨\u200d👩\u200d👧 dinner", "👩", ["👩"]),
        ("Read C++ & SQL: 'a' | b", "c++ & sql", ["C", "SQL"]),
        ("write to bob@example.org", "bob@example.org", ["bob", "example", "org"]),
        ("ﷺ", "صلى", ["ﷺ"]),
    ],
)
def test_words_are_found_and_marked(alice: Person, title: str, query: str, marks: list[str]) -> None:
    task = post_task(alice, title=title)
    post_task(alice, title="Something else")
    (result,) = search(alice, query)
    assert result["data"] == alice.api.get(f"/tasks/{task['id']}").json()
    assert (marked(result), result["snippet"]["field"]) == (marks, "title")


@pytest.mark.parametrize(
    ("title", "query"),
    [
        ("Buy groceries", "oceries"),
        ("明天买牛奶", "明奶"),
        ("Café", "cafeteria"),
        ("Buy milk", "buy tea"),
        ("Plan", "b"),
    ],
)
def test_other_words_are_not_found(alice: Person, title: str, query: str) -> None:
    post_task(alice, title=title)
    assert search(alice, query) == []


@pytest.mark.parametrize(
    ("title", "query"),
    [
        ("Buy groceries", "grocreies"),  # two letters swapped
        ("Buy groceries", "grocr"),  # while typing
        ("One thing", "tihng"),
        ("One thing", "thimg"),  # another letter
        ("One thing", "thng"),  # a letter missing
        ("One thing", "thingg"),  # a letter too many
        *(
            ("One thing", typed)
            for typed in ("xhing", "txing", "thxng", "thixg", "ting", "hing", "txhing", "thxing")
        ),
        *(("Buy milk", typed) for typed in ("mxlk", "mixk", "xilk", "mxilk", "miilk", "mlik")),
        *(("The ladder", typed) for typed in ("laxder", "lxdder", "lader", "laddder", "adder", "lladder")),
        ("For tomorrow", "tommorow"),  # two errors in a long word
        ("Meeting with Zoë", "meetnig zoe"),
        ("Документы", "докмуенты"),
    ],
)
def test_typing_errors_are_found_after_all_others(alice: Person, title: str, query: str) -> None:
    post_task(alice, title=title)
    post_task(alice, title="Something else")
    assert found(alice, query) == [title]
    exact = post_task(alice, title=f"{query} as typed")
    assert search(alice, query)[0]["id"] == exact["id"]
    assert marked(search(alice, query)[1]) != []


@pytest.mark.parametrize(
    ("title", "query"),
    [
        ("One thing", "thxxg"),
        ("Buy tea", "tae"),
        ("明天买牛奶", "明天卖牛奶"),
        ("Buy milk", "market"),
        ("One thing for you two", "one tihng for you two"),  # too many words
    ],
)
def test_what_is_no_small_error_is_not_found(alice: Person, title: str, query: str) -> None:
    post_task(alice, title=title)
    assert search(alice, query) == []


def test_swapped_letters_are_found_in_descriptions_and_comments_too(alice: Person) -> None:
    task = post_task(alice, description="Bring the ladder")
    post_comment(alice, task, "Which ladder?")
    assert [each["kind"] for each in search(alice, "laddre")] == ["task", "comment"]
    assert [marked(each) for each in search(alice, "laddre")] == [["ladder"], ["ladder"]]


def test_long_texts_of_a_page_are_read_up_to_a_limit(alice: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    for n in range(3):
        post_task(alice, title=f"Dig {n}", description=f"{'Long. ' * 100}ladder")
    monkeypatch.setattr(snippets, "CHARACTERS_MAX", 1000)
    assert [marked(each) for each in search(alice, "ladder")] == [["ladder"], [], []]


def test_a_match_that_is_longer_than_the_snippet_is_marked_to_its_end(alice: Person) -> None:
    post_task(alice, title="Dig", description="的" * 161)
    post_task(alice, title="Dig", description="Long. " * 40 + "的" * 500)
    assert sorted(each["snippet"]["marks"] for each in search(alice, "的")) == [[[0, 160]], [[36, 160]]]


class CountingWanted(Wanted):
    """Counts the words that it is compared with."""

    compared = 0

    def begun_by(self, word: str) -> list[str]:
        self.compared += 1
        return super().begun_by(word)


@pytest.mark.parametrize(
    ("text", "compared"), [("的天" * 10_000, snippets.LENGTH), ("的" * 1000, 1000), ("天" * 1000 + "的", 1001)]
)
def test_matches_are_looked_for_no_further_than_a_snippet_shows(text: str, compared: int) -> None:
    wanted = CountingWanted("的 天")
    list(snippets.snippets([[("description", text)]], wanted))
    assert wanted.compared == compared


def test_a_snippet_marks_words_as_they_are_and_mistyped_ones(alice: Person) -> None:
    post_task(alice, title="Meeting with Zoë", description="Zoë chairs the meeting")
    (result,) = search(alice, "zoe meetnig")
    assert (result["snippet"]["field"], marked(result)) == ("title", ["Meeting", "Zoë"])


def test_errors_are_not_considered_if_enough_is_found(alice: Person) -> None:
    post_task(alice, title="thign")
    for _ in range(finding.FEW):
        post_task(alice, title="thing")
    assert set(found(alice, "thing")) == {"thing"}


def test_a_filter_narrows_tasks_and_comments(alice: Person) -> None:
    work = make_project(alice, name="Work")
    label = make(alice, "labels", name="urgent")
    inside = post_task(alice, title="Call Bob", project_id=work["id"], labels=[label["id"]])
    post_comment(alice, inside, "Call again")
    outside = post_task(alice, title="Call Carol")
    post_comment(alice, outside, "Call later")
    assert found(alice, "call", filter="label:urgent & in:Work") == ["Call Bob", "Call again"]
    assert found(alice, "call", filter="!label:urgent") == ["Call Carol", "Call later"]
    assert found(alice, "clal", filter="label:urgent") == ["Call Bob", "Call again"]
    wrong = alice.api.get("/search?q=call&filter=label:nobody")
    assert pointers(wrong) == ["/filter"]
    assert pointers(alice.api.get("/search?q=call&filter=%26")) == ["/filter"]


def test_a_snippet_is_the_best_part_of_the_text(alice: Person) -> None:
    description = f"{'Intro. ' * 100}Then bring the <b>ladder</b>, please. {'Rest. ' * 100}"
    post_task(alice, title="Roof", description=description)
    (result,) = search(alice, "ladder")
    snippet = result["snippet"]
    assert snippet["field"] == "description"
    assert snippet["text"] in description
    assert len(snippet["text"]) == 160
    assert marked(result) == ["ladder"]
    assert snippet["text"].startswith("Intro.")
    assert [each["snippet"]["field"] for each in search(alice, "roof")] == ["title"]
    assert [each["snippet"]["field"] for each in search(alice, "roof bring ladder")] == ["description"]


def test_pages_continue_after_the_last_result(alice: Person) -> None:
    titles = [post_task(alice, title=f"Dig {n}")["title"] for n in range(5)]
    post_task(alice, title="Digger")
    pages, cursor = [], ""
    while cursor is not None:
        page = alice.api.get(f"/search?q=dig&limit=2{cursor and f'&cursor={cursor}'}").json()
        pages.append([each["data"]["title"] for each in page["results"]])
        cursor = page["next_cursor"]
    assert pages == [["Dig 4", "Dig 3"], ["Dig 2", "Dig 1"], ["Dig 0", "Digger"]]
    assert titles


def test_a_cursor_is_of_one_query_and_filter(alice: Person) -> None:
    for n in range(3):
        post_task(alice, title=f"Dig {n} daisies")
    queries = ["q=dig", "q=dai", "q=dig&filter=is:open", "q=dig&filter=no:label"]
    cursors = {each: alice.api.get(f"/search?{each}&limit=1").json()["next_cursor"] for each in queries}
    for query in queries:
        for other, cursor in cursors.items():
            answer = alice.api.get(f"/search?{query}&limit=2&cursor={cursor}")
            if other == query:
                assert len(answer.json()["results"]) == 2
            else:
                assert pointers(answer) == ["/cursor"], (query, other)
                assert answer.json()["errors"][0]["code"] == "invalid_cursor"


def test_only_the_newest_of_many_matches_are_ranked(alice: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finding, "CANDIDATES_MAX", 2)
    for n in range(3):
        post_task(alice, title=f"Dig {n}")
    assert found(alice, "dig") == ["Dig 2", "Dig 1"]


def test_older_documents_are_searched_after_the_recent_ones(alice: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finding, "RECENT", 2)
    for n in range(4):
        post_comment(alice, post_task(alice, title=f"Digging {n}", priority=n % 2), f"Digging deeper {n}")
    everything = [f"Digging {n}" for n in (3, 2, 1, 0)], [f"Digging deeper {n}" for n in (3, 2, 1, 0)]
    assert found(alice, "digging") == [*everything[0], *everything[1]]
    assert found(alice, "diggign") == [*everything[0], *everything[1]]
    assert found(alice, "digging", filter="no:priority") == [*everything[0][1::2], *everything[1][1::2]]
    monkeypatch.setattr(finding, "CANDIDATES_MAX", 2)
    monkeypatch.setattr(finding, "FEW", 2)
    assert found(alice, "digging") == ["Digging 3", "Digging deeper 3"], "enough are recent"


def test_an_unchanged_page_is_not_sent_again(alice: Person) -> None:
    post_task(alice)
    tag = alice.api.get("/search?q=dig")["ETag"]
    assert alice.api.get("/search?q=dig", headers={"If-None-Match": tag}).status_code == 304


@pytest.mark.parametrize(
    "text",
    [
        *("'", '"', "\\", "'; --", "a' | 'b", "'a':*", "!a", "a & !b", "(a", "<->", "%", "_", "%s", "*", "a:*"),
        *(
            "\u202e\u200b",
            "\ufeff",
            "\ud7ff",
            "\U0010ffff",
            "e" + "\u0301" * 199,
            "ﷺ" * 200,
            "a " * 100,
            "一" * 200,
        ),
        *("\x01\x1f", "\u1100\u1161\u11a8", "ǅ", "İıŉ", "a\tb\nc"),
    ],
)
def test_hostile_texts_are_only_words(alice: Person, text: str) -> None:
    post_task(alice, title="Something else", description="a b")
    results = search(alice, text[:199] + "q")
    assert results == [], "a word with q is nowhere"
    assert alice.api.get(f"/search?{urlencode({'q': text})}").status_code in (200, 400)


def test_half_a_character_is_no_word(alice: Person) -> None:
    assert alice.api.get("/search?q=%ed%a0%80").json()["results"] == []


@pytest.mark.parametrize("text", ["ﷺ" * 499, "e" + "\u0301" * 499, "𠀀" * 499, "a" * 500, "🎉" * 500])
def test_hostile_titles_are_stored(alice: Person, text: str) -> None:
    task = post_task(alice, title=text, description=text * 100)
    assert [each["id"] for each in search(alice, text[:40])] == [task["id"]]


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("", "/q"),
        ("q=", "/q"),
        ("q=%20", "/q"),
        (f"q={'a' * 201}", "/q"),
        ("q=%00", "/q"),
        ("q=a&q=b", "/q"),
        ("q=a&limit=0", "/limit"),
        ("q=a&cursor=x", "/cursor"),
        ("q=a&cursor=" + quote("WzEsIngiXQ"), "/cursor"),
        ("q=a&filter=", "/filter"),
        ("q=a&text=b", "/text"),
    ],
)
def test_wrong_parameters_are_named(alice: Person, query: str, pointer: str) -> None:
    assert pointers(alice.api.get(f"/search?{query}")) == [pointer]


def test_a_search_needs_the_read_scope(person: Any, anonymous: Any) -> None:
    writer = person("dora", scopes=("write",))
    assert writer.api.get("/search?q=a").status_code == 403
    assert anonymous.get("/search?q=a").status_code == 401
