"""The report on a study: its plots and strips, image by image, and what its tables say."""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from dip.storage import Location
from flows.report.columns import Column
from flows.report.commands import study_commands
from flows.report.head import Head
from flows.report.items import FORM, Item
from flows.report.layers import Layers, layer_of
from flows.report.previews import previews_of, thumbnails_of
from flows.report.selection import Group

DESCRIPTION = "study.json"


@dataclass(frozen=True)
class _Told:
    """What is told of a study.

    Attributes:
        table: whose last row of each variant is its result.
        key: the column that tells variants apart.
        value: the column of the result.
        rows: the table that the page of an image shows.
    """

    table: str
    key: str
    value: str
    rows: str


_TOLD = {
    "curves": _Told("curves", "variant", "loss", "reached"),
    "snapshots": _Told("snapshots", "variant", "psnr_db", "snapshots"),
    "stopping": _Told("stops", "rule", "psnr_db", "stops"),
    "architectures": _Told("architectures", "variant", "psnr_db", "architectures"),
}
_WORDS = {
    "rule": ("Rule", "{}"),
    "loss": ("Loss", "{:.4f}"),
    "iteration": ("Iteration", "{:,.0f}"),
    "psnr_degraded_db": ("Input", "{:.2f} dB"),
    "psnr_db": ("PSNR", "{:.2f} dB"),
    "psnr_peak_db": ("Peak of the fit", "{:.2f} dB"),
    "ssim": ("SSIM", "{:.4f}"),
    "iterations": ("Iterations", "{:,.0f}"),
    "stop_iteration": ("Stop", "{:,.0f}"),
    "stop_reason": ("Stopped because of", "{}"),
    "preset": ("Preset", "{}"),
    "parameters": ("Parameters", "{:,.0f}"),
    "seconds": ("Time", "{:.1f} s"),
}
_ASKED = {
    "source": "Source",
    "task": "Task",
    "preset": "Preset",
    "degradation": "Degradation",
    "protocol": "Protocol",
    "variation": "Variation",
    "seed": "Seed",
    "config_hash": "Hash of the configuration",
}


def is_study(output: Location) -> bool:
    """Whether an output is that of a study.

    Raises:
        StorageError: the storage does not answer.
    """
    return output.exists(DESCRIPTION)


class StudyReport:
    """What the page says of a study: an image each, with its plot, and what each variant came to.

    Args:
        output: the study's.

    Raises:
        StorageError: the study cannot be read.
    """

    def __init__(self, output: Location) -> None:
        self.output = output
        self._asked: dict[str, Any] = output.parse(DESCRIPTION, json.load)
        told = _TOLD[self._asked["study"]]
        self._key = told.key
        self._shown = _read(output, told.rows)
        self._results = _last(_read(output, told.table), told.key)
        self._variants = pc.unique(self._results[told.key]).to_pylist()
        self.columns: Sequence[Column] = _columns(self._variants, told.value)
        self.rows = _by_image(self._results, told, self._variants)
        self._images = self.rows["image_id"].to_pylist()
        count = len(self._images)
        self.groups: Sequence[Group] = [Group("sample", "All images", np.arange(count), count)]

    @property
    def places(self) -> list[tuple[Location, Location]]:
        """The output, and where its images lay."""
        return [(self.output, Location(self._asked["source"].removeprefix("file://"), self.output.options))]

    @property
    def head(self) -> Head:
        """The head of the page."""
        study, images = self._asked["study"], len(self._images)
        named = [(title, self._asked.get(name)) for name, title in _ASKED.items()]
        return Head(
            kind="Study",
            decides=False,
            title=self.output.url.rstrip("/").rsplit("/", 1)[-1],
            lead=f"{study.capitalize()} of {images} image{'s' * (images != 1)}: {', '.join(self._variants)}.",
            facts=[
                ("Study", study),
                *((name, str(value)) for name, value in named if value not in (None, "")),
                ("Version", self._asked["software_version"]),
            ],
            means=_means(self._results, self._key),
            commands=study_commands(self.output, self._asked),
        )

    def keys(self, indices: Sequence[int]) -> list[str]:
        """Names of the files of some images."""
        parts = [FORM, self._asked["study"], self._asked["config_hash"], self._asked["source"]]
        texts = ("\0".join([*parts, self._images[index]]) for index in indices)
        return [hashlib.sha256(text.encode()).hexdigest()[:32] for text in texts]

    def prepare(self, indices: Sequence[int]) -> Callable[[int], Item]:  # noqa: ARG002 - all is read already
        """What makes the item of an image."""
        return self._item

    def _item(self, index: int) -> Item:
        image_id = self._images[index]
        layers = self._layers(image_id)
        sections = list(_sections(self._shown.filter(pc.field("image_id") == image_id), self._key))
        if layers.missing:
            sections.append({"title": "Not shown", "facts": [("", text) for text in layers.missing]})
        left, right = self._compared(layers)
        content = {"left": left, "right": right, "sections": sections, "curves": []}
        pictures = [*thumbnails_of(layers.found, ("plot", "none")), *previews_of(layers.found)]
        return Item(self.keys([index])[0], pictures, content)

    def _layers(self, image_id: str) -> Layers:
        """The plot of an image, and its snapshots."""
        layers, study, folder = Layers(), self._asked["study"], f"snapshots/{image_id}"

        def add(name: str, title: str, file: str) -> None:
            layers.add(lambda: layer_of(name, title, self.output.read(file), image_id))

        add("plot", "Strip" if study == "snapshots" else "Plot", f"{image_id}-{study}.png")
        for file in sorted(self.output.names(folder)):
            if file.endswith(".png"):
                name = file.removesuffix(".png")
                variant, _, iteration = name.rpartition("-")
                add(name, f"{variant}, {int(iteration)}", f"{folder}/{file}")
        return layers

    def _compared(self, layers: Layers) -> tuple[str, str]:
        """The pictures that are set on each other: the last snapshots of the last and the first variant."""
        of_each = ([name for name in layers.found if name.startswith(f"{v}-")] for v in self._variants)
        last = [names[-1] for names in of_each if names]
        return (last[-1], last[0]) if last else ("plot", "plot")


