"""Encrypt and decrypt the parts of a backup with age or gpg.

A backup is encrypted for two keys: the operator's, and one that exists only during the run that makes the backup.
So this run can verify the files on the disk without the operator's secret key.
"""

from __future__ import annotations

import base64
import binascii
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from .environment import Settings
from .failures import Failure, of_program

NO_IDENTITY = "give the secret key: --identity FILE"


class Encryption:
    """Write and read the parts of a backup; this one does not encrypt. `folder`, in memory, has temporary keys."""

    suffix = ""
    encrypted_for: str | None = None

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def _encrypting(self) -> list[str] | None:
        return None

    def _decrypting(self) -> list[str] | None:
        return None

    def can_read(self) -> bool:
        """Return whether the parts can be decrypted."""
        return True

    @contextmanager
    def writing(self, path: Path) -> Iterator[IO[bytes]]:
        """Yield a file to write the plain bytes of a part to."""
        with open(path, "xb") as target, tempfile.TemporaryFile() as errors:
            command = self._encrypting()
            if command is None:
                yield target
                return
            process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=target, stderr=errors)
            with _supervised(process, errors) as pipes:
                yield pipes.stdin  # type: ignore[misc]  # a pipe was asked for

    @contextmanager
    def reading(self, path: Path) -> Iterator[IO[bytes]]:
        """Yield a file with the plain bytes of a part; raise Failure if decryption fails anywhere."""
        with open(path, "rb") as source, tempfile.TemporaryFile() as errors:
            command = self._decrypting()
            if command is None:
                yield source
                return
            process = subprocess.Popen(command, stdin=source, stdout=subprocess.PIPE, stderr=errors)
            with _supervised(process, errors) as pipes:
                plain = pipes.stdout
                yield plain  # type: ignore[misc]  # a pipe was asked for
                while plain and plain.read(65_536):  # the rest has to be intact too
                    pass


@contextmanager
def _supervised(process: subprocess.Popen[bytes], errors: IO[bytes]) -> Iterator[subprocess.Popen[bytes]]:
    """Close the pipe and wait; raise the program's own error rather than the broken pipe it causes."""
    failure: BaseException | None = None
    try:
        yield process
        if process.stdin:
            process.stdin.close()
    except BaseException as error:  # noqa: BLE001 - raised again below
        failure = error
        process.terminate()
    code = process.wait()
    errors.seek(0)
    words = errors.read().decode("utf-8", "replace")
    if code > 0:
        raise of_program(str(process.args[0]), code, words) from failure  # type: ignore[index]  # always a list
    if failure:
        raise failure


class Age(Encryption):
    """Encrypt with age, for a recipient such as `age1…`."""

    suffix = ".age"

    def __init__(self, folder: Path, recipient: str | None, identity: str | None) -> None:
        super().__init__(folder)
        self.encrypted_for = recipient
        self._identity = folder / "identity"
        self._own: str | None = None
        if identity:
            self._identity.write_text(identity + "\n")
        elif recipient:
            made = _run("age-keygen", "-o", str(self._identity))
            self._own = made.rpartition("Public key: ")[2].strip()

    def can_read(self) -> bool:
        """Return whether there is an identity."""
        return self._identity.exists()

    def _encrypting(self) -> list[str]:
        recipients = [word for key in (self.encrypted_for, self._own) if key for word in ("-r", key)]
        return ["age", "--encrypt", *recipients]

    def _decrypting(self) -> list[str]:
        if not self.can_read():
            raise Failure("the backup is encrypted with age", NO_IDENTITY)
        return ["age", "--decrypt", "-i", str(self._identity)]


class Gpg(Encryption):
    """Encrypt with gpg, for a public key in one line of base64."""

    suffix = ".gpg"

    def __init__(self, folder: Path, recipient: str | None, identity: str | None) -> None:
        super().__init__(folder)
        self._readable = bool(identity or recipient)
        self._key = folder / "recipient.gpg"
        if recipient:
            self._key.write_bytes(_decoded(recipient))
            self.encrypted_for = self._fingerprint()
        if identity:
            _run(*self._gpg(), "--import", given=identity)
        elif recipient:
            _run(*self._gpg(), "--passphrase", "", "--quick-gen-key", "this-run", "future-default", "default", "1d")

    def can_read(self) -> bool:
        """Return whether there is a secret key."""
        return self._readable

    def _gpg(self) -> list[str]:
        return ["gpg", "--batch", "--quiet", "--no-tty", "--homedir", str(self.folder), "--trust-model", "always"]

    def _fingerprint(self) -> str:
        shown = _run(*self._gpg(), "--show-keys", "--with-colons", str(self._key))
        prints = [line.split(":")[9] for line in shown.splitlines() if line.startswith("fpr:")]
        if not prints:
            raise Failure(
                "BACKUP_GPG_RECIPIENT holds no public key", "set it to the output of: gpg --export KEY | base64 -w0"
            )
        return prints[0]

    def _encrypting(self) -> list[str]:
        own = ["--recipient", "this-run"]
        return [*self._gpg(), "--recipient-file", str(self._key), *own, "--compress-algo", "none", "--encrypt"]

    def _decrypting(self) -> list[str]:
        if not self.can_read():
            raise Failure("the backup is encrypted with gpg", NO_IDENTITY)
        return [*self._gpg(), "--pinentry-mode", "loopback", "--passphrase", "", "--decrypt"]


@contextmanager
def for_new(settings: Settings) -> Iterator[Encryption]:
    """Yield the encryption for a new backup, as configured."""
    with tempfile.TemporaryDirectory() as folder:
        if settings.age_recipient:
            yield Age(Path(folder), settings.age_recipient, None)
        elif settings.gpg_recipient:
            yield Gpg(Path(folder), settings.gpg_recipient, None)
        else:
            yield Encryption(Path(folder))


@contextmanager
def for_part(name: str, identity: str | None) -> Iterator[Encryption]:
    """Yield the encryption of an existing part, by its name; `identity` is the secret key."""
    with tempfile.TemporaryDirectory() as folder:
        if name.endswith(Age.suffix):
            yield Age(Path(folder), None, identity)
        elif name.endswith(Gpg.suffix):
            yield Gpg(Path(folder), None, identity)
        else:
            yield Encryption(Path(folder))


def _decoded(recipient: str) -> bytes:
    try:
        return base64.b64decode(recipient, validate=True)
    except (binascii.Error, ValueError):
        raise Failure(
            "BACKUP_GPG_RECIPIENT is not base64", "set it to the output of: gpg --export KEY | base64 -w0"
        ) from None


def _run(*command: str, given: str | None = None) -> str:
    done = subprocess.run(command, input=given, capture_output=True, text=True, check=False)
    if done.returncode:
        raise of_program(command[0], done.returncode, done.stderr)
    return done.stdout + done.stderr
