"""Copy backups to an S3 bucket. The manifest is uploaded last and removed first."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from . import manifest
from .environment import Bucket
from .failures import Failure


class Copies:
    """The backups in a bucket under a prefix."""

    def __init__(self, client: Any, bucket: Bucket) -> None:
        self._client = client
        self._bucket = bucket

    def names(self) -> list[str]:
        """Return the names of all complete backups, oldest first."""
        whole = [key.rpartition("/") for key in self._keys("")]
        return sorted(name for name, _, file in whole if file == manifest.FILE and manifest.NAME.fullmatch(name))

    def upload(self, folder: Path) -> None:
        """Upload a backup and check the size of each object."""
        files = sorted(path for path in folder.iterdir() if path.name != manifest.FILE)
        with _s3_errors():
            for path in [*files, folder / manifest.FILE]:
                key = self._key(folder.name, path.name)
                self._client.upload_file(str(path), self._bucket.name, key)
                size = self._client.head_object(Bucket=self._bucket.name, Key=key)["ContentLength"]
                if size != path.stat().st_size:
                    raise Failure(
                        f"{key} has {size} bytes in the bucket instead of {path.stat().st_size}",
                        "check the bucket's log, then run the command again",
                    )

    def download(self, name: str, folder: Path) -> None:
        """Download a backup into a folder."""
        with _s3_errors():
            for key in self._keys(f"{name}/"):
                file = key.rpartition("/")[2]
                self._client.download_file(self._bucket.name, self._key(name, file), str(folder / file))

    def remove(self, name: str) -> None:
        """Remove a backup, its manifest first."""
        with _s3_errors():
            keys = sorted(self._keys(f"{name}/"), key=lambda key: not key.endswith(f"/{manifest.FILE}"))
            for key in keys:
                self._client.delete_object(Bucket=self._bucket.name, Key=f"{self._bucket.prefix}{key}")

    def _key(self, name: str, file: str) -> str:
        return f"{self._bucket.prefix}{name}/{file}"

    def _keys(self, below: str) -> list[str]:
        """Return the keys under our prefix, without the prefix."""
        prefix = self._bucket.prefix
        with _s3_errors():
            pages = self._client.get_paginator("list_objects_v2").paginate(
                Bucket=self._bucket.name, Prefix=f"{prefix}{below}"
            )
            return [str(each["Key"])[len(prefix) :] for page in pages for each in page.get("Contents", [])]


def copies(bucket: Bucket) -> Copies:
    """Return a client for the bucket; it sends nothing yet."""
    import boto3  # noqa: PLC0415 - takes a third of a second, which only its users should pay
    from botocore.config import Config  # noqa: PLC0415 - comes with it

    with _s3_errors():
        client = boto3.client(
            "s3",
            endpoint_url=bucket.endpoint,
            region_name=bucket.region or "us-east-1",
            aws_access_key_id=bucket.key,
            aws_secret_access_key=bucket.secret,
            config=Config(
                connect_timeout=10,
                read_timeout=60,
                retries={"max_attempts": 3},
                # many servers do not know the checksums that newer clients add
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
                # servers other than Amazon's often do not support buckets as host names
                s3={"addressing_style": "path" if bucket.endpoint else "auto"},
            ),
        )
    return Copies(client, bucket)


@contextmanager
def _s3_errors() -> Iterator[None]:
    """Turn the client's exceptions into Failures, by module: boto3 may not be imported yet."""
    try:
        yield
    except Exception as error:
        if type(error).__module__.partition(".")[0] not in {"boto3", "botocore"}:
            raise
        raise Failure(
            f"S3: {error}", "check BACKUP_S3_URL, BACKUP_S3_ENDPOINT, the keys and the policy of the bucket"
        ) from None
