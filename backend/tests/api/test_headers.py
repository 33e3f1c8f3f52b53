"""Vary, joined as Django joins it."""

from __future__ import annotations

import pytest
from django.http import HttpResponse
from django.utils.cache import patch_vary_headers

from todo_project.api.headers import vary_on


@pytest.mark.parametrize("given", [None, "", "Cookie", "Accept, cookie", "origin", "*", "Accept,*"])
@pytest.mark.parametrize("names", [("Authorization", "Cookie"), ("origin",), ("*",)])
def test_it_says_what_djangos_own_function_says(given: str | None, names: tuple[str, ...]) -> None:
    headers = {} if given is None else {"Vary": given}
    ours, djangos = HttpResponse(headers=headers), HttpResponse(headers=headers)
    for _ in range(2):
        vary_on(ours, *names)
        patch_vary_headers(djangos, names)
        assert ours.headers["Vary"] == djangos.headers["Vary"]
