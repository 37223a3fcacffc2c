"""Damage along lines: cracks and tears that wander and branch, folds, scratches, hairs."""

import numpy as np
from scipy import ndimage

from dip.drawing.curves import Canvas, Path, slow_noise, wandering
from dip.drawing.damage.layer import (
    CRACK,
    DUST,
    SCRATCH,
    Layer,
    Plane,
    dirt,
    light_or_dark,
    paper,
    shifted,
)
from dip.drawing.textures import clouds


def cracks(rng: np.random.Generator, side_px: int) -> list[Layer]:
    """A crack that wanders and branches, with changing width and brightness, often with a dark edge."""
    canvas = Canvas(side_px)
    width_px = float(10 ** rng.uniform(-0.1, 0.7))
    bend, kinks = float(rng.choice([0.05, 0.15, 0.35])), float(rng.choice([0.0, 0.4, 0.9]))
    length_px = side_px * float(rng.uniform(0.2, 1.6))
    branches = int(rng.choice(5, p=(0.4, 0.25, 0.15, 0.1, 0.1)))
    steadiness = float(rng.uniform(0, 1))
    parents = [
        _crack(rng, canvas, _edge_or_inside(rng, side_px), length_px, width_px, bend, kinks, steadiness)
    ]
    for _ in range(branches):
        parent = parents[int(rng.integers(len(parents)))]
        at = int(rng.integers(len(parent) - 1))
        heading = np.arctan2(*(parent[at + 1] - parent[at])[::-1])
        turn = rng.choice([-1, 1]) * rng.uniform(0.3, 1.5)
        part = float(rng.uniform(0.15, 0.7))
        start = (parent[at], float(heading + turn))
        parents.append(
            _crack(rng, canvas, start, part * length_px, width_px * part**0.5, bend, kinks, steadiness)
        )
    return _with_edge(rng, canvas.cover(), light_or_dark(rng, 0.8))


def _crack(
    rng: np.random.Generator,
    canvas: Canvas,
    start: tuple[Path, float],
    length_px: float,
    width_px: float,
    bend: float,
    kinks: float,
    steadiness: float,
) -> Path:
    path = wandering(rng, *start, length_px, bend, kinks)
    count = len(path)
    swell = 0.4 + 1.2 * slow_noise(rng, count, int(rng.integers(3, 16)))
    taper = np.minimum(1, np.linspace(rng.uniform(1, 6), 0.2, count))
    levels = steadiness + (1 - steadiness) * 1.6 * slow_noise(rng, count, int(rng.integers(3, 12)))
    canvas.stroke(path, width_px * swell * taper, np.minimum(levels, 1))
    return path


def _with_edge(rng: np.random.Generator, cover: Plane, colour: Plane) -> list[Layer]:
    """A cover, and below it the shadow of its edge, for half of them."""
    strength = np.float32(rng.uniform(0.5, 1))
    damage = Layer(CRACK, cover * strength, colour)
    if rng.random() < 0.5:
        return [damage]
    rows, columns = rng.integers(-2, 3, 2).tolist()
    shadow = shifted(ndimage.grey_dilation(cover, (3, 3)), rows, columns) * np.float32(rng.uniform(0.2, 0.8))
    return [Layer(CRACK, shadow, dirt(rng)), damage]


def _edge_or_inside(rng: np.random.Generator, side_px: int) -> tuple[Path, float]:
    """Where a line begins, and in which direction it goes: from an edge inwards, or anywhere."""
    start = rng.uniform(0, side_px, 2)
    if rng.random() < 0.5:
        start[int(rng.integers(2))] = rng.choice([-2.0, side_px + 2.0])
        towards = rng.uniform(0.2, 0.8, 2) * side_px - start
        return start, float(np.arctan2(towards[1], towards[0]))
    return start, float(rng.uniform(0, 2 * np.pi))


def webs(rng: np.random.Generator, side_px: int) -> list[Layer]:
    """A net of fine cracks, as in old varnish and brittle emulsion."""
    canvas = Canvas(side_px)
    width_px, bend = float(rng.uniform(0.6, 1.6)), float(rng.choice([0.1, 0.3]))
    steadiness = float(rng.uniform(0.3, 1))
    for _ in range(int(rng.integers(5, 25))):
        start = (rng.uniform(0, side_px, 2), float(rng.uniform(0, 2 * np.pi)))
        length_px = side_px * float(rng.uniform(0.1, 0.8))
        _crack(rng, canvas, start, length_px, width_px, bend, 0.5, steadiness)
    return _with_edge(rng, canvas.cover(), light_or_dark(rng, 0.7))


def tears(rng: np.random.Generator, side_px: int) -> list[Layer]:
    """A tear from an edge, with paper in it, wide at the edge and with ragged sides."""
    canvas = Canvas(side_px)
    start = rng.uniform(0, side_px, 2)
    start[int(rng.integers(2))] = rng.choice([-2.0, side_px + 2.0])
    towards = rng.uniform(0.2, 0.8, 2) * side_px - start
    direction = float(np.arctan2(towards[1], towards[0]))
    path = wandering(rng, start, direction, side_px * float(rng.uniform(0.2, 0.9)), 0.2, 0.6)
    count = len(path)
    widths = np.linspace(rng.uniform(2, 9), 0.5, count) * (0.4 + 1.2 * slow_noise(rng, count, 3))
    canvas.stroke(path, widths, np.ones(count))
    return _with_edge(rng, canvas.cover(), paper(rng))


