"""What a report is about: an output, what it was asked, and its rows."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import pyarrow as pa

from dip.storage import Location
from dip.storage.part_files import read_rows
from dip.storage.results import ROW_SCHEMA
from flows.runs.accounts import no_rows
from flows.runs.bag import results_of
from flows.runs.history import Description, descriptions_of
from flows.runs.manifest import read_entries
from flows.runs.run import manifest_of

_NEEDED = [name for name in ROW_SCHEMA.names if name != "image"]


@dataclass(frozen=True, eq=False)
class Subject:
    """One output.

    Attributes:
        output: as it was named.
        results: where the results lie, below it if it is a bag.
        rows: one of each image, without what is embedded.
        runs: that were begun on it, oldest first.
        label: tells it from other outputs of the same report; empty where there is one.
    """

    output: Location
    results: Location
    rows: pa.Table = field(repr=False)
    runs: Sequence[Description]
    label: str = ""

    @property
    def asked(self) -> Mapping[str, Any]:
        """What the last run was asked; runs over one output agree on it."""
        return self.runs[-1].asked if self.runs else {}

    @property
    def is_evaluation(self) -> bool:
        """Whether there are references."""
        return self.asked.get("degradation") is not None

    @cached_property
    def source(self) -> Location:
        """Where the images lay when the run was begun."""
        url = str(self.asked.get("source", ""))
        return Location(url.removeprefix("file://"), self.output.options)

    @property
    def masks(self) -> Location | None:
        """Where the masks lie: those that were given, or those in the output."""
        given = self.asked.get("masks")
        if given is None or given == "auto":
            return None
        return Location(str(given).removeprefix("file://"), self.output.options)


def subject_of(output: Location, label: str = "") -> Subject:
    """An output as the subject of a report.

    Raises:
        StorageError: it holds no rows, or cannot be read.
    """
    results = results_of(output)
    rows = read_rows(results, _NEEDED)
    if not rows.num_rows:
        raise no_rows(results)
    return Subject(output, results, rows, descriptions_of(results), label)


def masks_given(subject: Subject, run_ids: Iterable[str]) -> dict[str, str]:
    """The mask of each image that was given one in these runs.

    Raises:
        StorageError: a manifest cannot be read.
    """
    if subject.masks is None:
        return {}
    return {
        entry.image_id: entry.mask_id
        for run_id in sorted(set(run_ids))
        for entry in read_entries(subject.results, manifest_of(run_id))
        if entry.mask_id is not None
    }
