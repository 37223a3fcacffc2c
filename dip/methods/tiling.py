"""Large images, part by part: overlapping tiles that are blended without a seam."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import product

import torch
from torch import Tensor

MULTIPLE_PX = 32
"""Sides that are shortened stay multiples of it: networks halve what they are given."""


@dataclass(frozen=True, eq=False)
class Strip:
    """A tile's part of one axis.

    Attributes:
        source: where it lies in the image.
        target: where it lies in the output, scaled.
        weights: (length of the target,), float32, in (0, 1]; those of all strips sum to 1 everywhere.
    """

    source: slice
    target: slice
    weights: Tensor


def tiled(
    function: Callable[[Tensor], Tensor],
    image: Tensor,
    tile_px: tuple[int, int],
    overlap_px: int,
    scale: int = 1,
) -> Tensor:
    """Apply a function to overlapping tiles of an image and blend what it makes of them.

    All tiles have one size: tile_px, or the side of an image that is smaller. Where tiles overlap,
    linear ramps lead from one to the next. An image that fits into one tile comes back exactly as the
    function makes it.

    Args:
        function: (1, C, h, w) to (1, D, h·scale, w·scale), float32, on the image's device.
        image: (1, C, H, W), float32.
        tile_px: height and width of a tile.
        overlap_px: how many pixels neighbours share at least.
        scale: how many times larger the function makes a tile.

    Returns:
        (1, D, H·scale, W·scale), float32, on the image's device.

    Raises:
        ValueError: there is no overlap, or it is not smaller than a tile.
    """
    height_px, width_px = image.shape[2:]
    sides = zip((height_px, width_px), tile_px, strict=True)
    rows, columns = (strips(length_px, tile, overlap_px, scale) for length_px, tile in sides)
    output: Tensor | None = None
    for row, column in product(rows, columns):
        made = function(image[:, :, row.source, column.source])
        if output is None:
            output = image.new_zeros(1, made.shape[1], height_px * scale, width_px * scale)
        weights = (row.weights[:, None] * column.weights).to(image.device)
        output[:, :, row.target, column.target] += weights * made
    assert output is not None  # there is a tile at least
    return output


def count_tiles(size_px: tuple[int, int], tile_px: tuple[int, int], overlap_px: int) -> int:
    """How many tiles `tiled` makes of an image of so many pixels, height and width."""
    sides = zip(size_px, tile_px, strict=True)
    return math.prod(1 + _gaps(length_px, tile, overlap_px) for length_px, tile in sides)


def shortened_px(length_px: int, tile_px: int, overlap_px: int) -> int:
    """The least side that does for as many strips as tile_px asks for: what they share is computed twice."""
    gaps = _gaps(length_px, tile_px, overlap_px)
    if not gaps:
        return tile_px
    needed = math.ceil((length_px + gaps * overlap_px) / (gaps + 1) / MULTIPLE_PX) * MULTIPLE_PX
    return min(tile_px, needed)


def _gaps(length_px: int, tile_px: int, overlap_px: int) -> int:
    """How many strips follow the first."""
    return max(0, math.ceil((length_px - tile_px) / (tile_px - overlap_px)))


def strips(length_px: int, tile_px: int, overlap_px: int, scale: int = 1) -> list[Strip]:
    """The strips that cover an axis, spread evenly; arguments and errors are those of `tiled`."""
    if not 0 < overlap_px < tile_px:
        raise ValueError(f"Expected an overlap from 1 to {tile_px - 1} pixels; got {overlap_px}.")
    gaps, side = _gaps(length_px, tile_px, overlap_px), min(tile_px, length_px)
    starts = [i * (length_px - side) // max(1, gaps) for i in range(gaps + 1)]
    sources = [slice(start, start + side) for start in starts]
    targets = [slice(source.start * scale, source.stop * scale) for source in sources]
    weights = _blending_weights(targets, length_px * scale, overlap_px * scale)
    return [
        Strip(source, target, row[target])
        for source, target, row in zip(sources, targets, weights, strict=True)
    ]


def _blending_weights(targets: list[slice], length_px: int, ramp_px: int) -> Tensor:
    """(strips, length_px), float32: linear ramps at the ends of each strip; columns sum to 1."""
    centres = torch.arange(length_px) + 0.5
    to_the_nearer_end = [torch.minimum(centres - t.start, t.stop - centres) for t in targets]
    weights = torch.stack(to_the_nearer_end).clamp(0, ramp_px)
    return weights / weights.sum(dim=0)
