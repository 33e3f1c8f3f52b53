"""`manage.py demo_data`: create an account with example projects, labels and tasks."""

from __future__ import annotations

import datetime as dt
import uuid
from argparse import ArgumentParser
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils import timezone

from todo_project.accounts.models import User
from todo_project.accounts.services import registration
from todo_project.todos.services import completion, labels, projects, sections, tasks
from todo_project.todos.services.fields import TaskFields

EMAIL: Final = "demo@example.org"
PASSWORD: Final = "demo-password"  # noqa: S105 - for everybody to know, in dev and test only
ZONE: Final = "Europe/Berlin"

LABELS: Final = {
    "errand": "#f59e0b",
    "phone": "#3b82f6",
    "waiting": "#6b7280",
    "focus": "#8b5cf6",
    "ten minutes": "#10b981",
}
# name: colour, the project that holds it, its sections
PROJECTS: Final[dict[str, tuple[str, str | None, list[str]]]] = {
    "Work": ("#3b82f6", None, []),
    "Website relaunch": ("#6366f1", "Work", ["Design", "Build", "Launch"]),
    "Team": ("#0ea5e9", "Work", []),
    "Home": ("#10b981", None, ["Kitchen", "Garden"]),
    "Trips": ("#f59e0b", None, []),
    "Lisbon in spring": ("#f97316", "Trips", ["Before", "There"]),
    "Reading": ("", None, []),
    "The move": ("#6b7280", None, []),
}
ARCHIVED: Final = "The move"


class Demo(NamedTuple):
    """A task: its place ("project" or "project/section"), its due date in days from today, its time of day."""

    place: str
    title: str
    due: int | None = None
    at: str = ""
    priority: int = 0
    labels: tuple[str, ...] = ()
    rule: str = ""
    mode: str = "schedule"
    description: str = ""
    is_done: bool = False
    below: tuple[str, ...] = ()


TASKS: Final = [
    Demo("Inbox", "Reply to Jonas about Saturday", due=0, labels=("ten minutes",)),
    Demo("Inbox", "Look up how to renew the library card"),
    Demo(
        "Website relaunch/Design",
        "Agree on the new start page",
        due=1,
        at="15:30",
        priority=4,
        labels=("focus",),
        description="Three drafts are in the shared folder. Decide on one, not on a mixture.",
        below=("Collect the team's comments", "Check the contrast of both themes"),
    ),
    Demo("Website relaunch/Design", "Choose two typefaces", due=-2, is_done=True),
    Demo("Website relaunch/Build", "Move the blog's old addresses", due=5, priority=2),
    Demo("Website relaunch/Build", "Ask the host for the access data", priority=3, labels=("waiting", "phone")),
    Demo(
        "Website relaunch/Launch",
        "Go through the launch list",
        due=12,
        below=("Backup restored once", "Redirects tested", "Old server kept for a month"),
    ),
    Demo("Team", "Weekly meeting", due=2, at="10:00", rule="FREQ=WEEKLY"),
    Demo("Team", "Prepare the talk with Amara", due=3, priority=2, labels=("focus",)),
    Demo("Home", "Pay the rent", due=6, rule="FREQ=MONTHLY;BYMONTHDAY=-1", priority=3),
    Demo("Home", "Change the smoke detector's battery", due=-1, priority=4, labels=("errand",)),
    Demo("Home/Kitchen", "Descale the kettle", due=4, rule="FREQ=WEEKLY;INTERVAL=6", mode="completion"),
    Demo("Home/Garden", "Water the tomatoes", due=0, at="19:00", rule="FREQ=DAILY;INTERVAL=2", mode="completion"),
    Demo("Home/Garden", "Cut back the roses", due=9),
    Demo(
        "Lisbon in spring/Before",
        "Book the train",
        due=7,
        priority=3,
        below=("Compare the night train", "Reserve the bicycle place"),
    ),
    Demo("Lisbon in spring/Before", "Check the passports", due=-4, is_done=True),
    Demo("Lisbon in spring/There", "Ride tram 28 before nine"),
    Demo("Reading", "Finish the chapter on tides", due=0, labels=("focus",)),
    Demo("The move", "Hand over the old keys", due=-60, is_done=True),
]


