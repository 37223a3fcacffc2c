"""What is damaged by the infrared: what is dark there, and is neither the picture's leak nor the holder."""

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from dip.errors import MaskError
from dip.images.image import PixelMask, Pixels
from dip.operators.infrared.alignment import find_shift, moved
from dip.operators.infrared.leak import DARKEST, Leak, fit_leak, logarithm, softened

Plane = NDArray[np.float32]
T = TypeVar("T", bound=np.generic)

COARSE_PX = 4
"""Side of the blocks whose means the leak and the holder are told by."""

SAMPLES = 250_000
"""Blocks at most: in larger images they are larger."""

OPAQUE = 0.45
"""What lets less through than this share of the film's light, and is thick, is the holder."""

THICK_BLOCKS, SOFT_BLOCKS = 5, 2
"""How wide the holder is at least, and how far its shadow reaches."""

REPEATS, EXPLAINS = 0.5, 0.6
"""From what contrast of the leak, and share of the infrared that it explains, film counts as opaque there."""

TONES, UNEXPLAINED, UNEXPLAINED_SIGMA = 5, 60, 0.84
"""Of the leak; percentile of what it leaves over in one, and how many deviations that is: damage is rarer."""

LOCAL_PX, LOCAL_SHARE = 16, 1 / 64
"""Side of the blocks in which level and noise are told: pixels at least, and share of the shorter side."""

EDGE_PX, MISFIT = 1.0, 0.7
"""How far an edge of the leak may be off without being damage, and what share of its local contrast."""

SURE, FAINT = 7.0, 3.0
"""Deviations of the noise that a mark exceeds at its darkest, and all over."""

DEEP, CLEAR = 0.10, 0.13
"""By how much a mark is darker than its surroundings at its darkest, as a logarithm, and a clear mark is."""

CLEAR_SHARE, CLEAR_ENOUGH = 0.7, 0.5
"""A clear mark is darker than this share of the range of the leak, too; but that much is always enough."""

FEW = 0.3
"""Where fewer of the marks are clear, the others are the picture's own."""

WIDE_PX = 1.5
"""σ of the Gaussian that wide and faint marks are seen through."""

MOST = 0.15
"""Share of the film that is marked at most."""

FOOT, FOOT_PX = 0.1, 7
"""Share of the greatest depth around it, in a window of that side, from which a pixel is more than blur."""

BORDER_PX = 1
"""How far the soft border of a mark reaches."""


@dataclass(frozen=True)
class Proposal:
    """What is to be repaired by the infrared.

    Attributes:
        damaged: (H, W), True = to be repaired.
        shift_px: how far the infrared was moved, down and right; None where that could not be told.
        is_capped: whether there was more that is dark, and the darkest alone is marked.
    """

    damaged: PixelMask
    shift_px: tuple[float, float] | None
    is_capped: bool


def propose_by_infrared(pixels: Pixels, infrared: Pixels) -> Proposal:
    """Dust and scratches, by an infrared channel of any scanner, gamma and depth.

    Args:
        pixels: (C, H, W) in [0, 1]; a positive or a negative.
        infrared: (H, W), likewise.

    Raises:
        MaskError: the film is opaque in infrared, as with silver.

    >>> film = np.full((64, 64), 0.5, np.float32)
    >>> bool(propose_by_infrared(film[None], film).damaged.any())
    False
    """
    shift_px = find_shift(pixels, infrared)
    if shift_px is not None and any(shift_px):
        infrared = moved(infrared, shift_px)
    side = max(COARSE_PX, int(np.ceil(np.sqrt(infrared.size / SAMPLES))))
    coarse, coarse_infrared = _means(pixels, side), _means(infrared, side)
    film = ~_holder(coarse_infrared)
    leak = fit_leak(coarse, coarse_infrared, film)
    _check_clear(leak)
    seen = _enlarged(film, side, infrared.shape) & _covered(infrared.shape, shift_px or (0, 0))
    damaged, is_capped = _marked(pixels, infrared, leak, seen)
    return Proposal(damaged, shift_px, is_capped)


def _covered(size_px: tuple[int, ...], shift_px: tuple[float, float]) -> PixelMask:
    """Where infrared that was moved lies on the picture, (H, W): what came in at a border tells nothing."""
    covered = np.ones(size_px, bool)
    for axis, shift in enumerate(shift_px):
        along = np.arange(size_px[axis])
        inside = (along >= shift) & (along <= size_px[axis] - 1 + shift)
        covered &= np.expand_dims(inside, 1 - axis)
    return covered


