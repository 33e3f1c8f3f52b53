"""Find the images of a release on this host, or build them from the checkout. registry.py pulls them."""

from __future__ import annotations

import json
from dataclasses import dataclass

from host.console import Failure
from host.stack import Stack

BACKEND, PROXY, BACKUP = "todo-backend", "todo-proxy", "todo-backup"
OURS = (BACKEND, PROXY, BACKUP)
_OWN_TAG = (
    f"build the image with a tag of your own: docker build --tag {BACKEND}:TAG backend; deploy it with --image TAG"
)


@dataclass(frozen=True)
class Image:
    """An image on this host."""

    id: str
    digests: tuple[str, ...]
    version: str
    revision: str
    names: tuple[str, ...] = ()


def find(stack: Stack, name: str) -> Image | None:
    """Return an image by its name and tag or by its id, or None if it is not on this host."""
    result = stack.run("docker", "image", "inspect", name, check=False)
    if result.returncode:
        return None
    image = json.loads(result.stdout)[0]
    values = dict(line.split("=", 1) for line in image["Config"].get("Env") or [])
    return Image(
        id=image["Id"],
        names=tuple(image.get("RepoTags") or ()),
        digests=tuple(image.get("RepoDigests") or ()),
        version=values.get("APP_VERSION", ""),
        revision=values.get("APP_REVISION", ""),
    )


def require(stack: Stack, tag: str) -> Image:
    """Return the backend's image with a tag, or raise Failure if it is not on this host."""
    image = find(stack, f"{BACKEND}:{tag}")
    if image is None:
        raise Failure(
            f"{BACKEND}:{tag} is not on this host",
            "build it from the checkout (deploy without --image), load it with `docker load`, "
            f"or set IMAGE_REPOSITORY in {stack.env_file}, from which deploy pulls it",
        )
    return image


def keep_tag(stack: Stack, name: str, running: str) -> str:
    """Return a tag of a running image. If its tag now names another image, give it a new one, `kept-…`."""
    repository, _, tag = name.rpartition(":")
    image = find(stack, name)
    if image and image.id == running:
        return tag
    kept = kept_tag(running)
    stack.run("docker", "tag", running, f"{repository}:{kept}")
    return kept


def kept_tag(image: str) -> str:
    """Return the tag for an image whose own tag now names another one."""
    return f"kept-{image.rpartition(':')[2][:12]}"


def build(stack: Stack) -> str:
    """Build the checkout's images with its revision as their tag, and return the tag."""
    revision = _git(stack, "rev-parse", "--short", "HEAD")
    if revision.isdigit():  # such as 20261129, a tag that builds by hand may have (docs/adr/0031)
        revision = _git(stack, "rev-parse", "HEAD")
    if _git(stack, "status", "--porcelain"):
        raise Failure(
            "the checkout has uncommitted changes, so the revision would not identify the code",
            f"commit them, or {_OWN_TAG}",
        )
    stack.compose(
        "build", timeout=3600, extra={"IMAGE_TAG": revision, "APP_REVISION": revision, "PROXY_TAG": revision}
    )
    return revision


def _git(stack: Stack, *arguments: str) -> str:
    result = stack.run("git", *arguments, check=False)
    if result.returncode:
        raise Failure(
            f"git cannot tell the revision to tag the images with:\n{result.stderr.strip()}",
            f"correct that; or {_OWN_TAG}",
        )
    return result.stdout.strip()
