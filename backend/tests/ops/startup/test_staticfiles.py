"""What stays, appears and goes in the static volume when releases come and go."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as live_settings
from django.contrib.staticfiles import finders
from django.core.management import CommandError, call_command
from django.template.loader import get_template
from django.test import Client

from todo_project.ops.startup.publishing import is_published, publish
from todo_project.ops.startup.staticfiles import BuildManifestStorage


def make_build(folder: Path, identity: str, files: dict[str, str]) -> Path:
    build = folder / f"image-{identity}"
    for name, content in files.items():
        (build / name).parent.mkdir(parents=True, exist_ok=True)
        (build / name).write_text(content)
    (build / "staticfiles.json").write_text(
        json.dumps({"paths": {"a.css": "a.1.css"}, "version": "1.1", "hash": identity})
    )
    return build


@pytest.fixture
def volume(tmp_path: Path) -> Path:
    return tmp_path / "volume"


def test_a_new_image_is_served_whatever_the_volume_holds(tmp_path: Path, volume: Path) -> None:
    new = make_build(tmp_path, "new", {"a.css": "new", "deep/er/b.js": "b", "a.css.gz": "z"})
    volume.mkdir()
    (volume / "a.css").write_text("old")
    # the volume's file looks newer, as after a rollback: dates decide nothing
    os.utime(volume / "a.css", (4_000_000_000, 4_000_000_000))
    assert not is_published(build=new, root=volume)
    done = publish(build=new, root=volume)
    assert (done.build, done.copied, done.unchanged) == ("new", 3, 0)
    assert (volume / "a.css").read_text() == "new"
    assert (volume / "deep/er/b.js").stat().st_mode & 0o777 == 0o644
    assert not (volume / "staticfiles.json").exists()
    assert is_published(build=new, root=volume)


def test_equal_files_of_another_date_are_left_alone(tmp_path: Path, volume: Path) -> None:
    build = make_build(tmp_path, "one", {"a.css": "same"})
    publish(build=build, root=volume)
    before = (volume / "a.css").stat().st_ino
    os.utime(build / "a.css", (1, 1))
    assert publish(build=build, root=volume).unchanged == 1
    assert (volume / "a.css").stat().st_ino == before


def test_the_last_three_builds_stay_and_what_only_older_ones_had_goes(tmp_path: Path, volume: Path) -> None:
    for number in range(1, 6):
        files = {f"page.{number}.css": "x", "shared.css": "y", "admin/deep.css": "z"}
        publish(build=make_build(tmp_path, f"b{number}", files), root=volume)
    (volume / "an-operators-own.txt").write_text("kept")
    publish(build=make_build(tmp_path, "b5", {}), root=volume)
    assert sorted(path.name for path in volume.glob("page.*")) == ["page.3.css", "page.4.css", "page.5.css"]
    assert (volume / "shared.css").exists()
    assert (volume / "admin/deep.css").exists()
    assert (volume / "an-operators-own.txt").exists()
    assert sorted(path.name for path in volume.glob("build-*.json")) == [
        "build-b3.json",
        "build-b4.json",
        "build-b5.json",
    ]


def test_the_build_that_is_published_last_is_the_newest_whatever_the_clock_says(
    tmp_path: Path, volume: Path, time_machine: Any
) -> None:
    time_machine.move_to("2026-11-24T12:00:00Z", tick=False)
    for number in range(9):
        publish(build=make_build(tmp_path, f"b{9 - number}", {f"{number}.css": "x"}), root=volume)
    time_machine.move_to("2026-11-23T12:00:00Z", tick=False)
    publish(build=make_build(tmp_path, "b0", {"9.css": "x"}), root=volume)
    assert sorted(path.name for path in volume.glob("*.css")) == ["7.css", "8.css", "9.css"]


def test_going_back_to_an_older_image_makes_its_build_the_newest(tmp_path: Path, volume: Path) -> None:
    builds = [make_build(tmp_path, f"b{number}", {f"{number}.css": "x"}) for number in range(4)]
    for build in [*builds[:3], builds[0], builds[3]]:
        publish(build=build, root=volume)
    assert (volume / "0.css").exists()
    assert not (volume / "1.css").exists()


def test_replicas_that_publish_at_once_leave_a_whole_volume(tmp_path: Path, volume: Path) -> None:
    builds = [
        make_build(tmp_path, f"b{number}", {f"{number}-{file}.css": "x" * 1000 for file in range(20)})
        for number in range(3)
    ]
    failures: list[BaseException] = []

    def replica(build: Path) -> None:
        try:
            publish(build=build, root=volume)
        except BaseException as error:
            failures.append(error)
            raise

    threads = [threading.Thread(target=replica, args=(build,)) for build in builds * 3]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert len(list(volume.glob("*.css"))) == 60
    assert not list(volume.rglob(".new-*"))


class TestCommand:
    def test_publishes_the_images_build(
        self, tmp_path: Path, volume: Path, settings: Any, caplog: pytest.LogCaptureFixture
    ) -> None:
        settings.STATIC_BUILD_DIR = make_build(tmp_path, "one", {"a.css": "a"})
        settings.STATIC_ROOT = volume
        with caplog.at_level("INFO"):
            call_command("collectstatic", interactive=False)
        assert f"build one published into {volume}: 1 copied" in caplog.text
        assert (volume / "a.css").exists()

    def test_a_dry_run_writes_nothing(self, tmp_path: Path, volume: Path, settings: Any) -> None:
        settings.STATIC_BUILD_DIR = make_build(tmp_path, "one", {"a.css": "a"})
        settings.STATIC_ROOT = volume
        call_command("collectstatic", interactive=False, dry_run=True)
        assert not volume.exists()

    def test_is_djangos_own_without_a_build(self, tmp_path: Path, volume: Path, settings: Any) -> None:
        settings.STATIC_BUILD_DIR = tmp_path / "nothing"
        settings.STATIC_ROOT = str(volume)
        call_command("collectstatic", interactive=False)
        assert (volume / "ops/start.css").exists()

    def test_says_why_it_could_not(self, tmp_path: Path, settings: Any) -> None:
        settings.STATIC_BUILD_DIR = make_build(tmp_path, "one", {"a.css": "a"})
        settings.STATIC_ROOT = tmp_path / "a-file"
        settings.STATIC_ROOT.write_text("")
        with pytest.raises(
            CommandError,
            match=rf"User \d+ could not write the static files into {tmp_path}/a-file: .*chown -R {os.getuid()} ",
        ):
            call_command("collectstatic", interactive=False)


class TestStorage:
    def test_reads_the_manifest_of_the_image_and_not_of_the_volume(
        self, tmp_path: Path, volume: Path, settings: Any
    ) -> None:
        settings.DEBUG = False
        settings.STATIC_BUILD_DIR = make_build(tmp_path, "one", {"a.css": "a"})
        volume.mkdir()
        (volume / "staticfiles.json").write_text(
            json.dumps({"paths": {"a.css": "a.stale.css"}, "version": "1.1", "hash": "stale"})
        )
        assert BuildManifestStorage(location=str(volume)).url("a.css") == "/static/a.1.css"

    def test_without_a_build_the_manifest_lies_beside_the_files(
        self, tmp_path: Path, volume: Path, settings: Any
    ) -> None:
        settings.STATIC_BUILD_DIR = tmp_path / "nothing"
        volume.mkdir()
        storage = BuildManifestStorage(location=str(volume))
        assert storage.manifest_storage is storage


@pytest.mark.django_db
def test_readiness_fails_until_this_builds_files_are_published(
    tmp_path: Path, volume: Path, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    old, new = (make_build(tmp_path, name, {"a.css": name}) for name in ("old", "new"))
    publish(build=old, root=volume)
    settings.STATIC_BUILD_DIR, settings.STATIC_ROOT = new, volume
    response = Client().get("/health/ready")
    assert (response.status_code, response.json()["checks"]["static"]) == (503, "failed")
    assert "lacks this build" in caplog.text
    publish(build=new, root=volume)
    assert Client().get("/health/ready").status_code == 200
    (new / "staticfiles.json").write_text("not json")
    assert Client().get("/health/ready").status_code == 503


@pytest.mark.parametrize("template", ["ops/start.html", "admin/base_site.html", "drf_spectacular/swagger_ui.html"])
def test_every_static_file_that_a_template_names_exists(template: str) -> None:
    source = Path(get_template(template).origin.name).read_text()
    names = [part.split('"')[0] for part in source.split('{% static "')[1:]]
    assert names
    for name in names:
        assert finders.find(name), name


def test_a_checkout_has_no_build() -> None:
    assert not live_settings.STATIC_BUILD_DIR.exists()
