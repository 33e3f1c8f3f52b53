"""Find the release to roll back to in the journal."""

from __future__ import annotations

from dataclasses import dataclass

from host.console import Failure

from .journal import SUCCEEDED, Release


@dataclass(frozen=True)
class Target:
    """The release to roll back to."""

    tag: str
    image: str
    digests: tuple[str, ...] = ()


def target(known: list[Release], current: str, wanted: str | None = None) -> Target:
    """Return the release before the current one, or the wanted one among the earlier ones.

    Raise Failure if there is none, or if it cannot run on the current schema, or if nobody knows. Migrations are
    checked only against the release right before them; this also holds for those of a release that was undone.
    """
    here, unchecked = current, ""
    for release in reversed(known):
        previous = _served_before(release, here)
        if previous is not None:
            _refuse_over(release, unchecked)
            here = previous
            if wanted is None or here == wanted:
                image = release.record["previous_image"]
                return Target(tag=here, image=image, digests=_digests(known, image))
        if release.reached("migrate"):
            unchecked = release.tag
    if wanted is None:
        raise Failure(
            f"there is no release before {current} in the journal",
            "deploy the image that you want: deploy/release/deploy ENV --image TAG",
        )
    raise Failure(
        f"{wanted} is not one of the releases before {current}",
        f"deploy it instead: deploy/release/deploy ENV --image {wanted}",
    )


def _digests(known: list[Release], image: str) -> tuple[str, ...]:
    """Return the names that the image had in registries when it was deployed."""
    found = [each.record.get("digests") or () for each in known if each.record.get("image") == image]
    return tuple(found[-1]) if found else ()


def _served_before(release: Release, here: str) -> str | None:
    """Return the tag that served before this release, if this release brought the tag `here`."""
    if release.outcome != SUCCEEDED or release.tag != here or release.record["kind"] == "rollback":
        return None
    return None if release.previous_tag == here else release.previous_tag  # the same tag with new values


def _refuse_over(release: Release, unchecked: str) -> None:
    if release.record.get("incompatible"):
        raise Failure(
            f"{release.previous_tag} cannot run on the schema that {release.tag} migrated to",
            f"go back together with the data, which is in the backup before-{release.tag}: "
            "docs/operations.md, 'Go back to before a migration'",
        )
    if unchecked:
        raise Failure(
            f"it is unknown whether {release.previous_tag} can run with the migrations of {unchecked}, "
            "which were checked only against the release right before them",
            f"read those migrations; if it can, deploy it with --image {release.previous_tag}; "
            "if not, restore a backup with it: docs/operations.md, 'Go back to before a migration'",
        )
