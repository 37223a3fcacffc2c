"""Whether the restored images of an output are still what its rows say."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import IO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from dip.storage import Location
from dip.storage.part_files import read_rows
from dip.storage.sidecar import sidecar_name
from flows.runs.accounts import no_rows

_OF_AN_IMAGE = ["run_id", "image_id", "image"]
_COLUMNS = ["run_id", "image_id", "status", "output_name", "output_sha256", "sidecar_sha256"]
_Key = tuple[str, str]
"""Of a row: its run and its image."""


@dataclass(frozen=True)
class Finding:
    """Something that is not as the rows say.

    Attributes:
        name: of the file, below the output; of an embedded image, the image's.
        problem: `missing`, `changed` or `extra`.
    """

    name: str
    problem: str


@dataclass(frozen=True)
class Verification:
    """What was checked, and what came of it.

    Attributes:
        files: restored images and sidecars that there should be.
        embedded: restored images that there should be in the rows.
        findings: what is wrong.
    """

    files: int
    embedded: int
    findings: tuple[Finding, ...]


def verify(output: Location) -> Verification:
    """Check every restored image and sidecar of an output, to the byte. Other files have no checksum.

    Raises:
        StorageError: the output has no rows, or cannot be listed or read.
    """
    rows = read_rows(output, _COLUMNS)
    if not rows.num_rows:
        raise no_rows(output)
    files, embedded = dict(_files(rows)), dict(_embedded(rows))
    findings = (*_findings_in_files(output, files), *_findings_in_rows(output, embedded))
    return Verification(len(files), len(embedded), findings)


def _files(rows: pa.Table) -> Iterator[tuple[str, str]]:
    """Name and checksum of every file that a row tells of."""
    for row in rows.filter(rows["output_name"].is_valid()).to_pylist():
        yield row["output_name"], row["output_sha256"]
        yield sidecar_name(row["output_name"]), row["sidecar_sha256"]


def _embedded(rows: pa.Table) -> Iterator[tuple[_Key, str]]:
    """Row and checksum of every image that lies in its row."""
    without_file = pc.and_(pc.equal(rows["status"], "restored"), rows["output_name"].is_null())
    for row in rows.filter(without_file).to_pylist():
        yield (row["run_id"], row["image_id"]), row["output_sha256"]


def _findings_in_files(output: Location, expected: Mapping[str, str]) -> Iterator[Finding]:
    present = {found.name for found in output.find("images")}
    for name in sorted(expected.keys() - present):
        yield Finding(name, "missing")
    for name in sorted(present - expected.keys()):
        yield Finding(name, "extra")
    there = sorted(expected.keys() & present)
    for name, checksum in zip(there, output.sha256_of_all(there), strict=True):
        if checksum != expected[name]:
            yield Finding(name, "changed")


def _findings_in_rows(output: Location, expected: Mapping[_Key, str]) -> Iterator[Finding]:
    found: dict[_Key, str] = {}
    for part in output.names("metrics") if expected else ():
        if part.startswith("part-"):
            found |= output.parse(f"metrics/{part}", _checksums)
    for key, checksum in expected.items():
        if found.get(key) != checksum:
            yield Finding(key[1], "changed" if key in found else "missing")


def _checksums(file: IO[bytes]) -> dict[_Key, str]:
    """Of the images embedded in a part file, which may be too large to be read at once."""
    part = pq.ParquetFile(file)
    groups = (part.read_row_group(n, _OF_AN_IMAGE, use_threads=False) for n in range(part.num_row_groups))
    return {
        (row["run_id"], row["image_id"]): hashlib.sha256(row["image"]["bytes"]).hexdigest()
        for group in groups
        for row in group.filter(group["image"].is_valid()).to_pylist()
    }
