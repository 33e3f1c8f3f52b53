"""Remove the images of old releases, but keep what a rollback may need."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable
from typing import Any

from host.console import Console
from host.lock import exclusive
from host.stack import Stack, values_of

from . import images
from .journal import SUCCEEDED, Journal, Release

KEPT = 5
CACHE_HOURS = 168  # of the builds of the last week, so that the next one is still quick


def prune(arguments: list[str] | None = None) -> None:
    """Remove the images of old releases and old build cache. Keep what runs and what a rollback may need."""
    parser = argparse.ArgumentParser(prog="prune", description=prune.__doc__)
    parser.add_argument("env", metavar="ENV", help="prod, staging, or the NAME of another env file")
    parser.add_argument("--keep", type=int, default=KEPT, metavar="N", help=f"releases to keep (default {KEPT})")
    parser.add_argument("--json", action="store_true", help="print the result as one JSON object")
    args = parser.parse_args(arguments)
    if args.keep < 2:
        parser.error("--keep must be at least 2: the release that serves and the one before it")
    console = Console(as_json=args.json)
    with console.reporting(if_interrupted="run the command again"):
        stack = Stack(args.env)
        with exclusive(stack, f"prune {args.env}", console):
            result = _prune(stack, args.keep)
        console.result(_text_of(result), {"ok": True, **result})


def _prune(stack: Stack, keep: int) -> dict[str, Any]:
    releases = Journal.of(stack).releases()
    tags, ids = _needed(stack, releases, keep)
    before = _sizes(stack)
    removed = []
    for name in _known(releases):
        image = images.find(stack, name)
        if image and image.id not in ids and not _is_kept(name, tags):
            removed += _remove(stack, image)
    cache = ("docker", "builder", "prune", "--force", "--filter", f"until={CACHE_HOURS}h")
    stack.run(*cache, timeout=1800)
    return {"removed": removed, "kept": sorted(tags), "before": before, "after": _sizes(stack)}


def _needed(stack: Stack, releases: list[Release], keep: int) -> tuple[set[str], set[str]]:
    """Return the tags and the image ids that must stay."""
    recent = releases[-1:]  # it may be unfinished, and going back needs what it replaces
    tags = {tag for release in recent for tag in _tags_of(release)}
    ids = {str(each.record.get(key)) for each in recent for key in ("image", "previous_image")}
    for tag, image, proxy in _served(releases)[:keep]:
        tags |= {tag, proxy}
        ids.add(image)
    tags |= {tag for name in ("IMAGE_TAG", "PROXY_TAG") for tag in _env_files(stack, name)}
    containers = stack.run("docker", "ps", "--all", "--quiet", "--no-trunc").stdout.split()
    if containers:
        found = stack.run("docker", "inspect", "--format", "{{.Image}}", *containers, check=False)
        ids |= set(found.stdout.split())  # one container may have ended by now
    return tags, ids


def _served(releases: list[Release]) -> list[tuple[str, str, str]]:
    """Return the tag, the image and the proxy's tag of each release that served, the last one first."""
    found: dict[str, tuple[str, str, str]] = {}
    for release in reversed([each for each in releases if each.outcome == SUCCEEDED]):
        record, before = release.record, release.previous_tag
        proxies = [(record.get(key) or {}).get("PROXY_TAG") for key in ("values", "values_before")]
        found.setdefault(release.tag, (release.tag, str(record["image"]), str(proxies[0] or release.tag)))
        if before and record["kind"] != "rollback":  # what a rollback leaves is nothing to go back to
            found.setdefault(before, (before, str(record["previous_image"]), str(proxies[1] or before)))
    return list(found.values())


def _tags_of(release: Release) -> Iterable[str]:
    values = (release.record.get("values") or {}, release.record.get("values_before") or {})
    tags = (release.tag, release.previous_tag, *(each.get("PROXY_TAG") for each in values))
    return [str(tag) for tag in tags if tag]


def _env_files(stack: Stack, name: str) -> Iterable[str]:
    """Yield a variable's value in every env file of this checkout."""
    for path in stack.env_file.parent.glob("*.env"):
        values = values_of(path.read_text(encoding="utf-8", errors="replace").splitlines())
        if name in values:
            yield values[name]


def _known(releases: list[Release]) -> list[str]:
    """Return the names and ids of all images of these releases, oldest first. No others are ever removed."""
    names = []
    for release in releases:
        names += [f"{image}:{tag}" for tag in _tags_of(release) for image in images.OURS]
        names += [str(release.record[key]) for key in ("image", "previous_image") if release.record.get(key)]
    return list(dict.fromkeys(names))


def _is_kept(name: str, tags: set[str]) -> bool:
    return not name.startswith("sha256:") and name.rpartition(":")[2] in tags


def _remove(stack: Stack, image: images.Image) -> list[str]:
    """Remove an image by its names, and return those that went. A name that is not ours keeps it."""
    names = [name for name in (*image.names, *image.digests) if _short(name) in images.OURS] or [image.id]
    return [name for name in names if stack.run("docker", "image", "rm", name, check=False).returncode == 0]


def _short(name: str) -> str:
    return name.rpartition("/")[2].partition("@")[0].partition(":")[0]


def _sizes(stack: Stack) -> dict[str, str]:
    """Return what Docker says that images and build cache take on this host."""
    printed = stack.run("docker", "system", "df", "--format", "{{json .}}").stdout
    rows = {row["Type"]: row["Size"] for row in map(json.loads, printed.splitlines())}
    return {"images": rows["Images"], "build_cache": rows["Build Cache"]}


def _text_of(result: dict[str, Any]) -> str:
    before, after = result["before"], result["after"]
    lines = [f"removed {name}" for name in result["removed"]] or ["no image was removed"]
    return "\n".join([
        *lines,
        f"kept {', '.join(result['kept']) or 'nothing'}, and what containers use",
        f"images: {before['images']} before, {after['images']} now",
        f"build cache: {before['build_cache']} before, {after['build_cache']} now",
    ])  # fmt: skip