def _check_clear(leak: Leak) -> None:
    if leak.contrast > REPEATS and leak.explained > EXPLAINS:
        raise MaskError(
            f"Expected film whose dyes are clear in infrared; here it repeats {leak.contrast:.0%} of the "
            "picture's contrast, as with black-and-white film, whose silver is opaque. "
            "Propose masks without it: --masks auto."
        )


def _marked(pixels: Pixels, infrared: Pixels, leak: Leak, film: PixelMask) -> tuple[PixelMask, bool]:
    """What is dark, with its soft border, and whether there was more than may be."""
    leaking = leak.of(softened(pixels, infrared, leak))
    level = logarithm(infrared) - leaking
    slack = _slack(leaking, film)
    step: Plane = (_step(infrared) / np.maximum(infrared, DARKEST)).astype(np.float32)
    wide, fine_step = ndimage.gaussian_filter(level, WIDE_PX, mode="nearest"), step / np.float32(4)
    depth = np.maximum(
        _deviations(level, leaking, slack, step, film), _deviations(wide, leaking, slack, fine_step, film)
    )
    depth[~film] = 0
    depth[depth < FOOT * ndimage.grey_dilation(depth, (FOOT_PX, FOOT_PX))] = 0
    most = int(MOST * film.sum())
    faint, is_capped = FAINT, bool(np.count_nonzero(depth > FAINT) > most)
    if is_capped:
        faint = float(np.partition(depth, depth.size - most, axis=None)[depth.size - most])
    labels, _ = ndimage.label(depth > faint, np.ones((3, 3)))
    dark = _darkness(level, logarithm(infrared), film)
    dark[depth <= max(SURE, faint)] = 0
    marked = np.isin(labels, _chosen(labels, dark, _range(leaking[film])))
    grown = ndimage.binary_dilation(marked, np.ones((3, 3)), iterations=BORDER_PX)
    return grown & film, is_capped


def _darkness(level: Plane, seen: Plane, film: PixelMask) -> Plane:
    """How much darker a pixel is than its surroundings, (H, W), in the infrared itself and without its leak.

    A leak that is misjudged leaves what looks dark, but where the infrared is as light as around there is no
    dust.
    """
    darkness: Plane = np.minimum(*(_local(plane, film)[0] - plane for plane in (level, seen)))
    return darkness


def _range(leaking: Plane) -> float:
    """Of the leak's tones."""
    return float(np.ptp(np.percentile(leaking, (2, 98)))) if leaking.size else 0.0


def _chosen(labels: NDArray[np.int32], dark: Plane, leak_range: float) -> NDArray[np.int32]:
    """Which marks are damage: those that are clear, and the fainter ones on film that has enough clear ones.

    A spot of the picture in a rare tone is as dark as faint dust. Film with dust has dark dust, too.
    """
    clear = max(CLEAR, min(CLEAR_ENOUGH, CLEAR_SHARE * leak_range))
    fainter, clearer = (np.unique(labels[(dark > least) & (labels > 0)]) for least in (DEEP, clear))
    return fainter if len(clearer) >= FEW * len(fainter) else clearer


def _slack(leaking: Plane, film: PixelMask) -> Plane:
    """By how much the leak may be misjudged, (H, W): where it changes, at edges and where it stands out."""
    edges = EDGE_PX * ndimage.gaussian_gradient_magnitude(leaking, 1.0, mode="nearest")
    slack: Plane = np.maximum(edges, MISFIT * np.abs(leaking - _local(leaking, film)[0]))
    return slack


def _deviations(level: Plane, leaking: Plane, slack: Plane, step: Plane, film: PixelMask) -> Plane:
    """How many deviations of the local noise each pixel is darker than its surroundings, (H, W)."""
    usual, noise = _local(level, film)
    unexplained = _unexplained(level - usual, leaking, film)
    noise = np.hypot(np.maximum(noise, step / 2), unexplained)
    return ((usual - level - slack) / noise).astype(np.float32)


