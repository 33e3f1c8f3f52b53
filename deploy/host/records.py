"""The stack's records: files in a volume, which every checkout that works on the stack shares.

They are read and written in containers, because the files of a volume belong to Docker.
"""

from __future__ import annotations

from .console import Console
from .stack import Stack

FOLDER = "/records"
# A crash may have cut the last line short; the new one starts on a line of its own.
_APPEND = '{ [ -z "$(tail -c 1 "$0" 2>/dev/null)" ] || echo; cat; } >>"$0" && sync "$0" "${0%/*}"'
_PREPEND = '{ cat; [ ! -e "$0" ] || cat "$0"; } >"$0.new" && sync "$0.new" && mv "$0.new" "$0" && sync "${0%/*}"'
_READ = '[ ! -e "$0" ] || cat "$0"'


def volume(stack: Stack) -> str:
    """Return the name of the volume. `docker compose down --volumes` does not know it."""
    return f"{stack.project}_records"


def mounting(stack: Stack) -> list[str]:
    """Return the words after `docker run` that mount the records and name an image; its command is sh."""
    return [
        "--network", "none", "--user", "0:0", "--volume", f"{volume(stack)}:{FOLDER}",
        # replaces a volume that PostgreSQL's image declares
        "--tmpfs", "/var/lib/postgresql/data", "--entrypoint", "sh", stack.database_image,
    ]  # fmt: skip


class Records:
    """One file. Only the holder of the stack's lock writes; its container does the work."""

    def __init__(self, stack: Stack, name: str) -> None:
        self._stack = stack
        self._path = f"{FOLDER}/{name}"
        self.former = stack.state / name

    def read(self) -> str:
        """Return the content, after what an earlier version kept in this checkout."""
        return self._former_text() + self._shared_text()

    def _shared_text(self) -> str:
        run = self._stack.run
        done = run("docker", "exec", self._stack.lock, "sh", "-c", _READ, self._path, check=False)
        if done.returncode == 0:
            return done.stdout
        # nobody holds the lock
        if run("docker", "volume", "inspect", volume(self._stack), check=False).returncode:
            return ""
        return run("docker", "run", "--rm", *mounting(self._stack), "-c", _READ, self._path).stdout

    def append(self, line: str) -> None:
        """Add a line and wait until it is on the disk."""
        self._write(_APPEND, line + "\n")

    def adopt(self, console: Console) -> None:
        """Move in what an earlier version kept in this checkout."""
        if not self.former.exists():
            return
        self._write(_PREPEND, self._former_text())
        moved = self.former.rename(self.former.with_name(f"{self.former.name}.moved"))
        console.note(
            f"{self.former.name} of this checkout is now in the volume {volume(self._stack)}; "
            f"the old file is {moved}"
        )

    def _former_text(self) -> str:
        if not self.former.exists():
            return ""
        text = self.former.read_text(encoding="utf-8", errors="replace")
        return text if not text or text.endswith("\n") else text + "\n"

    def _write(self, script: str, text: str) -> None:
        self._stack.run(
            "docker", "exec", "--interactive", self._stack.lock, "sh", "-c", script, self._path, given=text
        )
