"""This will find in the journal what served before."""

from __future__ import annotations

from dataclasses import dataclass

from host.console import Refused

from .journal import SUCCEEDED, Release


@dataclass(frozen=True)
class Target:
    """The release to go back to."""

    tag: str
    image: str


def before(known: list[Release], current: str, wanted: str | None = None) -> Target:
    """Return the release that served before the current one, or the wanted one of those before it.

    Raises Refused when there is none, or when the schema is one that it would not, or may not, survive: migrations
    are judged against the release right before them, also those of a release that was undone.
    """
    here, unproved = current, ""
    for release in reversed(known):
        previous = _served_before(release, here)
        if previous is not None:
            _refuse_over(release, unproved)
            here = previous
            if wanted is None or here == wanted:
                return Target(tag=here, image=release.facts["previous_image"])
        if release.reached("migrate"):
            unproved = release.tag
    if wanted is None:
        raise Refused(f"the journal knows no release before {current}", "deploy the one you want with --image")
    raise Refused(
        f"{wanted} is none of the releases that {current} came after", f"deploy it with --image {wanted} instead"
    )


def _served_before(release: Release, here: str) -> str | None:
    """Return what served before a release brought the one that is here, if it did."""
    if release.outcome != SUCCEEDED or release.tag != here or release.facts["kind"] == "rollback":
        return None
    return None if release.previous_tag == here else release.previous_tag  # the same one: it got new values


def _refuse_over(release: Release, unproved: str) -> None:
    if release.facts.get("incompatible"):
        raise Refused(
            f"{release.previous_tag} cannot run on the schema that {release.tag} has migrated to",
            f"the data of before it are in the backup before-{release.tag}; how both go back together is in "
            "docs/operations.md, 'To go back behind a migration'",
        )
    if unproved:
        raise Refused(
            f"nobody has judged whether {release.previous_tag} survives the migrations of {unproved}, which was "
            f"compared with the release right before it",
            f"if you know that it does: deploy it with --image {release.previous_tag}; else go back to a backup, "
            "too: docs/operations.md, 'To go back behind a migration'",
        )