def _unexplained(off: Plane, leaking: Plane, film: PixelMask) -> Plane:
    """How far the leak is misjudged in each tone, (H, W), by what it leaves over in blocks."""
    is_film = _means(film.astype(np.float32), COARSE_PX) == 1
    rest, tones = (_means(plane, COARSE_PX)[is_film] for plane in (off, leaking))
    if len(rest) < TONES:
        return np.zeros_like(off)
    order = np.array_split(np.argsort(tones, kind="stable"), TONES)
    middles = [float(np.median(tones[some])) for some in order]
    left_over = [float(np.percentile(np.abs(rest[some]), UNEXPLAINED)) / UNEXPLAINED_SIGMA for some in order]
    spread: Plane = np.interp(leaking, middles, left_over).astype(np.float32)
    return spread


def _local(level: Plane, film: PixelMask) -> tuple[Plane, Plane]:
    """Median and robust deviation around each pixel, (H, W) each."""
    side_px = max(LOCAL_PX, int(LOCAL_SHARE * min(level.shape)))
    blocks = _blocks(level, side_px)
    is_film: PixelMask = np.all(_blocks(film, side_px), axis=-1)
    median = np.median(blocks, axis=-1)
    deviation = 1.4826 * np.median(np.abs(blocks - median[..., None]), axis=-1)
    return _smooth(median, is_film, level.shape), _smooth(deviation, is_film, level.shape)


def _smooth(blocks: Plane, known: PixelMask, size_px: tuple[int, ...]) -> Plane:
    """Values of blocks, of the nearest known one where one is unknown, as a smooth plane."""
    if known.any():
        nearest = ndimage.distance_transform_edt(~known, return_distances=False, return_indices=True)
        blocks = blocks[tuple(nearest)]
    blocks = ndimage.median_filter(blocks, 3, mode="nearest")
    rows, columns = (
        (np.arange(side) + 0.5) / side * count - 0.5
        for side, count in zip(size_px, blocks.shape, strict=True)
    )
    smooth: Plane = ndimage.map_coordinates(
        blocks, np.meshgrid(rows, columns, indexing="ij"), order=1, mode="nearest", output=np.float32
    )
    return smooth


def _blocks(plane: NDArray[T], side_px: int) -> NDArray[T]:
    """(h, w, N): the values of each block; those of about the same size that fit."""
    rows, columns = (max(1, side // side_px) for side in plane.shape)
    height, width = plane.shape[0] // rows, plane.shape[1] // columns
    cut = plane[: rows * height, : columns * width].reshape(rows, height, columns, width)
    return cut.transpose(0, 2, 1, 3).reshape(rows, columns, height * width)


def _means(planes: Pixels, side_px: int) -> Pixels:
    """Means of blocks, (..., h, w)."""
    *_, height, width = planes.shape
    rows, columns = max(1, height // side_px), max(1, width // side_px)
    tall, wide = min(side_px, height), min(side_px, width)
    cut = planes[..., : rows * tall, : columns * wide]
    means: Pixels = cut.reshape(*planes.shape[:-2], rows, tall, columns, wide).mean(axis=(-3, -1))
    return means


def _holder(infrared: Pixels) -> PixelMask:
    """Where the light is held back on a broad front from a border, (h, w)."""
    around = THICK_BLOCKS
    dark = np.pad(infrared < OPAQUE * np.median(infrared), around, constant_values=True)
    thick = ndimage.binary_opening(dark, np.ones((THICK_BLOCKS, THICK_BLOCKS)))
    labels, _ = ndimage.label(thick)
    holder = (labels == labels[0, 0])[around:-around, around:-around]
    shadow: PixelMask = ndimage.binary_dilation(holder, np.ones((3, 3)), iterations=SOFT_BLOCKS)
    return shadow


def _enlarged(blocks: PixelMask, side_px: int, size_px: tuple[int, ...]) -> PixelMask:
    """A mask of blocks as one of pixels, (H, W); the borders go on."""
    rows, columns = (
        np.minimum(np.arange(side) // side_px, count - 1)
        for side, count in zip(size_px, blocks.shape, strict=True)
    )
    return blocks[np.ix_(rows, columns)]


def _step(infrared: Pixels) -> float:
    """Between two levels of the file."""
    levels = np.unique(infrared[:: max(1, infrared.shape[0] // 64)])
    return float(np.diff(levels).min()) if len(levels) > 1 else 1 / 255
