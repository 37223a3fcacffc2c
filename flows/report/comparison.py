"""Two outputs over the same source, side by side."""

from collections.abc import Callable, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from dip.errors import ConfigurationError
from dip.storage import Location
from flows.report.columns import Column, filled, with_derived
from flows.report.commands import comparison_commands
from flows.report.head import Head, counts_of, lead_of, means_table
from flows.report.items import Item, Shelf, compared_item, key_of
from flows.report.selection import SAMPLE, Group, differing_groups
from flows.report.subject import Subject, subject_of

_DIGITS = {"psnr_db": 2, "ssim": 4, "changed": 2, "stop_iteration": 0, "seconds": 2}
_TITLES = {
    "psnr_db": ("PSNR", ", dB"),
    "ssim": ("SSIM", ""),
    "changed": ("Change", ", %"),
    "stop_iteration": ("Stop", ""),
    "seconds": ("Time", ", s"),
}


class Comparison:
    """What the page says of two outputs.

    Args:
        outputs: the two.
        sample: size of the random sample that is shown; None for all images.

    Raises:
        ConfigurationError: they are not over the same source.
        StorageError: one holds no rows, or cannot be read.
    """

    def __init__(self, outputs: tuple[Location, Location], sample: int | None = SAMPLE) -> None:
        labels = _labels(*(output.url for output in outputs))
        self.subjects = tuple(subject_of(*each) for each in zip(outputs, labels, strict=True))
        self._sides = _aligned(self.subjects)
        self.rows = _joined(self._sides)
        self.columns: Sequence[Column] = filled(self.rows, _columns(labels))
        self.groups: Sequence[Group] = differing_groups(self.rows, labels, sample)

    @property
    def places(self) -> list[tuple[Location, Location]]:
        """Each output, and its source."""
        return [(subject.output, subject.source) for subject in self.subjects]

    @property
    def head(self) -> Head:
        """The head of the page."""
        labels = (self.subjects[0].label, self.subjects[1].label)
        numbers = self.rows["difference_psnr_db"].drop_null()
        lead = lead_of(counts_of(self._sides[1])) if not len(numbers) else _lead(numbers, labels)
        return Head(
            title=f"{labels[0]} and {labels[1]}",
            lead=lead,
            facts=[(subject.label, _told(subject)) for subject in self.subjects],
            means=means_table(pa.concat_tables(self._sides)),
            commands=comparison_commands(*self.subjects),
            pair=labels,
            kind="Two outputs compared",
        )

    def keys(self, indices: Sequence[int]) -> list[str]:
        """Names of the files of some images."""
        return [key_of(pair) for pair in self._pairs(indices)]

    def prepare(self, indices: Sequence[int]) -> Callable[[int], Item]:
        """Read what the items of some images need.

        Returns:
            What makes the item of one of them.

        Raises:
            StorageError: an output cannot be read.
        """
        pairs = dict(zip(indices, self._pairs(indices), strict=True))
        first, second = (
            Shelf.of(subject, [pair[side] for pair in pairs.values()])
            for side, subject in enumerate(self.subjects)
        )
        return lambda index: compared_item((first, second), pairs[index])

    def _pairs(self, indices: Sequence[int]) -> list[tuple[dict[str, Any], dict[str, Any]]]:
        chosen = pa.array(indices, pa.int64())
        first, second = (side.take(chosen).to_pylist() for side in self._sides)
        return list(zip(first, second, strict=True))


def _aligned(pair: Sequence[Subject]) -> tuple[pa.Table, pa.Table]:
    """The rows of the images that both outputs have, in one order."""
    first, second = (subject.rows["image_id"] for subject in pair)
    common = first.filter(pc.is_in(first, second)).combine_chunks().sort()
    if not len(common):
        raise ConfigurationError(
            f"Expected two outputs over the same images; {pair[0].output.url} and {pair[1].output.url} "
            "have none in common."
        )
    first, second = (with_derived(s.rows.take(pc.index_in(common, s.rows["image_id"]))) for s in pair)
    return first, second


def _joined(sides: tuple[pa.Table, pa.Table]) -> pa.Table:
    """A row of each image: what both outputs say, and second less first."""
    first, second = sides
    columns = {
        "image_id": first["image_id"],
        "status": pc.if_else(pc.equal(first["status"], "restored"), second["status"], first["status"]),
    }
    for name in _TITLES:
        columns |= {
            f"difference_{name}": pc.subtract(second[name], first[name]),
            f"first_{name}": first[name],
            f"second_{name}": second[name],
        }
    columns["error_message"] = pc.coalesce(first["error_message"], second["error_message"])
    return pa.table(columns)


def _columns(labels: tuple[str, str]) -> list[Column]:
    numbers = [
        Column(f"{side}_{name}", f"{title} {label}{unit}", digits=_DIGITS[name])
        for name, (title, unit) in _TITLES.items()
        for side, label in zip(("difference", "first", "second"), ("difference", *labels), strict=True)
    ]
    return [
        Column("image_id", "Image", "text"),
        Column("status", "Status", "word"),
        *numbers,
        Column("error_message", "Why not", "text"),
    ]


def _labels(first: str, second: str) -> tuple[str, str]:
    """What the outputs are called: their last names, and more of them where these are the same."""
    parts = [url.rstrip("/").split("/") for url in (first, second)]
    for length in range(1, max(map(len, parts)) + 1):
        labels = ["/".join(part[-length:]) for part in parts]
        if labels[0] != labels[1]:
            return labels[0], labels[1]
    raise ConfigurationError(f"Expected two outputs; got {first} twice.")


def _lead(differences: pa.ChunkedArray, labels: tuple[str, str]) -> str:
    better = pc.sum(pc.greater(differences, 0)).as_py()
    mean = pc.mean(differences).as_py()
    side = "higher" if mean >= 0 else "lower"
    return (
        f"{labels[1]} has the higher PSNR in {better:,} of {len(differences):,} images; "
        f"on average it is {abs(mean):.2f} dB {side} than with {labels[0]}."
    )


def _told(subject: Subject) -> str:
    asked = subject.asked
    words = [str(asked[name]) for name in ("task", "method", "preset") if name in asked]
    return f"{subject.output.url}: {', '.join(words)}; {lead_of(counts_of(subject.rows))}"
