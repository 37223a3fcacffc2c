"""Straight and regular things of a scene that look like damage: windows, masonry, trims, gaps."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from dip.drawing.curves import Canvas, Path, slow_noise, wandering
from dip.drawing.leaves import leaf_map

Pixels = NDArray[np.float32]


def windows(rng: np.random.Generator, picture: Pixels) -> Pixels:
    """Panes between bars, light on dark or dark on light: windows, lattices, tiles, shelves."""
    side_px = picture.shape[-1]
    made = picture
    for _ in range(int(rng.integers(1, 4))):
        corner, size = rng.uniform(-0.2, 0.7, 2) * side_px, rng.uniform(0.2, 0.9, 2) * side_px
        across, down = rng.integers(1, 6, 2).tolist()
        width_px, slope = float(10 ** rng.uniform(-0.1, 0.75)), float(rng.normal(0, 0.04))
        panes, bars = Canvas(side_px), Canvas(side_px)
        panes.polygon(corner + np.array([[0, 0], [1, slope], [1, 1 + slope], [0, 1]]) * size)
        for share in np.linspace(0, 1, across + 1):
            ends = np.array([[share, share * slope], [share, 1 + share * slope]])
            _bar(bars, corner + ends * size, width_px * (1.5 if share in (0, 1) else 1))
        for share in np.linspace(0, 1, down + 1):
            ends = np.array([[0, share], [1, share + slope]])
            _bar(bars, corner + ends * size, width_px * (1.5 if share in (0, 1) else 1))
        behind, front = _light_and_dark(rng)
        made = made + (behind - made) * panes.cover() * np.float32(rng.uniform(0.3, 1))
        made = made + (front - made) * bars.cover() * np.float32(rng.uniform(0.6, 1))
    return made


def masonry(rng: np.random.Generator, picture: Pixels) -> Pixels:
    """Joints between stones in rows, which wander a little: walls, pavements, roofs."""
    side_px = picture.shape[-1]
    canvas = Canvas(side_px)
    row_px, width_px = float(10 ** rng.uniform(0.9, 1.7)), float(10 ** rng.uniform(-0.2, 0.4))
    bend, loose = float(rng.choice([0.0, 0.03, 0.15])), float(rng.uniform(0, 0.3))
    for top in np.arange(-row_px, side_px + row_px, row_px):
        height = top + rng.normal(0, loose * row_px / 3)
        _joint(rng, canvas, np.array([-3.0, height]), 0.0, 1.1 * side_px, width_px, bend)
        at = rng.uniform(-2 * row_px, 0)
        while at < side_px:
            at += row_px * rng.uniform(2 - 3 * loose, 2 + 3 * loose)
            _joint(rng, canvas, np.array([at, height]), np.pi / 2, row_px, width_px, bend)
    _, tone = _light_and_dark(rng)
    tone = 1 - tone if rng.random() < 0.6 else tone
    made: Pixels = picture + (tone - picture) * canvas.cover() * np.float32(rng.uniform(0.3, 1))
    return made


def trims(rng: np.random.Generator, picture: Pixels) -> Pixels:
    """Things with straight sides, and a light or dark band along some of them: eaves, hems, kerbs, pipes."""
    side_px = picture.shape[-1]
    made = picture
    for _ in range(int(rng.integers(1, 6))):
        body, band = Canvas(side_px), Canvas(side_px)
        turns = np.sort(rng.uniform(0, 2 * np.pi, int(rng.integers(3, 6))))
        around = np.stack([np.cos(turns), np.sin(turns)], axis=1)
        outline = rng.uniform(0, side_px, 2) + around * side_px * rng.uniform(0.15, 0.7)
        body.polygon(outline)
        width_px = float(10 ** rng.uniform(0, 0.9))
        for number in range(int(rng.integers(1, len(turns)))):
            _bar(band, outline[number : number + 2], width_px)
        behind, front = _light_and_dark(rng)
        made = made + (behind - made) * body.cover() * np.float32(rng.uniform(0, 1))
        shade = np.roll(band.cover(), rng.integers(-4, 5, 2), (0, 1)) * np.float32(rng.uniform(0, 0.6))
        made = made * (1 - shade) + (front - made * (1 - shade)) * band.cover()
    return made


def gaps(rng: np.random.Generator, picture: Pixels) -> Pixels:
    """Sky, light or night between things that stand before it: branches, limbs, cups, doors."""
    side_px = picture.shape[-1]
    owner = leaf_map(rng, side_px, int(10 ** rng.uniform(0.7, 1.7)), (side_px / 15, side_px / 2.5))
    front = ndimage.gaussian_filter((owner > 0).astype(np.float32), rng.uniform(0.3, 1.2))
    _, light = _light_and_dark(rng)
    slope = np.linspace(0, rng.normal(0, 0.15), side_px, dtype=np.float32)[:, None]
    made: Pixels = picture * front + np.clip(light + slope, 0, 1) * (1 - front)
    return made


def _light_and_dark(rng: np.random.Generator) -> tuple[Pixels, Pixels]:
    """What is behind and what is before, (3, 1, 1): dark and light for two of three, or the other way."""
    dark, light = rng.uniform(0, 0.5), rng.uniform(0.6, 1)
    tint = rng.uniform(-0.1, 0.1, (2, 3, 1, 1)) * rng.integers(0, 2)
    levels = [dark, light] if rng.random() < 0.67 else [light, dark]
    behind, front = (
        np.clip(level + own, 0, 1).astype(np.float32) for level, own in zip(levels, tint, strict=True)
    )
    return behind, front


def _bar(canvas: Canvas, ends: Path, width_px: float) -> None:
    """A straight stroke of one width, (2, 2), x and y of its ends."""
    path = ends[0] + np.linspace(0, 1, 60)[:, None] * (ends[1] - ends[0])
    canvas.stroke(path, np.full(60, width_px), np.ones(60))


def _joint(
    rng: np.random.Generator,
    canvas: Canvas,
    start: Path,
    direction: float,
    length_px: float,
    width_px: float,
    bend: float,
) -> None:
    path = wandering(rng, start, direction, length_px, bend)
    levels = 0.4 + 0.6 * slow_noise(rng, len(path), 5)
    canvas.stroke(path, width_px * (0.6 + 0.8 * slow_noise(rng, len(path), 6)), levels)
