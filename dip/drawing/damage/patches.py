"""Damage in patches: dust, missing emulsion, worn borders, stains and foxing."""

import numpy as np
from scipy import ndimage

from dip.drawing.curves import Canvas
from dip.drawing.damage.layer import DUST, LOSS, STAIN, Layer, Plane, dirt, light_or_dark, paper
from dip.drawing.textures import fractal

CORNERS = 9


def dust(rng: np.random.Generator, side_px: int) -> list[Layer]:
    """Specks of any outline, from a few to many, all light or all dark."""
    canvas = Canvas(side_px)
    largest_px = float(10 ** rng.uniform(0.1, 0.7))
    turns = np.linspace(0, 2 * np.pi, CORNERS, endpoint=False)
    for _ in range(int(10 ** rng.uniform(0, 1.9))):
        radii = 0.5 * largest_px * rng.random() ** 1.5 + 0.4
        radii = radii * rng.uniform(0.5, 1.4, CORNERS) * (1 + rng.random() * np.abs(np.cos(turns)))
        outline = np.stack([radii * np.cos(turns + radii), radii * np.sin(turns + radii)], axis=-1)
        canvas.polygon(outline + rng.uniform(0, side_px, 2), float(rng.uniform(0.6, 1)))
    return [Layer(DUST, canvas.cover() * np.float32(rng.uniform(0.6, 1)), light_or_dark(rng, 0.65))]


def losses(rng: np.random.Generator, side_px: int) -> list[Layer]:
    """Missing emulsion with a ragged border, bare paper or dark, some with a rim."""
    height = _hills(rng, side_px)
    y, x = np.ogrid[:side_px, :side_px]
    field = np.full((side_px, side_px), -9.0, np.float32)
    for _ in range(int(rng.choice([1, 2, 5], p=(0.6, 0.25, 0.15)))):
        radius_px, (row, column) = 10 ** rng.uniform(0.5, 1.45), rng.uniform(0, side_px, 2)
        flatness = rng.uniform(0.4, 1)
        away = np.sqrt(((x - column) * flatness) ** 2 + ((y - row) / flatness) ** 2) / radius_px
        field = np.maximum(field, (1 - away).astype(np.float32))
    return _bared(rng, field + np.float32(rng.uniform(0.3, 0.8)) * height)


def worn_borders(rng: np.random.Generator, side_px: int) -> list[Layer]:
    """An edge or a corner of the picture where the emulsion is rubbed off."""
    y, x = np.ogrid[:side_px, :side_px]
    first, second = (line if rng.random() < 0.5 else side_px - 1 - line for line in (y, x))
    from_edge = first + 0 * second if rng.random() < 0.6 else (first + second) / rng.uniform(1.5, 4)
    depth_px = 10 ** rng.uniform(0.3, 1.1)
    field = (1 - from_edge / depth_px).astype(np.float32)
    return _bared(rng, field + np.float32(rng.uniform(0.3, 1)) * _hills(rng, side_px))


def _bared(rng: np.random.Generator, field: Plane) -> list[Layer]:
    """Where the field is above 0, with a rim for a third of them."""
    cover = np.clip(field * np.float32(rng.uniform(4, 30)), 0, 1)
    layers = [Layer(LOSS, cover * np.float32(rng.uniform(0.8, 1)), light_or_dark(rng, 0.8))]
    if rng.random() < 0.35:
        rim = ndimage.grey_dilation(cover, (3, 3)) * np.float32(rng.uniform(0.3, 0.9))
        layers.insert(0, Layer(LOSS, rim, dirt(rng)))
    return layers


def stains(rng: np.random.Generator, side_px: int) -> list[Layer]:
    """A soft brown or grey patch, with a darker rim for half of them, as a drop dries."""
    y, x = np.ogrid[:side_px, :side_px]
    row, column = rng.uniform(-0.2, 1.2, 2) * side_px
    away = np.sqrt((x - column) ** 2 + (y - row) ** 2) / (side_px * rng.uniform(0.1, 0.6))
    field = (1 - away).astype(np.float32) + np.float32(rng.uniform(0.1, 0.4)) * _hills(rng, side_px)
    cover = np.clip(field * np.float32(rng.uniform(3, 12)), 0, 1)
    if rng.random() < 0.5:
        cover = cover * np.float32(0.5) + cover * (1 - cover) * np.float32(2)
    return [Layer(STAIN, cover * np.float32(rng.uniform(0.3, 0.9)), _brown(rng), darkens=True)]


def foxing(rng: np.random.Generator, side_px: int) -> list[Layer]:
    """Small soft brown spots."""
    canvas = Canvas(side_px)
    for _ in range(int(10 ** rng.uniform(0.3, 1.6))):
        size_px = 10 ** rng.uniform(0.4, 1.1)
        canvas.ellipse(rng.uniform(0, side_px, 2), size_px, size_px * rng.uniform(0.7, 1.4))
    cover = ndimage.gaussian_filter(canvas.cover(), rng.uniform(0.8, 2.5)) * np.float32(rng.uniform(0.4, 1))
    return [Layer(STAIN, cover, _brown(rng), darkens=True)]


def pale_stains(rng: np.random.Generator, side_px: int) -> list[Layer]:
    """A soft patch that lightens, as silver fades or damp rises."""
    (stain,) = stains(rng, side_px)
    return [Layer(STAIN, stain.cover * np.float32(rng.uniform(0.3, 0.8)), paper(rng))]


def _brown(rng: np.random.Generator) -> Plane:
    """What light a stain lets through."""
    depth, warmth = rng.uniform(0.15, 0.6), rng.uniform(0, 0.35)
    through = np.array([1 - depth + warmth, 1 - depth, 1 - depth - 0.7 * warmth], np.float32)
    return np.clip(through, 0.05, 1)[:, None, None]


def _hills(rng: np.random.Generator, side_px: int) -> Plane:
    """A rough plane of mean 0 and deviation 1 that makes borders ragged."""
    plane = fractal(rng, side_px)
    made: Plane = (plane - plane.mean()) / np.float32(max(float(plane.std()), 1e-3))
    return made
