"""Pull the images of a release from a registry.

On the host an image keeps its local name, `todo-backend:TAG`, which the Compose files name. An image that was
named by its digest gets a tag that begins with `sha256-`.
"""

from __future__ import annotations

import re

from host.console import Console, Failure
from host.stack import Stack

from . import images
from .history import Target

PULL_SECONDS = 3600.0
_TAG = re.compile(r"\w[\w.-]{0,127}")
_NAME = re.compile(
    r"(?P<folder>[^@\s]+/)(?P<image>[^/:@\s]+)(?::(?P<tag>[\w.-]+))?(?:@sha256:(?P<digest>[0-9a-f]{64}))?"
)
_MISSING = re.compile(r"not found|manifest unknown|does not exist", re.IGNORECASE)


def obtain(stack: Stack, console: Console, wanted: str) -> str:
    """Return the tag on this host of the image to deploy, after pulling it if it is not here.

    `wanted` is a tag, or the name of an image in a registry with its tag or its digest.
    """
    if _TAG.fullmatch(wanted):
        repository = stack.values.get("IMAGE_REPOSITORY", "")
        if repository and images.find(stack, f"{images.BACKEND}:{wanted}") is None:
            name = f"{repository}/{images.BACKEND}:{wanted}"
            with console.step(f"pulling {name}"):
                _pull(stack, name, f"{images.BACKEND}:{wanted}")
                _pull_others(stack, console, f"{repository}/", version=wanted, tag=wanted)
        return wanted
    named = _NAME.fullmatch(wanted)
    if not named or not (named["tag"] or named["digest"]):
        raise Failure(
            f"{wanted!r} is neither a tag nor the name of an image in a registry",
            "write a tag, or REPOSITORY/todo-backend:TAG, or REPOSITORY/todo-backend@sha256:DIGEST",
            code=2,
        )
    return _obtain_by_name(stack, console, wanted, named)


def _obtain_by_name(stack: Stack, console: Console, wanted: str, named: re.Match[str]) -> str:
    tag = f"sha256-{named['digest'][:12]}" if named["digest"] else named["tag"]
    with console.step(f"pulling {wanted}"):
        is_pulled = _pull(stack, wanted, f"{images.BACKEND}:{tag}")
        version = images.require(stack, tag).version
        if is_pulled and named["image"] == images.BACKEND and _TAG.fullmatch(version):
            _pull_others(stack, console, named["folder"], version=version, tag=tag)
    return tag


def bring_back(stack: Stack, console: Console, target: Target) -> str:
    """Return a tag of the image of an earlier release, after pulling it if it has left the host.

    It is another one than that of the release, `kept-…`, if somebody has built another image with that tag since.
    """
    name = f"{images.BACKEND}:{target.tag}"
    if images.find(stack, target.image):
        if images.find(stack, name) is None:
            stack.run("docker", "tag", target.image, name)
        return images.keep_tag(stack, name, target.image)
    problem = missing(stack, target)
    if problem:
        raise problem
    tag = images.kept_tag(target.image) if images.find(stack, name) else target.tag
    source = pullable(target.digests)[0]
    with console.step(f"pulling {source}, because the image of {target.tag} is no longer on this host"):
        _pull(stack, source, f"{images.BACKEND}:{tag}")
    return tag


def missing(stack: Stack, target: Target) -> Failure | None:
    """Return the error of a rollback whose image is neither on this host nor in a known registry."""
    if pullable(target.digests) or images.find(stack, target.image):
        return None
    return Failure(
        f"{images.BACKEND}:{target.tag} ({target.image}), which served before, was removed from this host",
        "load it with `docker load`, or check out its revision and deploy that. `docker image prune --all` removes "
        f"what a rollback needs; deploy/release/prune {stack.env} keeps it",
    )


def pullable(digests: tuple[str, ...]) -> list[str]:
    """Return the digests that name a registry; those of images that were only built here name none."""
    return [each for each in digests if re.match(r"[^/]*[.:][^/]*/|localhost/", each)]


def _pull(stack: Stack, source: str, name: str) -> bool:
    """Give an image of a registry its local name, and return whether it had to be pulled for that.

    A name with a tag is always pulled, because the tag may have moved; one with a digest only if it is not here.
    """
    is_here = "@" in source and images.find(stack, source) is not None
    if not is_here:
        done = stack.run("docker", "pull", "--quiet", source, check=False, timeout=PULL_SECONDS)
        if done.returncode:
            raise Failure(
                f"{source} cannot be pulled: {done.stderr.strip()}",
                "check the name and the tag; if the registry refused you, run `docker login` for it",
            )
    stack.run("docker", "tag", source, name)
    return not is_here


def _pull_others(stack: Stack, console: Console, folder: str, *, version: str, tag: str) -> None:
    """Pull the proxy's and the backups' image of the same version, as far as the registry has them."""
    for image in (images.PROXY, images.BACKUP):
        source = f"{folder}{image}:{version}"
        done = stack.run("docker", "pull", "--quiet", source, check=False, timeout=PULL_SECONDS)
        if done.returncode == 0:
            stack.run("docker", "tag", source, f"{image}:{tag}")
        elif _MISSING.search(done.stderr):
            console.note(f"  {source} is not in the registry: the running {image} stays")
        else:
            raise Failure(f"{source} cannot be pulled: {done.stderr.strip()}", "fix the cause, then deploy again")
