"""This will find the images of a release on this host, and build them from a checkout."""

from __future__ import annotations

import json
from dataclasses import dataclass

from host.console import Refused
from host.stack import Stack

BACKEND, PROXY = "todo-backend", "todo-proxy"


@dataclass(frozen=True)
class Image:
    """An image on this host."""

    id: str
    digests: tuple[str, ...]
    version: str
    revision: str


def find(stack: Stack, name: str) -> Image | None:
    """Return an image by its name and tag or by its id, if this host has it."""
    told = stack.run("docker", "image", "inspect", name, check=False)
    if told.returncode:
        return None
    image = json.loads(told.stdout)[0]
    values = dict(line.split("=", 1) for line in image["Config"].get("Env") or [])
    return Image(
        id=image["Id"],
        digests=tuple(image.get("RepoDigests") or ()),
        version=values.get("APP_VERSION", ""),
        revision=values.get("APP_REVISION", ""),
    )


def need(stack: Stack, tag: str) -> Image:
    """Return the backend's image of a tag; raises Refused when this host does not have it."""
    image = find(stack, f"{BACKEND}:{tag}")
    if image is None:
        raise Refused(
            f"{BACKEND}:{tag} is not on this host",
            "build it from the checkout (the command without --image), or bring it with `docker load`",
        )
    return image


def keep(stack: Stack, name: str, running: str) -> str:
    """Return a tag under which a running image stays: its own, or another when that was built anew meanwhile."""
    repository, _, tag = name.rpartition(":")
    image = find(stack, name)
    if image and image.id == running:
        return tag
    kept = f"kept-{running.rpartition(':')[2][:12]}"
    stack.run("docker", "tag", running, f"{repository}:{kept}")
    return kept


def build(stack: Stack) -> str:
    """This will build the checkout's images under its revision and return that tag."""
    revision = _git(stack, "rev-parse", "--short", "HEAD")
    if _git(stack, "status", "--porcelain"):
        raise Refused(
            "the checkout has changes that are not committed, so its revision would not say what runs",
            "commit them, or build under a name of your own and give that with --image",
        )
    stack.compose(
        "build", timeout=3600, extra={"IMAGE_TAG": revision, "APP_REVISION": revision, "PROXY_TAG": revision}
    )
    return revision


def _git(stack: Stack, *arguments: str) -> str:
    told = stack.run("git", *arguments, check=False)
    if told.returncode:
        raise Refused(
            "this folder is not a git checkout, so a build would have no revision for a name",
            "build the images under a tag and give that with --image",
        )
    return told.stdout.strip()
