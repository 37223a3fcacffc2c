"""The pictures of one image that lie on one another: input, restoration, reference, mask, uncertainty."""

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import PIL.Image
from numpy.typing import NDArray

from dip import images
from dip.errors import DipError
from dip.images import Image, Metadata
from dip.images.image import PageNumber
from dip.pipeline.proposed_masks import mask_name
from flows.report.subject import Subject

Row = Mapping[str, Any]
Levels = NDArray[np.uint8]
MASK_COLOUR = (230, 30, 70, 150)


@dataclass(frozen=True, eq=False)
class Layer:
    """One picture.

    Attributes:
        name: `before`, `after`, `reference`, `mask` or `uncertainty`.
        title: for people.
        levels: (H, W) or (H, W, channels), uint8; of a mask with alpha.
        metadata: what the file carries beside its pixels.
    """

    name: str
    title: str
    levels: Levels
    metadata: Metadata = Metadata()  # noqa: RUF009 - frozen

    @property
    def size_px(self) -> tuple[int, int]:
        """Height and width."""
        return self.levels.shape[0], self.levels.shape[1]


@dataclass(frozen=True, eq=False)
class Layers:
    """What could be read of one image.

    Attributes:
        found: its layers by name.
        missing: why others cannot be shown, in sentences.
    """

    found: dict[str, Layer] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)

    def add(self, read: Callable[[], Layer | None]) -> None:
        """Take a layer in, or the reason that there is none."""
        try:
            layer = read()
        except DipError as error:
            self.missing.append(str(error))
            return
        if layer is not None:
            self.found[layer.name] = layer


def layers_of(subject: Subject, row: Row, embedded: bytes | None, mask_id: str | None) -> Layers:
    """Read the layers of an image.

    Args:
        subject: the output.
        row: of the image.
        embedded: the restored image's file where it lies in the row.
        mask_id: of the mask that was given for it, if any.
    """
    layers = Layers()
    is_restored = row["status"] == "restored"
    if subject.is_evaluation and is_restored:
        layers.add(lambda: _degraded(subject, row))
    else:
        layers.add(lambda: _source(subject, row))
    if is_restored:
        layers.add(lambda: _restored(subject, row, embedded))
        layers.add(lambda: _mask(subject, row, mask_id))
    if is_restored and subject.is_evaluation:
        layers.add(lambda: _reference(subject, row))
    if is_restored and subject.asked.get("uncertainty"):
        layers.add(lambda: _uncertainty(subject, row))
    return layers


def layer_of(name: str, title: str, content: bytes, image_id: str) -> Layer:
    """A picture from its file; of several pages the first.

    Raises:
        DipError: it cannot be decoded.
    """
    pages = images.Pages(content, image_id)
    image = pages.decoded()
    title = title if len(pages) == 1 else f"{title}, page 1 of {len(pages)}"
    return Layer(name, title, _levels(image), image.metadata)


def _levels(image: Image) -> Levels:
    """(H, W) or (H, W, 3): 8 bits are all that a page shows."""
    levels = np.rint(image.pixels.clip(0, 1) * 255).astype(np.uint8)
    return levels[0] if image.channels == 1 else np.ascontiguousarray(levels.transpose(1, 2, 0))


def _source(subject: Subject, row: Row) -> Layer:
    return layer_of("before", "Source", subject.source.read(row["image_id"]), row["image_id"])


def _degraded(subject: Subject, row: Row) -> Layer:
    name = f"degraded/{images.derivative_name(row['image_id'], 'png')}"
    return layer_of("before", "Degraded", subject.results.read(name), row["image_id"])


def _restored(subject: Subject, row: Row, embedded: bytes | None) -> Layer:
    content = subject.results.read(row["output_name"]) if embedded is None else embedded
    return layer_of("after", "Restored", content, row["image_id"])


def _reference(subject: Subject, row: Row) -> Layer | None:
    """The source, unless the protocol has cut it."""
    content = subject.source.read(row["image_id"])
    layer = layer_of("reference", "Reference", content, row["image_id"])
    return layer if layer.size_px == (row["height_px"], row["width_px"]) else None


def _mask(subject: Subject, row: Row, mask_id: str | None) -> Layer | None:
    if mask_id is not None and subject.masks is not None:
        content, damage = subject.masks.read(mask_id), str(subject.asked["damage"])
    elif subject.asked.get("masks") == "auto" or subject.is_evaluation:
        name = mask_name(row["image_id"], len(row["pages"] or "1"))
        if not subject.results.exists(name):
            return None
        content, damage = subject.results.read(name), "white"
    else:
        return None
    pages = images.Pages(content, row["image_id"])
    size_px = pages.decoded().size_px
    first = PageNumber(0, len(pages))
    is_damaged = images.read_mask(content, row["image_id"], size_px, damage, first) == 0
    overlay = np.zeros((*size_px, 4), np.uint8)
    overlay[is_damaged] = MASK_COLOUR
    return Layer("mask", "Mask", overlay)


def _uncertainty(subject: Subject, row: Row) -> Layer:
    """The deviation between the runs, from none (black) to its largest (white)."""
    content = subject.results.read(f"uncertainty/{row['image_id']}.tif")
    with PIL.Image.open(io.BytesIO(content)) as file:
        deviation = np.asarray(file, np.float32)
    largest = float(deviation.max()) or 1.0
    title = f"Uncertainty, white = {255 * largest:.1f} of 255 levels"
    return Layer("uncertainty", title, np.rint(255 * deviation / largest).astype(np.uint8))
