"""This will keep copies of the backups in an S3 bucket. The manifest goes last and is removed first."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from . import manifest
from .environment import Bucket
from .failures import Failure


class Copies:
    """The backups in a bucket, below a prefix."""

    def __init__(self, client: Any, bucket: Bucket) -> None:
        self._client = client
        self._bucket = bucket

    def names(self) -> list[str]:
        """Return the names of all whole backups, the oldest first."""
        whole = [key.rpartition("/") for key in self._keys("")]
        return sorted(name for name, _, file in whole if file == manifest.FILE and manifest.NAME.fullmatch(name))

    def upload(self, folder: Path) -> None:
        """Copy a backup there, and see that each object has its size."""
        files = sorted(path for path in folder.iterdir() if path.name != manifest.FILE)
        with _told():
            for path in [*files, folder / manifest.FILE]:
                key = self._key(folder.name, path.name)
                self._client.upload_file(str(path), self._bucket.name, key)
                size = self._client.head_object(Bucket=self._bucket.name, Key=key)["ContentLength"]
                if size != path.stat().st_size:
                    raise Failure(f"{key} has {size} bytes in the bucket", "see the bucket's own log, then repeat")

    def download(self, name: str, folder: Path) -> None:
        """Copy a backup from there into a folder."""
        with _told():
            for key in self._keys(f"{name}/"):
                file = key.rpartition("/")[2]
                self._client.download_file(self._bucket.name, self._key(name, file), str(folder / file))

    def remove(self, name: str) -> None:
        """Remove a backup; it stops being one before the first of its parts goes."""
        with _told():
            keys = sorted(self._keys(f"{name}/"), key=lambda key: not key.endswith(f"/{manifest.FILE}"))
            for key in keys:
                self._client.delete_object(Bucket=self._bucket.name, Key=f"{self._bucket.prefix}{key}")

    def _key(self, name: str, file: str) -> str:
        return f"{self._bucket.prefix}{name}/{file}"

    def _keys(self, below: str) -> list[str]:
        """Return the keys below our prefix, without it."""
        prefix = self._bucket.prefix
        with _told():
            pages = self._client.get_paginator("list_objects_v2").paginate(
                Bucket=self._bucket.name, Prefix=f"{prefix}{below}"
            )
            return [str(each["Key"])[len(prefix) :] for page in pages for each in page.get("Contents", [])]


def copies(bucket: Bucket) -> Copies:
    """Return the way to the bucket; nothing is sent yet."""
    import boto3  # noqa: PLC0415 - costs a third of a second, which only its users shall pay
    from botocore.config import Config  # noqa: PLC0415 - comes with it

    with _told():
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
                # the checksums that newer clients add are unknown to many other servers
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
                # many servers beside Amazon's know no bucket as a host name
                s3={"addressing_style": "path" if bucket.endpoint else "auto"},
            ),
        )
    return Copies(client, bucket)


@contextmanager
def _told() -> Iterator[None]:
    """Make Failures of what the client raises; which classes these are is not known before it is imported."""
    try:
        yield
    except Exception as error:
        if type(error).__module__.partition(".")[0] not in {"boto3", "botocore"}:
            raise
        raise Failure(f"S3: {error}", "see BACKUP_S3_URL, its endpoint and keys, and the bucket's policy") from None
