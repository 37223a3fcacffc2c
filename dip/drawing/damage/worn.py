"""A worn print and its scan: a picture under drawn damage, and the exact mask of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from dip.drawing.damage import lines, patches
from dip.drawing.damage.layer import Layer, Pixels, Plane
from dip.operators.grain import by_tones, correlated, white_noise
from dip.operators.simulation import compressed

KINDS = ("crack", "scratch", "dust", "loss", "stain")
"""In the order of their numbers, which begin with 1; 0 is no damage."""

DAMAGE: Mapping[Callable[[np.random.Generator, int], list[Layer]], float] = {
    lines.cracks: 0.24,
    lines.webs: 0.05,
    lines.tears: 0.05,
    lines.folds: 0.08,
    lines.flakes: 0.06,
    lines.scratches: 0.17,
    lines.hairs: 0.08,
    patches.dust: 0.11,
    patches.losses: 0.06,
    patches.worn_borders: 0.04,
    patches.stains: 0.02,
    patches.foxing: 0.03,
    patches.pale_stains: 0.01,
}
"""What is drawn, and how often."""

COVERED, TOUCHED = 0.45, 0.1
"""How far a pixel must be covered to be damaged, and how far it may be without being doubtful."""

FAINTEST = 0.035
"""Change of a pixel below which nobody sees it: nine 8-bit levels."""


@dataclass(frozen=True, eq=False)
class WornPrint:
    """A damaged picture and what is wrong with it.

    Attributes:
        pixels: (3, H, W), float32 in [0, 1].
        kinds: (H, W), uint8: 0, or the number of a kind.
        doubtful: (H, W), bool: soft borders and what is too faint to be told, neither damaged nor not.
    """

    pixels: Pixels
    kinds: NDArray[np.uint8]
    doubtful: NDArray[np.bool_]


def worn(rng: np.random.Generator, picture: Pixels, pieces: int) -> WornPrint:
    """A picture under drawn damage, as a scanner shows it.

    Args:
        rng: where all chance comes from.
        picture: (3, side, side), float32 in [0, 1].
        pieces: of damage; with 0 it is scanned alone.

    Example:
        >>> print_ = worn(np.random.default_rng(1), np.full((3, 64, 64), 0.5, np.float32), pieces=3)
        >>> print_.pixels.shape, bool(print_.kinds.any())
        ((3, 64, 64), True)
    """
    chosen = rng.choice(len(DAMAGE), pieces, p=list(DAMAGE.values()))
    draw = list(DAMAGE)
    layers = [layer for number in chosen for layer in draw[number](rng, picture.shape[-1])]
    blur_px = float(rng.choice([0.0, rng.uniform(0.3, 1.0)]))
    kinds = np.zeros(picture.shape[1:], np.uint8)
    cover = np.zeros(picture.shape[1:], np.float32)
    damaged = picture
    for layer in layers:
        damaged = layer.over(damaged)
        if layer.kind:
            seen = _blurred(layer.cover, blur_px)
            kinds[seen > np.maximum(COVERED * seen.max(), cover * np.float32(0.7))] = layer.kind
            cover = np.maximum(cover, seen / max(float(seen.max()), 0.3))
    change = np.abs(damaged - picture).mean(axis=0)
    # Grain before the damage, which has none, and the scanner's own noise over both.
    before, after = rng.choice([0.0, 0.0, rng.uniform(0, 8), rng.uniform(0, 25)], 2) * (1.0, 0.35)
    grain = _grain(rng, picture, before)
    gone = np.clip(cover, 0, 1) * np.float32(rng.uniform(0.5, 1))
    pixels = _blurred(damaged + grain * (1 - gone), blur_px)
    visible = _blurred(change, blur_px) > max(FAINTEST, 1.3 * (before**2 + after**2) ** 0.5 / 255)
    damaged_pixels = (cover > COVERED) & visible & (kinds > 0)
    doubtful = (cover > TOUCHED) & ~damaged_pixels & (change > 0.01)
    return WornPrint(
        scanned(rng, pixels, after),
        np.where(damaged_pixels, kinds, 0).astype(np.uint8),
        doubtful,
    )


def scanned(rng: np.random.Generator, pixels: Pixels, sigma: float) -> Pixels:
    """A picture with the noise of a scanner, of 8 bits, half of them under JPEG.

    Args:
        rng: where all chance comes from.
        pixels: (3, H, W).
        sigma: of the noise, in 8-bit units.
    """
    noisy = np.clip(pixels + _grain(rng, pixels, sigma), 0, 1)
    if rng.random() < 0.5:
        return compressed(noisy, int(rng.integers(35, 97)))
    made: Pixels = np.rint(noisy * np.float32(255)) / np.float32(255)
    return made


def _grain(rng: np.random.Generator, pixels: Pixels, sigma: float) -> Pixels:
    if sigma < 0.5:
        return np.zeros_like(pixels)
    is_grey = bool(np.abs(pixels[0] - pixels[2]).max() < 0.01)
    shared = 1.0 if is_grey else float(rng.uniform(0, 1))
    noise = correlated(white_noise(rng, pixels.shape, shared), float(rng.uniform(0.2, 1.5)))
    noise = by_tones(noise, np.clip(pixels, 0, 1)) if rng.random() < 0.5 else noise
    made: Pixels = noise * np.float32(sigma / 255)
    return made


def _blurred(planes: Plane, width_px: float) -> Plane:
    """A plane (H, W) or planes (C, H, W) after a Gaussian blur."""
    if width_px == 0:
        return planes
    widths = (0.0,) * (planes.ndim - 2) + (width_px, width_px)
    made: Plane = ndimage.gaussian_filter(planes, widths, truncate=3)
    return made
