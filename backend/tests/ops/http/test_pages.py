"""The pages for operators and developers."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

import pytest
from django.test import Client


class TestVersion:
    def test_says_what_runs(self, client: Client) -> None:
        body = client.get("/version").json()
        assert set(body) == {"name", "version", "revision", "environment"}
        assert body["environment"] == "test"

    def test_takes_no_writes(self) -> None:
        response = Client(enforce_csrf_checks=True).post("/version")
        assert response.status_code == 405


class Page(HTMLParser):
    """What a page loads and what it would run."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.inline: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "a" and given.get("href"):
            self.links.append(str(given["href"]))
        self.loaded += [str(given[name]) for name in ("src",) if name in given]
        if tag == "link":
            self.loaded.append(str(given["href"]))
        if tag == "style" or "style" in given or any(name.startswith("on") for name in given):
            self.inline.append(tag)
        if tag == "script" and "src" not in given:
            self.inline.append(tag)


class TestStartPage:
    @pytest.mark.parametrize("environment", ["staging", "prod", "test"])
    def test_is_nowhere_but_in_development(self, client: Client, settings: Any, environment: str) -> None:
        settings.ENVIRONMENT = environment
        response = client.get("/")
        assert response.status_code == 404
        assert response.headers["Content-Type"] == "application/problem+json"

    def test_says_what_runs_here_and_every_link_leads_somewhere(
        self, client: Client, settings: Any, db: None
    ) -> None:
        settings.ENVIRONMENT = "dev"
        response = client.get("/")
        text = response.content.decode()
        page = Page(text)
        assert response.headers["Content-Security-Policy"].startswith("default-src 'self'")
        assert page.inline == []
        assert all(address.startswith("/static/") for address in page.loaded)
        for fact in ("SQLite" if "sqlite" in text.lower() else "PostgreSQL", "Hot reload", "Django", "Python"):
            assert fact in text
        assert "demo@example.org" in text
        assert "demo-password" in text
        assert "http://testserver/api/v1/auth/login" in text
        assert "python -m todo_project.config show --env dev" in text
        links = [link for link in page.links if not link.startswith("#")]
        assert {"/api/docs/", "/admin/", "/health/ready", "/metrics", "/version"} <= set(links)
        for link in links:
            assert client.get(link, follow=True).status_code == 200, link


@pytest.mark.django_db
class TestAdmin:
    @pytest.mark.parametrize(
        ("environment", "name"),
        [("dev", "Development"), ("staging", "Staging"), ("prod", "Production"), ("test", "Test")],
    )
    def test_says_loudly_which_environment_it_is(
        self, client: Client, settings: Any, environment: str, name: str
    ) -> None:
        settings.ENVIRONMENT = environment
        text = client.get("/admin/login/").content.decode()
        assert f"environment-{environment}" in text
        assert f">{name}</strong>" in text
        assert f"To-do {name}</title>" in text
        assert 'rel="icon"' in text
        assert Page(text).inline == []

    def test_pages_have_nothing_inline_that_the_policy_forbids(self, admin_client: Client) -> None:
        response = admin_client.get("/admin/")
        assert response.status_code == 200
        assert Page(response.content.decode()).inline == []


def test_the_api_docs_run_under_the_policy_and_load_nothing_from_elsewhere(client: Client, db: None) -> None:
    response = client.get("/api/docs/")
    page = Page(response.content.decode())
    assert response.status_code == 200
    assert page.inline == []
    assert page.loaded
    assert all(address.startswith(("/static/", "/api/docs/")) for address in page.loaded)
    script = client.get(next(address for address in page.loaded if address.startswith("/api/docs/")))
    assert b"openapi.json" in script.content
