"""One image on the page: its pictures, and all that is said of it."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from flows.report.facts import curve_of, facts_of
from flows.report.layers import Layer, Layers, layers_of
from flows.report.previews import Preview, previews_of, thumbnails_of
from flows.report.recorded import Embedded, Key, curves_of
from flows.report.scripts import script
from flows.report.subject import Subject, masks_given

FORM = "2"
"""Of what is written of an image: all is made anew where it changes."""

Row = Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class Item:
    """One image of the page.

    Attributes:
        key: names its files.
        previews: its pictures.
        content: what the page's scripts are told of it.
    """

    key: str
    previews: Sequence[Preview]
    content: Mapping[str, Any]

    def files(self) -> Iterable[tuple[str, bytes]]:
        """Names and contents; the script comes last, as the sign that all of them are there."""
        for preview in self.previews:
            yield f"{folder_of(self.key)}/{self.key}.{preview.name}.webp", preview.content
        pictures = [
            {"name": p.name, "title": p.title, "width": p.width_px, "height": p.height_px}
            for p in self.previews
        ]
        yield script_name(self.key), script("item", self.key, {**self.content, "pictures": pictures})


def key_of(rows: Iterable[Row | None]) -> str:
    """A name for the files of an image, which follows what is shown of it."""
    known = ("run_id", "image_id", "source_sha256", "output_sha256", "status")
    parts = [FORM, *(str(row and row[name]) for row in rows for name in known)]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]


def folder_of(key: str) -> str:
    """Where an item's files lie in the report: some hundred folders hold any number of them."""
    return f"previews/{key[:2]}"


def script_name(key: str) -> str:
    """Of the script of an item."""
    return f"{folder_of(key)}/{key}.js"


@dataclass
class Shelf:
    """What is read once for all items of an output.

    Attributes:
        subject: the output.
        curves: of the images that are asked for.
        masks: their names.
        embedded: restored images that lie in the rows.
    """

    subject: Subject
    curves: Mapping[Key, list[dict[str, Any]]] = field(default_factory=dict)
    masks: Mapping[str, str] = field(default_factory=dict)
    embedded: Embedded | None = None

    @classmethod
    def of(cls, subject: Subject, rows: Sequence[Row]) -> "Shelf":
        """What the items of some rows need.

        Raises:
            StorageError: the output cannot be read.
        """
        keys = {(row["run_id"], row["image_id"]) for row in rows}
        is_embedded = any(row["status"] == "restored" and row["output_name"] is None for row in rows)
        embedded = Embedded(subject.results) if is_embedded else None
        if embedded is not None:
            embedded.index()
        masks = masks_given(subject, {run_id for run_id, _ in keys})
        return cls(subject, curves_of(subject.results, keys), masks, embedded)

    def layers(self, row: Row) -> Layers:
        """The layers of an image."""
        key = (row["run_id"], row["image_id"])
        is_embedded = row["status"] == "restored" and row["output_name"] is None
        content = self.embedded.content(key) if is_embedded and self.embedded is not None else None
        return layers_of(self.subject, row, content, self.masks.get(row["image_id"]))

    def curve(self, row: Row) -> dict[str, Any] | None:
        """The curve of an image's fit."""
        points = self.curves.get((row["run_id"], row["image_id"]), [])
        curve = curve_of(points, row)
        return curve and {"title": self.subject.label, **curve}


def item_of(shelf: Shelf, row: Row) -> Item:
    """The item of an image of one output."""
    layers = shelf.layers(row)
    curve = shelf.curve(row)
    content = {
        "left": "before",
        "right": "after",
        "sections": facts_of(shelf.subject, row, layers),
        "curves": [curve] if curve else [],
    }
    pictures = [*thumbnails_of(layers.found), *previews_of(layers.found)]
    return Item(key_of([row]), pictures, content)


def compared_item(shelves: tuple[Shelf, Shelf], rows: tuple[Row, Row]) -> Item:
    """The item of an image of two outputs: one restoration on the other."""
    both = [shelf.layers(row) for shelf, row in zip(shelves, rows, strict=True)]
    found = dict(both[0].found)
    for name, layers, shelf in zip(("after", "after-b"), both, shelves, strict=True):
        if "after" in layers.found:
            layer = layers.found["after"]
            found[name] = Layer(name, shelf.subject.label, layer.levels, layer.metadata)
    curves = [shelf.curve(row) for shelf, row in zip(shelves, rows, strict=True)]
    sections = [
        {**section, "title": f"{shelf.subject.label}: {section['title']}"}
        for shelf, row, layers in zip(shelves, rows, both, strict=True)
        for section in facts_of(shelf.subject, row, layers)
    ]
    content = {"left": "after", "right": "after-b", "sections": sections, "curves": [c for c in curves if c]}
    return Item(key_of(rows), [*thumbnails_of(found, ("after", "after-b")), *previews_of(found)], content)
