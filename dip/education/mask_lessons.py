"""Lessons in masks: crops of drawn pictures, some under drawn damage, and the kind of each pixel."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage
from torch import Tensor

from dip.drawing.damage import worn
from dip.drawing.scenery import with_scenery

Pixels = NDArray[np.float32]
Bytes = NDArray[np.uint8]

DAMAGED_SHARE = 0.5
"""Crops with damage. The others teach what is none."""

MOST_PIECES = 8
GREY_SHARE, SEPIA_SHARE = 0.45, 0.2


@dataclass(frozen=True, eq=False)
class MaskLesson:
    """What a network is shown, and what it is to find.

    Attributes:
        pixels: (B, 3, H, W), float32 in [0, 1].
        kinds: (B, H, W), int64; 0, or the number of a kind of `dip.drawing.damage.KINDS`.
        weights: (B, H, W), float32: 0 where it is doubtful, otherwise 1.
    """

    pixels: Tensor
    kinds: Tensor
    weights: Tensor


def draw_mask_lesson(
    random: np.random.Generator, pictures: Sequence[Bytes], batch: int, side_px: int
) -> MaskLesson:
    """A batch of crops.

    Args:
        random: where all chance comes from.
        pictures: (3, H, W) each, to choose from.
        batch: crops.
        side_px: rows and columns of a crop.
    """
    prints = []
    for _ in range(batch):
        scene = _scene(random, pictures[int(random.integers(len(pictures)))], side_px)
        pieces = int(2 ** random.uniform(0, np.log2(MOST_PIECES + 1)))
        prints.append(worn(random, scene, pieces if random.random() < DAMAGED_SHARE else 0))
    return MaskLesson(
        torch.from_numpy(np.stack([made.pixels for made in prints])),
        torch.from_numpy(np.stack([made.kinds for made in prints]).astype(np.int64)),
        torch.from_numpy(np.stack([~made.doubtful for made in prints]).astype(np.float32)),
    )


def _scene(random: np.random.Generator, picture: Bytes, side_px: int) -> Pixels:
    """An undamaged photograph: a crop at some scale, with thin things in it, a lens, a tone."""
    scene = _crop(random, picture, side_px)
    # One thing in three crops of four; in some a crowd of them.
    for _ in range(int(random.choice(4, p=(0.25, 0.4, 0.25, 0.1)))):
        scene = with_scenery(random, scene)
    if random.random() < 0.6:
        blur_px = float(10 ** random.uniform(-0.5, 0.3))
        scene = ndimage.gaussian_filter(scene, (0, blur_px, blur_px), truncate=3)
    return _toned(random, scene)


def _crop(random: np.random.Generator, picture: Bytes, side_px: int) -> Pixels:
    """A part of a picture, up to three times as large as it was drawn, turned and mirrored."""
    zoom = float(random.choice([1.0, random.uniform(1, 3)]))
    part_px = min(int(side_px / zoom), picture.shape[-1])
    top, left = random.integers(0, picture.shape[1] - part_px + 1, 2)
    part = picture[:, top : top + part_px, left : left + part_px].transpose(1, 2, 0)
    if part_px != side_px:
        part = np.asarray(Image.fromarray(part).resize((side_px, side_px), Image.Resampling.BICUBIC))
    crop = part.transpose(2, 0, 1).astype(np.float32) / np.float32(255)
    if random.random() < 0.5:
        crop = crop.transpose(0, 2, 1)
    crop = crop[random.permutation(3), :: random.choice([1, -1]), :: random.choice([1, -1])]
    return np.ascontiguousarray(crop)


def _toned(random: np.random.Generator, scene: Pixels) -> Pixels:
    """Colour, grey or sepia, and faded for half of them."""
    kind = random.random()
    if kind < GREY_SHARE + SEPIA_SHARE:
        scene = np.broadcast_to(scene.mean(axis=0), scene.shape)
    if kind < SEPIA_SHARE:
        warmth = random.uniform(0.05, 0.5)
        power = np.array([1 - 0.3 * warmth, 1, 1 + warmth])[:, None, None]
        scene = (scene.astype(np.float64) ** power).astype(np.float32)
    if random.random() < 0.5:
        low, high = random.uniform(0, 0.3), random.uniform(0.6, 1)
        scene = np.float32(low) + np.float32(high - low) * scene
    return np.ascontiguousarray(scene)
