"""Lessons: crops of drawn pictures, damaged as scans are, in batches."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from dip.drawing.leaves import leaf_map
from dip.drawing.strokes import draw_lettering, draw_lines
from dip.operators.downsampling import Downsampling
from dip.operators.filling import filled
from dip.operators.grain import by_tones, correlated, white_noise
from dip.operators.measurement import enlarged_bicubic
from dip.operators.simulation import compressed, missing_pixels

Pixels = NDArray[np.float32]
Bytes = NDArray[np.uint8]

SCALES = (2, 3, 4, 4, 4, 6, 8)

DAMAGES: Mapping[str, float] = {"white": 0.5, "grain": 0.25, "jpeg": 0.25, "holes": 0.2}
"""What can be taught for denoising: how often each noise is drawn, and how many crops have holes."""

STRONGEST = {"white": 60, "grain": 40, "jpeg": 30}
"""σ of the strongest noise, in 8-bit units."""

CLEAN_SHARE = 0.04
"""Crops without any noise, which are to stay as they are."""


@dataclass(frozen=True, eq=False)
class Lesson:
    """What a network is shown, and what it is to draw.

    Attributes:
        clean: (B, 3, H, W), float32 in [0, 1].
        y: (B, 3, H, W), float32, damaged, its holes filled.
        observed: (B, 1, H, W), float32, 1 = observed, 0 = hole.
    """

    clean: Tensor
    y: Tensor
    observed: Tensor


def draw_lesson(
    task: str,
    damages: Sequence[str],
    random: np.random.Generator,
    pictures: Sequence[Bytes],
    batch: int,
    side_px: int,
) -> Lesson:
    """A batch of damaged crops.

    Args:
        task: `denoise` or `super-resolution`.
        damages: names in `DAMAGES`, for `denoise`.
        random: where all chance comes from.
        pictures: (3, H, W) each, to choose from.
        batch: crops.
        side_px: rows and columns of a crop; a multiple of 24 for super-resolution.
    """
    crops = [_crop(random, pictures[int(random.integers(len(pictures)))], side_px) for _ in range(batch)]
    if task == "super-resolution":
        damaged = [enlarging(random, crop) for crop in crops]
    else:
        damaged = [denoising(random, crop, damages) for crop in crops]
    clean = torch.from_numpy(np.stack(crops))
    y, observed = (torch.from_numpy(np.stack(part)) for part in zip(*damaged, strict=True))
    return Lesson(clean, filled(y, observed[:, None]), observed[:, None])


def denoising(random: np.random.Generator, clean: Pixels, damages: Sequence[str]) -> tuple[Pixels, Pixels]:
    """Noise of the kinds that are asked for; a fifth of the crops have holes, most of these no noise."""
    everywhere = np.ones(clean.shape[1:], np.float32)
    noises = [name for name in damages if name != "holes"]
    has_holes = "holes" in damages and (not noises or random.random() < DAMAGES["holes"])
    observed = observed_pixels(random, clean.shape[1]) if has_holes else everywhere
    if not noises or (has_holes and random.random() < 0.7):
        return clean, observed
    return noisy(random, clean, noises), observed


def enlarging(random: np.random.Generator, clean: Pixels) -> tuple[Pixels, Pixels]:
    """The bicubic enlargement of a smaller image, of 8 bits."""
    factor, (height_px, width_px) = int(random.choice(SCALES)), clean.shape[1:]
    small = Downsampling.by(factor, "bicubic", height_px, width_px)(torch.from_numpy(clean)[None])[0]
    return enlarged_bicubic(in_8_bits(small.numpy()), (height_px, width_px)), np.ones(
        clean.shape[1:], np.float32
    )


def noisy(random: np.random.Generator, clean: Pixels, noises: Sequence[str]) -> Pixels:
    """y of a picture (3, H, W): white noise or grain of any strength, or either under JPEG.

    Args:
        random: where all chance comes from.
        clean: the picture.
        noises: of `white`, `grain` and `jpeg`, those that are drawn.
    """
    if random.random() < CLEAN_SHARE:
        return in_8_bits(clean)
    shares = np.array([DAMAGES[name] for name in noises])
    kind, strength = random.choice(noises, p=shares / shares.sum()), random.random() ** 1.5
    is_grey = bool((np.ptp(clean, axis=0) < 1e-3).mean() > 0.99)
    has_grain = kind == "grain" or (kind == "jpeg" and random.random() < 0.7)
    noise = grain(random, clean, is_grey) if has_grain else white_noise(random, clean.shape, float(is_grey))
    y = clean + noise * np.float32(strength * STRONGEST[str(kind)] / 255)
    if kind == "jpeg":
        return compressed(y, int(random.integers(20, 96)))
    return in_8_bits(y) if random.random() < 0.6 else y


def grain(random: np.random.Generator, clean: Pixels, is_grey: bool) -> Pixels:
    """Grain of deviation 1, of any size, shared by the channels or not; half of it follows the tones."""
    shared = 1.0 if is_grey else float(random.choice([0.0, 1.0, random.random()], p=(0.2, 0.1, 0.7)))
    white = white_noise(random, clean.shape, shared)
    noise = correlated(white, random.uniform(0.3, 1.7), sharpened=random.random() < 0.12)
    return by_tones(noise, clean) if random.random() < 0.5 else noise


def observed_pixels(random: np.random.Generator, side_px: int) -> Pixels:
    """Which pixels are left, (side, side), 1 = observed: random ones, or all but lines, letters, patches."""
    kind = random.random()
    if kind < 0.6:
        return missing_pixels((side_px, side_px), random.uniform(0.1, 0.9), random).astype(np.float32)
    if kind < 0.75:
        holes = np.asarray(draw_lines(random, side_px)) > 127
    elif kind < 0.85:
        holes = np.asarray(draw_lettering(random, side_px)) > 127
    else:
        holes = leaf_map(random, side_px, int(random.integers(1, 25)), (1.0, 14.0)) > 0
    return np.where(holes & (holes.mean() < 0.95), np.float32(0), np.float32(1))


def in_8_bits(pixels: Pixels) -> Pixels:
    """The values that a file of 8 bits holds."""
    made: Pixels = np.rint(np.clip(pixels, 0, 1) * np.float32(255)) / np.float32(255)
    return made


def _crop(random: np.random.Generator, picture: Bytes, side_px: int) -> Pixels:
    """A crop of a picture: turned, mirrored, in other colours or none, or as a negative."""
    top, left = random.integers(0, picture.shape[1] - side_px + 1, 2)
    crop = picture[:, top : top + side_px, left : left + side_px].astype(np.float32) / np.float32(255)
    if random.random() < 0.5:
        crop = crop.transpose(0, 2, 1)
    if random.random() < 0.5:
        crop = crop[random.permutation(3)]
    # In grey, where no colour gives the grain away, it is hardest to tell from texture.
    if random.random() < 0.15:
        crop = np.repeat(crop.mean(axis=0, keepdims=True), 3, axis=0)
    crop = crop[:, :: random.choice([1, -1]), :: random.choice([1, -1])]
    return np.ascontiguousarray(1 - crop if random.random() < 0.15 else crop)
