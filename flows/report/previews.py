"""Pictures of bounded size, as WebP: every browser shows them, and none of the archive's TIFFs."""

import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import PIL.Image

from flows.report.layers import Layer, Levels

LONGEST_PX = 1600
SMALL_PX = 320
DETAIL_PX = 480
EXACT_PIXELS = 512 * 512
"""Previews of so many pixels lose nothing; larger ones would take megabytes."""
QUALITY = 90


@dataclass(frozen=True)
class Preview:
    """A picture on the page.

    Attributes:
        name: of the layer, and of the view where it is not that of the whole image.
        title: for people.
        content: its file.
        width_px: of the picture, like `height_px`.
    """

    name: str
    title: str
    content: bytes
    width_px: int
    height_px: int


def previews_of(layers: Mapping[str, Layer]) -> Iterator[Preview]:
    """Each layer as a whole, and in its own pixels where most has changed if the whole had to be reduced."""
    for layer in layers.values():
        yield _preview(layer.name, layer, _reduced(layer.levels, LONGEST_PX))
    before, after = layers.get("before"), layers.get("after")
    if before is None or after is None or before.size_px != after.size_px:
        return
    if max(after.size_px) > LONGEST_PX:
        rows, columns = _where_most_changed(before.levels, after.levels)
        for layer in layers.values():
            yield _preview(f"detail-{layer.name}", layer, PIL.Image.fromarray(layer.levels[rows, columns]))


def thumbnails_of(
    layers: Mapping[str, Layer], pair: tuple[str, str] = ("before", "after")
) -> Iterator[Preview]:
    """Small pictures for the gallery, of the two layers that are compared."""
    for name, small in zip(pair, ("small-before", "small-after"), strict=True):
        if name in layers:
            yield _preview(small, layers[name], _reduced(layers[name].levels, SMALL_PX))


def _reduced(levels: Levels, longest_px: int) -> PIL.Image.Image:
    image = PIL.Image.fromarray(levels)
    if max(image.size) > longest_px:
        image.thumbnail((longest_px, longest_px), PIL.Image.Resampling.LANCZOS, reducing_gap=3)
    return image


def _preview(name: str, layer: Layer, image: PIL.Image.Image) -> Preview:
    buffer = io.BytesIO()
    is_exact = image.width * image.height <= EXACT_PIXELS and not name.startswith("small")
    profile = _profile(layer, image)
    image.save(
        buffer,
        "WEBP",
        lossless=is_exact or image.mode == "RGBA",
        quality=0 if is_exact else QUALITY,  # without loss it is the effort: more saves a few percent
        method=0 if is_exact else 2,
        **({"icc_profile": profile} if profile else {}),
    )
    return Preview(name, layer.title, buffer.getvalue(), *image.size)


def _profile(layer: Layer, image: PIL.Image.Image) -> bytes | None:
    """The colours' profile; that of grey images does not go with WebP, which has three channels."""
    profile = layer.metadata.icc_profile
    return profile if image.mode == "RGB" and profile is not None and profile[16:20] == b"RGB " else None


def _where_most_changed(before: Levels, after: Levels) -> tuple[slice, slice]:
    """Rows and columns of the part of `DETAIL_PX` a side in which the values changed most."""
    change = np.abs(_grey(after) - _grey(before))
    height_px, width_px = change.shape
    sides = min(DETAIL_PX, height_px), min(DETAIL_PX, width_px)
    sums = np.pad(change.cumsum(0).cumsum(1), ((1, 0), (1, 0)))
    tops = np.arange(0, height_px - sides[0] + 1, 16)[:, None]
    lefts = np.arange(0, width_px - sides[1] + 1, 16)[None]
    bottoms, rights = tops + sides[0], lefts + sides[1]
    inside = sums[bottoms, rights] - sums[tops, rights] - sums[bottoms, lefts] + sums[tops, lefts]
    row, column = np.unravel_index(inside.argmax(), inside.shape)
    top, left = int(tops[row, 0]), int(lefts[0, column])
    return slice(top, top + sides[0]), slice(left, left + sides[1])


def _grey(levels: Levels) -> np.ndarray:
    values = levels.astype(np.float64)
    return values if values.ndim == 2 else values[..., :3].mean(axis=2)
