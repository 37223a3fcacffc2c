"""An output as a BagIt bag: its payload is what a run writes, its manifests say what that is."""

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import dip
from dip.errors import ConfigurationError
from dip.storage import Location
from flows.parameters import PAYLOAD
from flows.runs.preconditions import check_no_foreign_entries

_MANIFEST, _TAG_MANIFEST = "manifest-sha256.txt", "tagmanifest-sha256.txt"
_DECLARATION, _INFO = "bagit.txt", "bag-info.txt"
REPORT = "report"
"""Folder of an output's report; that of a bag lies beside its payload."""
_OF_A_BAG = {PAYLOAD, _MANIFEST, _TAG_MANIFEST, _DECLARATION, _INFO, REPORT}


def results_of(output: Location) -> Location:
    """Where the results of an output lie, be it a bag or not.

    Raises:
        StorageError: it cannot be listed.
    """
    names = output.names()
    return output.below(PAYLOAD) if PAYLOAD in names and "metrics" not in names else output


def check_bag(output: Location) -> None:
    """See that nothing lies in an output that does not belong into a bag.

    Raises:
        ConfigurationError: something does.
        StorageError: it cannot be listed.
    """
    advice = "Choose another output, or leave out --bag."
    check_no_foreign_entries(output, _OF_A_BAG, "new, empty or a bag", advice)


def check_no_bag(output: Location) -> None:
    """See that an output that is to be no bag is none: not one that is closed, nor one that a run began.

    Raises:
        ConfigurationError: it is one.
        StorageError: it cannot be listed.
    """
    if is_declared(output) or output.names(f"{PAYLOAD}/runs"):
        raise ConfigurationError(
            f"Expected an output that is no bag, as --bag was not said; {output.url} is one. "
            "Repeat the line with --bag, or choose another output."
        )


def check_outside_bags(output: Location) -> None:
    """See that an output on disk is not part of a bag's payload, all of which the bag's manifests name.

    Raises:
        ConfigurationError: it is.
    """
    path = Path(output.root)
    for folder in (path, *path.parents) if output.is_local else ():
        if folder.name == PAYLOAD and (folder.parent / _DECLARATION).exists():
            raise ConfigurationError(
                f"Expected an output outside of bags; {output.url} lies in the payload of the bag "
                f"{folder.parent}. Choose another output, or {folder.parent} with --bag."
            )


def is_declared(output: Location) -> bool:
    """Whether an output says that it is a bag. One that has been closed once does, open again or not.

    Raises:
        StorageError: the storage does not answer.
    """
    return output.exists(_DECLARATION)


def open_bag(output: Location) -> None:
    """Take the manifest of manifests away: while a run changes its payload, a bag is none.

    Raises:
        StorageError: that cannot be done.
    """
    if output.exists(_TAG_MANIFEST):
        output.delete([_TAG_MANIFEST])


def close_bag(output: Location) -> None:
    """Make the manifests of a bag that is open, of all that lies below its payload now.

    Raises:
        StorageError: the payload cannot be read, or a manifest not be written.

    Source: RFC 8493, The BagIt File Packaging Format, version 1.0; file names as bagit-python reads them.
    """
    if output.exists(_TAG_MANIFEST):
        return
    sizes = {found.name: found.size_bytes for found in output.find(PAYLOAD)}
    checksums = dict(zip(sizes, output.sha256_of_all(list(sizes)), strict=True))
    _write_tags(output, checksums, sizes)


def extend_bag(output: Location, folder: str) -> None:
    """Take what lies in a folder of a bag's payload into its manifests, and close it.

    All other checksums stay as they were: a file that has changed since is found out.

    Raises:
        StorageError: the payload cannot be read, or a manifest not be read or written.
    """
    sizes = {found.name: found.size_bytes for found in output.find(PAYLOAD)}
    lines = (line.split("  ", 1) for line in output.read(_MANIFEST).decode().splitlines())
    inside = [name for name in sizes if name.startswith(f"{PAYLOAD}/{folder}/")]
    added = dict(zip(map(_on_one_line, inside), output.sha256_of_all(inside), strict=True))
    kept = {name: checksum for checksum, name in lines if not name.startswith(f"{PAYLOAD}/{folder}/")}
    _write_tags(output, kept | added, sizes)


def check_closed(output: Location) -> None:
    """See that the manifests of a bag were made.

    Raises:
        ConfigurationError: they were not.
    """
    if not output.exists(_MANIFEST):
        raise ConfigurationError(
            f"Expected a bag with manifests; {output.url} has none yet. "
            "Repeat the line that began it, with --bag."
        )


def _write_tags(output: Location, checksums: Mapping[str, str], sizes: Mapping[str, int]) -> None:
    info = {
        "Bagging-Date": f"{datetime.now(UTC):%Y-%m-%d}",
        "Bag-Software-Agent": f"dip-restoration {dip.__version__}",
        "Payload-Oxum": f"{sum(sizes.values())}.{len(sizes)}",
    }
    tags = {
        _DECLARATION: b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n",
        _INFO: "".join(f"{name}: {value}\n" for name, value in info.items()).encode(),
        _MANIFEST: _manifest(checksums),
    }
    tags[_TAG_MANIFEST] = _manifest({name: hashlib.sha256(tag).hexdigest() for name, tag in tags.items()})
    for name, content in tags.items():
        output.write(name, content)


def _manifest(checksums: Mapping[str, str]) -> bytes:
    lines = (f"{checksum}  {_on_one_line(name)}\n" for name, checksum in sorted(checksums.items()))
    return "".join(lines).encode()


def _on_one_line(name: str) -> str:
    return name.replace("\r", "%0D").replace("\n", "%0A")
