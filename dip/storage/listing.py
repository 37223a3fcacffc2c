"""Listings, an object at a time: a folder or prefix may hold more than fits in memory."""

import os
import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fsspec import AbstractFileSystem
from fsspec.implementations.local import LocalFileSystem

from dip.storage.retry import retried


@dataclass(frozen=True, slots=True)
class Found:
    """An object of a listing.

    Attributes:
        name: relative to the location.
        version: changes when the object is written anew: its ETag, or on disk its times, size and inode;
            empty where the storage tells neither.
    """

    name: str
    size_bytes: int
    version: str


_VERSIONS = ("ETag", "etag", "mtime", "last_modified")
"""What fsspec's backends call that which changes with an object."""

_LEFT_BEHIND = re.compile(r"\.dip-[0-9a-f]{16}\.tmp")


def temporary_name() -> str:
    """Of a file on its way, in the folder where it goes; one that is left behind is in no listing."""
    return f".dip-{secrets.token_hex(8)}.tmp"


def list_below(file_system: AbstractFileSystem, path: str) -> Iterator[Found]:
    """All objects below a path, under their full names; the one at the path, if it is an object.

    Links to folders are not followed. A folder that may not be read is an error, not an omission.
    """
    if isinstance(file_system, LocalFileSystem):
        yield from _files_at(path)
        return
    is_empty = True
    for found in _objects_by_page(file_system, path) if "s3" in file_system.protocol else ():
        is_empty = False
        yield found
    if is_empty:
        yield from _objects_at_once(file_system, path)


def version_at(file_system: AbstractFileSystem, path: str) -> str:
    """The version of the object at a path, as a listing tells it.

    Raises:
        OSError: there is none, or it may not be looked at.
    """
    if isinstance(file_system, LocalFileSystem):
        return _file(path, Path(path).stat()).version
    return _object(path, file_system.info(path)).version


def _files_at(path: str) -> Iterator[Found]:
    if Path(path).is_file():
        yield _file(path, Path(path).stat())
    elif Path(path).exists():
        yield from _files_in(path)


def _files_in(folder: str) -> Iterator[Found]:
    folders = []
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                folders.append(entry.path)
            elif not entry.is_dir() and not _LEFT_BEHIND.fullmatch(entry.name):
                # A link is as new as its file is; one that leads nowhere fails when it is read.
                leads_somewhere = entry.is_file()
                yield _file(entry.path, entry.stat(follow_symlinks=leads_somewhere))
    for path in folders:
        yield from _files_in(path)


def _file(path: str, status: os.stat_result) -> Found:
    # Programs can keep the time of writing while they change a file; no program sets the time of change.
    told = (status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino)
    return Found(path, status.st_size, "-".join(map(str, told)))


def _objects_by_page(file_system: AbstractFileSystem, path: str) -> Iterator[Found]:
    """The keys below a prefix in S3. A page that fails is asked for again, not the whole listing."""
    bucket, key, _ = file_system.split_path(path)
    request = {"Bucket": bucket, "Prefix": f"{key}/" if key else "", **file_system.req_kw}
    while True:
        try:
            page = retried(lambda: file_system.call_s3("list_objects_v2", **request), file_system)
        except FileNotFoundError:
            return
        for found in page.get("Contents", ()):
            if not found["Key"].endswith("/"):  # such a key stands for a folder
                yield _object(f"{bucket}/{found['Key']}", found)
        if not page.get("IsTruncated"):
            return
        request["ContinuationToken"] = page["NextContinuationToken"]


def _objects_at_once(file_system: AbstractFileSystem, path: str) -> Iterator[Found]:
    for name, info in retried(lambda: file_system.find(path, detail=True), file_system).items():
        if info["type"] == "file":
            yield _object(name, info)


def _object(name: str, info: dict[str, Any]) -> Found:
    size_bytes = info.get("size", info.get("Size"))
    version = next((info[key] for key in _VERSIONS if info.get(key)), "")
    return Found(name, int(size_bytes or 0), str(version).strip('"'))
