"""Keep backups and certificates when `docker compose down --volumes` removes the other volumes.

Compose leaves a volume alone if the files call it external; then it has to exist before the start. So the volumes
are created here, and the env file's EXTERNAL_VOLUMES says so from then on.
"""

from __future__ import annotations

from .console import Console
from .stack import Stack

KEPT = ("backup_volume", "proxy_data")


def keep(stack: Stack, console: Console) -> None:
    """Create the volumes that are missing, under the names that Compose gives them, and note it in the env file."""
    for name in KEPT:
        stack.run("docker", "volume", "create", f"{stack.project}_{name}")
    if stack.values.get("EXTERNAL_VOLUMES") != "true":
        stack.set_values({"EXTERNAL_VOLUMES": "true"})
        console.note(f"backups and certificates of {stack.project} now outlive `docker compose down --volumes`")