def _read(output: Location, table: str) -> pa.Table:
    return output.parse(f"{table}.parquet", lambda file: pq.read_table(file, use_threads=False))


def _last(table: pa.Table, key: str) -> pa.Table:
    """The last row of each variant on each image."""
    others = [name for name in table.column_names if name not in ("image_id", key)]
    last = table.group_by(["image_id", key], use_threads=False).aggregate([(name, "last") for name in others])
    return last.rename_columns([name.removesuffix("_last") for name in last.column_names])


def _columns(variants: Sequence[str], value: str) -> list[Column]:
    unit, digits = (", dB", 2) if value.endswith("_db") else ("", 4)
    numbers = [
        Column(f"result_{i}", f"{variant}{unit}", digits=digits, help=f"{_WORDS[value][0]} at the end")
        for i, variant in enumerate(variants)
    ]
    return [Column("image_id", "Image", "text"), Column("status", "", "word"), *numbers]


def _by_image(results: pa.Table, told: _Told, variants: Sequence[str]) -> pa.Table:
    """A row of each image: what each variant came to."""
    images = pc.unique(results["image_id"])
    columns = {"image_id": images, "status": pa.array(["studied"] * len(images))}
    for i, variant in enumerate(variants):
        of_variant = results.filter(pc.field(told.key) == variant)
        at = pc.index_in(images, of_variant["image_id"].combine_chunks())
        columns[f"result_{i}"] = of_variant[told.value].combine_chunks().take(at)
    return pa.table(columns)


def _means(results: pa.Table, key: str) -> tuple[list[str], list[list[str]]]:
    numbers = [name for name in _WORDS if name in results.column_names and _is_number(results[name].type)]
    asked = [("image_id", "count"), *((name, "mean") for name in numbers)]
    means = results.group_by([key], use_threads=False).aggregate(asked)
    titles = [key.capitalize(), "Images", *(_WORDS[name][0] for name in numbers)]
    rows = [
        [row[key], f"{row['image_id_count']:,}", *(_worded(name, row[f"{name}_mean"]) for name in numbers)]
        for row in means.to_pylist()
    ]
    return titles, rows


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind))


def _sections(rows: pa.Table, key: str) -> Iterator[dict[str, Any]]:
    """What the rows of an image say: a titled list for each variant."""
    by_variant: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows.to_pylist():
        known = {name: row[name] for name in rows.column_names if name in _WORDS and name != key}
        by_variant.setdefault(row[key], []).append(known)
    for variant, found in by_variant.items():
        if len(found) == 1:
            facts = [(_WORDS[name][0], _worded(name, value)) for name, value in found[0].items()]
        else:
            facts = [_fact(row) for row in found]
        yield {"title": variant, "facts": facts}


def _fact(row: Mapping[str, Any]) -> tuple[str, str]:
    """The first value names what the others say."""
    (first, value), *others = row.items()
    told = [f"{_in_text(_WORDS[name][0])} {_worded(name, each)}" for name, each in others if each is not None]
    return f"{_WORDS[first][0]} {_worded(first, value)}", ", ".join(told) or "not reached"


def _in_text(title: str) -> str:
    return title if title.isupper() else title.lower()


def _worded(name: str, value: Any) -> str:
    return "" if value is None else _WORDS[name][1].format(value)