def folds(rng: np.random.Generator, side_px: int) -> list[Layer]:
    """A crease across the picture: flaked in places, with soft light and shade along it."""
    canvas, broad = Canvas(side_px), Canvas(side_px)
    at, slope = rng.uniform(-0.1, 1.1) * side_px, rng.normal(0, 0.08)
    start = np.array([-5.0, at])
    path = wandering(rng, start, slope, 1.3 * side_px, 0.02)
    if rng.random() < 0.5:
        path = path[:, ::-1]
    count = len(path)
    flaked = np.clip((slow_noise(rng, count, int(rng.integers(2, 8))) - rng.uniform(0.0, 0.5)) * 6, 0, 1)
    width_px = float(10 ** rng.uniform(-0.05, 0.6))
    canvas.stroke(path, width_px * (0.5 + slow_noise(rng, count, 3)), flaked)
    broad.stroke(path, np.full(count, rng.uniform(3, 9)), np.ones(count))
    shade = ndimage.gaussian_filter(broad.cover(), rng.uniform(1.5, 4)) * np.float32(rng.uniform(0, 0.25))
    damage = Layer(CRACK, canvas.cover() * np.float32(rng.uniform(0.6, 1)), light_or_dark(rng, 0.85))
    return [Layer(0, shade, light_or_dark(rng, 0.5)), damage]


def scratches(rng: np.random.Generator, side_px: int) -> list[Layer]:
    """Straight scratches, light or dark, one or a bundle of them."""
    canvas = Canvas(side_px)
    colour = light_or_dark(rng, 0.65)
    direction = float(rng.choice([rng.uniform(0, np.pi), np.pi / 2 + rng.normal(0, 0.02)], p=(0.7, 0.3)))
    spread, together = float(rng.choice([0.01, 0.08, 1.5])), rng.random() < 0.5
    middle, bend = rng.uniform(0, side_px, 2), float(rng.choice([0.0, 0.0, 0.02, 0.06]))
    width_px, length = float(10 ** rng.uniform(-0.3, 0.4)), float(rng.uniform(0.1, 1.5))
    for _ in range(int(rng.choice([1, 2, 4, 8, 14], p=(0.35, 0.25, 0.2, 0.12, 0.08)))):
        where = middle + rng.normal(0, side_px / 12, 2) if together else rng.uniform(0, side_px, 2)
        length_px = side_px * length * float(rng.uniform(0.5, 1.2))
        heading = direction + float(rng.uniform(-spread, spread))
        start = where - 0.5 * length_px * np.array([np.cos(heading), np.sin(heading)])
        path = wandering(rng, start, heading, length_px, bend)
        count = len(path)
        gaps = 1.0 if rng.random() < 0.6 else np.clip(slow_noise(rng, count, 5) * 4 - 1, 0, 1)
        level = rng.uniform(0.5, 1) * np.minimum(1, np.linspace(0, rng.uniform(3, 30), count)[::-1])
        widths = width_px * rng.uniform(0.6, 1.3) * (0.8 + 0.4 * slow_noise(rng, count, 8))
        canvas.stroke(path, widths, level * gaps)
    return [Layer(SCRATCH, canvas.cover() * np.float32(rng.uniform(0.5, 1)), colour)]


def hairs(rng: np.random.Generator, side_px: int) -> list[Layer]:
    """Hairs and fibres that lay on the glass: thin, smooth, curled, as dark or light as dust."""
    canvas = Canvas(side_px)
    width_px = float(rng.uniform(0.6, 2))
    for _ in range(int(rng.choice([1, 2, 4, 10], p=(0.5, 0.25, 0.15, 0.1)))):
        start = (rng.uniform(0, side_px, 2), float(rng.uniform(0, 2 * np.pi)))
        path = wandering(rng, *start, 10 ** float(rng.uniform(1, 2)), float(rng.uniform(0.2, 0.7)))
        canvas.stroke(path, np.full(len(path), width_px), np.ones(len(path)))
    return [Layer(DUST, canvas.cover() * np.float32(rng.uniform(0.6, 1)), light_or_dark(rng, 0.6))]


def flakes(rng: np.random.Generator, side_px: int) -> list[Layer]:
    """A crack along which the emulsion flaked off in places."""
    canvas = Canvas(side_px)
    start, direction = _edge_or_inside(rng, side_px)
    path = wandering(rng, start, direction, side_px * float(rng.uniform(0.3, 1.4)), 0.15, 0.3)
    count = len(path)
    patchy = np.clip(slow_noise(rng, count, int(rng.integers(4, 20))) * 3 - 1.5, 0, 1) ** 2
    canvas.stroke(path, 0.8 + patchy * rng.uniform(4, 12), np.ones(count))
    ragged = np.clip(canvas.cover() + np.float32(0.6) * clouds(rng, side_px) * (canvas.cover() > 0), 0, 1)
    return _with_edge(rng, np.clip(ragged * 2 - np.float32(0.4), 0, 1), light_or_dark(rng, 0.85))
