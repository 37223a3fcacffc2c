"""Local folders and object stores behind one face. Objects are written whole or not at all."""

import contextlib
import hashlib
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar

import fsspec
from fsspec.core import url_to_fs
from fsspec.implementations.local import LocalFileSystem
from fsspec.implementations.memory import MemoryFileSystem

from dip.errors import ConfigurationError, StorageError
from dip.storage.failures import translated
from dip.storage.listing import Found, list_below, temporary_name, version_at
from dip.storage.retry import retried, trying_once

PARALLEL_REQUESTS = 16
LONGEST_NAME_BYTES, LONGEST_KEY_BYTES = 255, 1024
"""Of a file or folder on the usual disks, and of a key in S3."""

T = TypeVar("T")


@dataclass(frozen=True)
class Location:
    """A folder on disk or a prefix in an object store.

    Attributes:
        url: a path, or any URL fsspec knows.
        options: fsspec's options for the URL's file system, such as an endpoint or credentials;
            paths on disk ignore them. Never shown.
    """

    url: str
    options: Mapping[str, Any] = field(default_factory=dict, repr=False)

    def __getstate__(self) -> dict[str, Any]:
        # Connections stay where they are. A worker's current folder is not that of the command line.
        return {"url": self.root if self.is_local else self.url, "options": dict(self.options)}

    @cached_property
    def _resolved(self) -> tuple[fsspec.AbstractFileSystem, str]:
        is_url = "://" in self.url
        try:
            if not is_url:  # a name with a colon or a hash is a name
                return LocalFileSystem(), str(Path(self.url).expanduser().absolute())
            options = {} if self.url.startswith(("file://", "local://")) else dict(self.options)
            file_system, root = url_to_fs(self.url, use_listings_cache=False, **options)
        except (ValueError, ImportError, TypeError) as error:
            raise ConfigurationError(
                f"Expected a path or a URL that fsspec knows; got {self.url!r}: {error}"
            ) from error
        if isinstance(file_system, MemoryFileSystem):
            raise ConfigurationError(f"Expected storage that other processes reach, too; got {self.url}.")
        is_new = bool(self.options.get("skip_instance_cache"))
        return trying_once(file_system, is_new), root.rstrip("/")

    @property
    def file_system(self) -> fsspec.AbstractFileSystem:
        """The fsspec file system."""
        return self._resolved[0]

    @property
    def root(self) -> str:
        """The location as its file system calls it."""
        return self._resolved[1]

    @property
    def is_local(self) -> bool:
        """Whether it is a folder of this machine."""
        return isinstance(self.file_system, LocalFileSystem)

    @property
    def canonical_url(self) -> str:
        """The location with its protocol, without links and relative parts."""
        if self.is_local:
            return "file://" + os.path.realpath(self.root)
        return str(self.file_system.unstrip_protocol(self.root))

    def url_of(self, name: str) -> str:
        """The URL of an object below the location; a plain path for one on disk."""
        path = f"{self.root}/{name}"
        return path if self.is_local else str(self.file_system.unstrip_protocol(path))

    def below(self, folder: str) -> "Location":
        """A folder in the location."""
        return Location(f"{self.url.rstrip('/')}/{folder}", self.options)

    def contains(self, other: "Location") -> bool:
        """Whether `other` is this location or lies below it."""
        return (other.canonical_url + "/").startswith(self.canonical_url.rstrip("/") + "/")

    def exists(self, name: str = "") -> bool:
        """Whether an object, or the location itself, exists.

        Raises:
            StorageError: the storage does not answer, or refuses to.
        """
        path = self._path(name)

        def look_up() -> bool:
            try:
                self.file_system.info(path)
            except FileNotFoundError:
                return False
            return True

        return self._do(look_up, "look up", path)

    def find(self, prefix: str = "") -> Iterator[Found]:
        """All objects below `prefix`, as the storage lists them.

        Links to folders are not followed. A location that is a file has one object, with an empty
        name; one that does not exist has none.

        Raises:
            StorageError: the location, or a folder in it, cannot be listed.
        """
        return self._find(self._path(prefix))

    def _find(self, path: str) -> Iterator[Found]:
        with translated(path, "list"):
            for found in list_below(self.file_system, path):
                yield replace(found, name=found.name[len(self.root) :].removeprefix("/"))

    def version(self, name: str) -> str:
        """The version of an object, as `find` tells it.

        Raises:
            StorageError: it does not exist, or the storage does not answer.
        """
        path = self._path(name)
        return self._do(lambda: version_at(self.file_system, path), "look up", path)

    def names(self, folder: str = "") -> list[str]:
        """Names of the files and folders directly in `folder`; none if it does not exist.

        Raises:
            StorageError: it cannot be listed, or is a file.
        """
        path = self._path(folder)

        def list_folder() -> list[str]:
            try:
                return list(self.file_system.ls(path, detail=False))
            except (FileNotFoundError, NotADirectoryError):
                return []

        found = self._do(list_folder, "list", path)
        if found == [path]:
            raise StorageError(f"Expected a folder; {path} is a file. Choose another.")
        return [name for name in (entry.rstrip("/").rsplit("/", 1)[-1] for entry in found) if name]

    def parse(self, name: str, parser: Callable[[Any], T]) -> T:
        """What a parser makes of an object, which it gets as a file open for reading in binary.

        Raises:
            StorageError: it cannot be read.
        """
        path = self._path(name)

        def read() -> T:
            with self.file_system.open(path, "rb") as file:
                return parser(file)

        return self._do(read, "read", path)

    def read(self, name: str) -> bytes:
        """The bytes of an object.

        Raises:
            StorageError: it cannot be read.
        """
        path = self._path(name)
        return self._do(lambda: bytes(self.file_system.cat_file(path)), "read", path)

    def read_all(self, names: list[str]) -> Iterator[bytes]:
        """The bytes of several objects, in order, a few requests at a time.

        Raises:
            StorageError: one of them cannot be read.
        """
        return self._each(self.read, names)

    def sha256(self, name: str) -> str:
        """Checksum of an object in hexadecimal digits; it is not held in memory whole.

        Raises:
            StorageError: it cannot be read.
        """
        return self.parse(name, lambda file: hashlib.file_digest(file, "sha256").hexdigest())

    def sha256_of_all(self, names: list[str]) -> Iterator[str]:
        """Checksums of several objects, in order, a few at a time.

        Raises:
            StorageError: one of them cannot be read.
        """
        with ThreadPoolExecutor(PARALLEL_REQUESTS) as pool:
            yield from pool.map(self.sha256, names)

    def write(self, name: str, content: bytes) -> None:
        """Write an object; whoever looks finds it whole or not at all.

        Raises:
            OutputError: the disk is full or read-only.
            StorageError: it cannot be written.
        """
        path = self._path(name)

        def replace() -> None:
            if self.is_local:
                _replace_file(Path(path), content)
            else:
                self.file_system.pipe_file(path, content)

        self._do(replace, "write", path)

    def write_all(self, contents: Mapping[str, bytes]) -> None:
        """Write several objects, a few at a time.

        Raises:
            StorageError: one of them cannot be written.
        """
        for _ in self._each(lambda name: self.write(name, contents[name]), list(contents)):
            pass

    def upload(self, name: str, file: Path) -> None:
        """Write an object of what a file on this machine's disk holds, which need not fit into memory.

        Raises:
            StorageError: it cannot be written.
        """
        path = self._path(name)

        def replace() -> None:
            if not self.is_local:
                self.file_system.put_file(str(file), path)
                return
            target = Path(path)
            target.parent.mkdir(parents=True, exist_ok=True)
            temporary = target.with_name(temporary_name())
            try:
                shutil.copyfile(file, temporary)
                temporary.replace(target)
            except BaseException:
                temporary.unlink(missing_ok=True)
                raise

        self._do(replace, "write", path)

    def delete(self, names: list[str]) -> None:
        """Delete objects, a few at a time. What is gone already is left at that.

        Raises:
            StorageError: one of them cannot be deleted.
        """
        for _ in self._each(self._delete, names):
            pass

    def _each(self, action: Callable[[str], T], names: list[str]) -> Iterator[T]:
        """An action for each of several objects, in order, a few at a time; on disk one by one."""
        if self.is_local:
            yield from map(action, names)
            return
        with ThreadPoolExecutor(PARALLEL_REQUESTS) as pool:
            for start in range(0, len(names), PARALLEL_REQUESTS):
                yield from pool.map(action, names[start : start + PARALLEL_REQUESTS])

    def _delete(self, name: str) -> None:
        path = self._path(name)

        def delete() -> None:
            with contextlib.suppress(FileNotFoundError):
                self.file_system.rm_file(path)

        self._do(delete, "delete", path)

    def _path(self, name: str) -> str:
        """Where an object lies. Names come from listings, manifests and rows: none leads elsewhere."""
        if ".." in PurePosixPath(name).parts or "\0" in name:
            raise StorageError(f"Expected a name below {self.url}; got {name!r}, which leads elsewhere.")
        if name.startswith("/") or "//" in name or "." in name.split("/"):
            raise StorageError(
                f"Expected a name whose folders have names; got {name!r} in {self.url}, "
                "which would be another file on a disk. Rename it."
            )
        return f"{self.root}/{name}".rstrip("/")

    def check_name(self, name: str) -> None:
        """Refuse a name that the storage cannot take.

        Raises:
            StorageError: it is too long.
        """
        is_local = self.is_local
        longest = max(name.split("/"), key=_length) if is_local else f"{self.root.partition('/')[2]}/{name}"
        most = LONGEST_NAME_BYTES if is_local else LONGEST_KEY_BYTES
        if _length(longest) > most:
            raise StorageError(
                f"Expected names of at most {most} bytes; {longest[:40]}… in {self.url} would have "
                f"{_length(longest)}. Shorten the name of the image."
            )

    def _do(self, action: Callable[[], T], verb: str, path: str) -> T:
        """Carry an action out; on storage that is elsewhere with patience."""
        with translated(path, verb):
            return action() if self.is_local else retried(action, self.file_system)


def _length(name: str) -> int:
    return len(name.encode(errors="surrogateescape"))


def _replace_file(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(temporary_name())
    try:
        with temporary.open("xb") as file:
            file.write(content)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