class Command(BaseCommand):
    """Create the demo account; in development and tests only."""

    help = f"Create the account {EMAIL} with example projects, labels and tasks (in dev and test only)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--if-empty", action="store_true", help="do nothing if any other account exists")

    def handle(self, *args: Any, **options: Any) -> None:
        """Create the account unless it exists, and print how to log in."""
        if settings.ENVIRONMENT not in {"dev", "test"}:
            raise CommandError(
                f"Demo data cannot be created in {settings.ENVIRONMENT}, because everybody knows the password. "
                "Run this command in dev or test."
            )
        if options["if_empty"] and User.objects.exclude(email=EMAIL).exists():
            self.stdout.write("No demo data was created, because there are already other accounts.")
            return
        if User.objects.filter(email=EMAIL).exists():
            self.stdout.write(f"The demo account already exists: {EMAIL} / {PASSWORD}")
            return
        with transaction.atomic():
            counts = _DemoAccount(now=timezone.now()).create()
        self.stdout.write(
            f"Created the demo account with {counts}.\n"
            f"Log in as {EMAIL} / {PASSWORD}: {settings.SITE_URL}/admin/, "
            f"or POST {settings.SITE_URL}/api/v1/auth/login"
        )


class _DemoAccount:
    def __init__(self, *, now: dt.datetime) -> None:
        self._now = now
        self._today = now.astimezone(ZoneInfo(ZONE)).date()
        self._user = User.objects.create_superuser(EMAIL, PASSWORD, name="Demo", time_zone=ZONE)
        registration.run_after_registration(user=self._user, now=now)
        self._places: dict[str, TaskFields] = {"Inbox": {}}
        self._labels: dict[str, uuid.UUID] = {}

    def create(self) -> str:
        """Create the rows and return a text with their numbers."""
        for name, color in LABELS.items():
            label = labels.create_label(user_id=self._user.pk, values={"name": name, "color": color}, now=self._now)
            self._labels[name] = label.pk
        for name in PROJECTS:
            self._project(name)
        for demo in TASKS:
            self._task(demo)
        projects.update_project(
            user_id=self._user.pk,
            project_id=self._project_id(ARCHIVED),
            changes={"is_archived": True},
            now=self._now,
        )
        count = len(TASKS) + sum(len(demo.below) for demo in TASKS)
        return f"{len(PROJECTS)} projects, {len(LABELS)} labels, {count} tasks"

    def _project(self, name: str) -> None:
        color, parent, names = PROJECTS[name]
        project = projects.create_project(
            user_id=self._user.pk,
            values={
                "name": name,
                "color": color,
                "parent_id": self._project_id(parent) if parent else None,
            },
            now=self._now,
        )
        self._places[name] = {"project_id": project.pk}
        for section_name in names:
            section = sections.create_section(
                user_id=self._user.pk,
                values={"project_id": project.pk, "name": section_name},
                now=self._now,
            )
            self._places[f"{name}/{section_name}"] = {"project_id": project.pk, "section_id": section.pk}

    def _project_id(self, name: str) -> uuid.UUID:
        project_id = self._places[name]["project_id"]
        assert project_id is not None  # noqa: S101 - for the type checker: only the Inbox has none
        return project_id

    def _task(self, demo: Demo) -> None:
        fields: TaskFields = {
            **self._places[demo.place],
            "title": demo.title,
            "description": demo.description,
            "priority": demo.priority,
            "labels": [self._labels[name] for name in demo.labels],
            "due": self._due(demo),
            "recurrence": {"rule": demo.rule, "mode": demo.mode} if demo.rule else None,
            "reminders": [{"offset_seconds": -900, "relative_to": "due"}] if demo.at else [],
        }
        task = tasks.create_task(user=self._user, fields=fields, now=self._now)
        for title in demo.below:
            tasks.create_task(user=self._user, fields={"title": title, "parent_id": task.pk}, now=self._now)
        if demo.is_done:
            completion.complete_task(user=self._user, task_id=task.pk, now=self._now)

    def _due(self, demo: Demo) -> Any:
        if demo.due is None:
            return None
        day = self._today + dt.timedelta(days=demo.due)
        if not demo.at:
            return {"date": day}
        clock = dt.time.fromisoformat(demo.at)
        at = dt.datetime.combine(day, clock, ZoneInfo(ZONE)).astimezone(dt.UTC)
        return {"at": at, "time_zone": ZONE}
