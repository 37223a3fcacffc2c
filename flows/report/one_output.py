"""The report on one output, or on several that were made as one."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pyarrow as pa

from dip.storage import Location
from flows.report.columns import COLUMNS, Column, filled, with_derived
from flows.report.commands import commands_of
from flows.report.head import Head, head_of
from flows.report.items import Item, Shelf, item_of, key_of
from flows.report.selection import SAMPLE, Group, groups_of
from flows.report.subject import Subject, subject_of


class OutputReport:
    """What the page says of one output, or of several under their labels.

    Args:
        outputs: under their labels; the label of a single one is empty.
        sample: size of the random sample that is shown; None for all images.

    Raises:
        StorageError: an output holds no rows, or cannot be read.
    """

    def __init__(self, outputs: Mapping[str, Location], sample: int | None = SAMPLE) -> None:
        self.subjects = [subject_of(output, label) for label, output in outputs.items()]
        self.rows = with_derived(pa.concat_tables(_labelled(subject) for subject in self.subjects))
        self.columns: Sequence[Column] = filled(self.rows, COLUMNS)
        self.groups: Sequence[Group] = groups_of(self.rows, sample)

    @property
    def places(self) -> list[tuple[Location, Location]]:
        """Each output, and its source."""
        return [(subject.output, subject.source) for subject in self.subjects]

    @property
    def head(self) -> Head:
        """The head of the page."""
        return head_of(self.subjects, self.rows, commands_of(self.subjects[0]))

    def keys(self, indices: Sequence[int]) -> list[str]:
        """Names of the files of some images."""
        return [key_of([row]) for _, row in self._rows(indices)]

    def prepare(self, indices: Sequence[int]) -> Callable[[int], Item]:
        """Read what the items of some images need.

        Returns:
            What makes the item of one of them.

        Raises:
            StorageError: an output cannot be read.
        """
        placed = dict(zip(indices, self._rows(indices), strict=True))
        shelves = {
            label: Shelf.of(subject, [row for which, row in placed.values() if which == label])
            for label, subject in ((subject.label, subject) for subject in self.subjects)
        }

        def make(index: int) -> Item:
            label, row = placed[index]
            return item_of(shelves[label], row)

        return make

    def _rows(self, indices: Sequence[int]) -> list[tuple[str, dict[str, Any]]]:
        """The label of each image's output, and its row, as the output has it."""
        rows = self.rows.take(pa.array(indices, pa.int64())).to_pylist()
        return [(row["label"], {**row, "image_id": row["in_output"]}) for row in rows]


def _labelled(subject: Subject) -> pa.Table:
    """The rows, with images named by their output, too, where there are several."""
    rows, names = subject.rows, subject.rows["image_id"]
    shown = pa.array([f"{subject.label}: {name}" for name in names.to_pylist()]) if subject.label else names
    rows = rows.set_column(rows.column_names.index("image_id"), "image_id", shown)
    label = pa.array([subject.label] * rows.num_rows, pa.string())
    return rows.append_column("label", label).append_column("in_output", names)
