"""Whether an output is still what its rows say."""

from collections.abc import Iterator
from dataclasses import dataclass

import pyarrow.compute as pc

from dip.provenance import sidecar_name
from dip.results import read_rows
from dip.storage import Location
from flows.accounting import no_rows

_COLUMNS = ["image_id", "output_name", "output_sha256", "sidecar_sha256"]


@dataclass(frozen=True)
class Finding:
    """Something that is not as the rows say.

    Attributes:
        name: of the file, below the output.
        problem: `missing`, `changed` or `extra`.
    """

    name: str
    problem: str


def verify(output: Location) -> tuple[int, list[Finding]]:
    """Check every restored image and sidecar of an output, to the byte.

    Returns:
        How many files there should be, and what is wrong.

    Raises:
        StorageError: the output has no rows, or cannot be listed or read.
    """
    expected = dict(_expected(output))
    present = {found.name for found in output.find("images")}
    findings = [Finding(name, "missing") for name in sorted(expected.keys() - present)]
    findings += [Finding(name, "extra") for name in sorted(present - expected.keys())]
    there = sorted(expected.keys() & present)
    for name, checksum in zip(there, output.sha256_of_all(there), strict=True):
        if checksum != expected[name]:
            findings.append(Finding(name, "changed"))
    return len(expected), findings


def _expected(output: Location) -> Iterator[tuple[str, str]]:
    """Name and checksum of every file that a row tells of."""
    rows = read_rows(output, _COLUMNS)
    if not rows.num_rows:
        raise no_rows(output)
    for row in rows.filter(pc.field("output_name").is_valid()).to_pylist():
        yield row["output_name"], row["output_sha256"]
        yield sidecar_name(row["output_name"]), row["sidecar_sha256"]
