"""Thin and small things of a scene that look like damage and are none: cables, branches, hair, highlights.

They belong to the scene: they have light and shade, stand before some things and behind others, go along
with their like, and lie below the blur of the lens.
"""

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from dip.drawing.buildings import gaps, masonry, trims, windows
from dip.drawing.curves import Canvas, Path, slow_noise, wandering
from dip.drawing.leaves import leaf_map
from dip.drawing.strokes import draw_lettering

Pixels = NDArray[np.float32]
Plane = NDArray[np.float32]


def with_scenery(rng: np.random.Generator, picture: Pixels) -> Pixels:
    """A picture with something that is easily taken for damage.

    Args:
        rng: where all chance comes from.
        picture: (3, side, side), float32 in [0, 1].
    """
    kinds = list(SCENERY)
    draw = kinds[int(rng.choice(len(kinds), p=list(SCENERY.values())))]
    made: Pixels = np.clip(draw(rng, picture), 0, 1)
    return made


def cables(rng: np.random.Generator, picture: Pixels) -> Pixels:
    """A few long smooth lines, lit from one side: cables, ropes, stems, seams."""
    side_px = picture.shape[-1]
    canvas = Canvas(side_px)
    width_px, bend = float(10 ** rng.uniform(-0.1, 0.9)), float(rng.choice([0.0, 0.02, 0.08, 0.2]))
    direction, gap_px = float(rng.uniform(0, 2 * np.pi)), float(rng.uniform(3, side_px / 3))
    first, turns = _far_start(rng, side_px, direction), rng.integers(1, 2**31)
    for number in range(int(rng.choice([1, 2, 3, 6], p=(0.4, 0.25, 0.2, 0.15)))):
        across = gap_px * number * np.array([-np.sin(direction), np.cos(direction)])
        path = wandering(np.random.default_rng(turns), first + across, direction, 2.6 * side_px, bend)
        canvas.stroke(path, np.full(len(path), width_px), np.ones(len(path)))
    return _lit(rng, picture, _partly_hidden(rng, canvas.cover()), width_px)


def branches(rng: np.random.Generator, picture: Pixels) -> Pixels:
    """A tree: limbs that fork into ever thinner ones."""
    side_px = picture.shape[-1]
    canvas = Canvas(side_px)
    width_px = float(rng.uniform(2, 10))
    start = np.array([rng.uniform(0, side_px), side_px + 3.0])
    limbs = [(start, -np.pi / 2 + rng.normal(0, 0.5), width_px, side_px * rng.uniform(0.4, 1))]
    for _ in range(int(rng.integers(6, 40))):
        where, heading, width, length = limbs.pop(0)
        path = wandering(rng, where, float(heading), float(length), 0.12, 0.1)
        canvas.stroke(path, np.linspace(width, 0.6 * width, len(path)), np.ones(len(path)))
        for _ in range(int(rng.integers(1, 4))):
            at = int(rng.integers(len(path) // 3, len(path)))
            turned = float(
                np.arctan2(*(path[at] - path[at - 1])[::-1]) + rng.choice([-1, 1]) * rng.uniform(0.2, 1)
            )
            limbs.append((path[at], turned, max(0.6, 0.65 * width), length * rng.uniform(0.4, 0.8)))
        if not limbs:
            break
    return _turned(rng, lambda p: _lit(rng, p, canvas.cover(), width_px), picture)


def tresses(rng: np.random.Generator, picture: Pixels) -> Pixels:
    """Hair, fur, fringes and grass: many strokes side by side, each with a brightness of its own."""
    side_px = picture.shape[-1]
    bend, width_px = float(rng.choice([0.05, 0.15, 0.3])), float(rng.uniform(0.6, 2.5))
    direction, spread = float(rng.uniform(0, 2 * np.pi)), float(rng.choice([0.05, 0.2, 0.6]))
    turns, length_px = int(rng.integers(1, 2**31)), side_px * float(rng.uniform(0.1, 0.9))
    middle, reach_px = rng.uniform(0, side_px, 2), side_px * float(rng.uniform(0.05, 0.4))
    light, dark = Canvas(side_px), Canvas(side_px)
    for number in range(int(10 ** rng.uniform(1, 2.2))):
        path = wandering(
            np.random.default_rng(turns),
            middle + rng.normal(0, reach_px, 2),
            direction + float(rng.normal(0, spread)),
            length_px * float(rng.uniform(0.6, 1)),
            bend,
        )
        taper = np.linspace(1, 0.3, len(path))
        canvas = light if number % 2 else dark
        canvas.stroke(
            path, width_px * taper, rng.uniform(0.1, 1) * (0.5 + 0.5 * slow_noise(rng, len(path), 6))
        )
    strength = np.float32(rng.uniform(0.1, 0.6))
    own = _colour(rng, picture)
    made = picture + (own * np.float32(0.5) - picture) * dark.cover() * strength
    lit = np.clip(own * np.float32(1.6) + np.float32(0.1), 0, 1)
    shown: Pixels = made + (lit - made) * light.cover() * strength
    return shown


def railings(rng: np.random.Generator, picture: Pixels) -> Pixels:
    """Straight bars at equal distances: fences, blinds, windows, masts, stairs."""
    side_px = picture.shape[-1]
    canvas = Canvas(side_px)
    gap_px, slope = float(10 ** rng.uniform(0.6, 1.8)), rng.normal(0, 0.08)
    width_px = min(float(10 ** rng.uniform(-0.1, 0.8)), 0.6 * gap_px)
    first = rng.uniform(0, side_px) if rng.random() < 0.3 else -0.5 * side_px
    for number in range(int(min(1.5 * side_px / gap_px, rng.choice([1, 3, 100])) + 1)):
        at = first + number * gap_px
        path = np.array([[at, -3.0], [at + slope * side_px, side_px + 3.0]])
        canvas.stroke(_filled_in(path), np.full(80, width_px), np.ones(80))
    if rng.random() < 0.5:
        rail = np.array([[-3.0, rng.uniform(0, side_px)], [side_px + 3.0, rng.uniform(0, side_px)]])
        canvas.stroke(_filled_in(rail), np.full(80, width_px * 1.5), np.ones(80))
    return _turned(rng, lambda p: _lit(rng, p, _partly_hidden(rng, canvas.cover()), width_px), picture)


def glints(rng: np.random.Generator, picture: Pixels) -> Pixels:
    """Small lights with soft borders: stars, lamps, beads, drops, the light in an eye and on a lip."""
    side_px = picture.shape[-1]
    made, light = picture, np.float32(rng.uniform(0.5, 1)) * (0.7 + 0.3 * _colour(rng, picture))
    if rng.random() < 0.6:
        made = made * np.float32(rng.uniform(0.2, 1))
    sharp, soft = Canvas(side_px), Canvas(side_px)
    for _ in range(int(10 ** rng.uniform(0, 1.8))):
        place, size_px = rng.uniform(0, side_px, 2), 10 ** rng.uniform(0, 0.9)
        (sharp if rng.random() < 0.5 else soft).ellipse(place, size_px * rng.uniform(0.6, 2.5), size_px)
    cover = np.clip(ndimage.gaussian_filter(sharp.cover(), rng.uniform(0.5, 1)) * np.float32(1.5), 0, 1)
    cover = np.maximum(cover, ndimage.gaussian_filter(soft.cover(), rng.uniform(1, 3)))
    if rng.random() < 0.5:
        made = made * (1 - np.float32(0.7) * ndimage.gaussian_filter(ndimage.grey_dilation(cover, (9, 9)), 1))
    shown: Pixels = made + (light - made) * cover
    return shown


def eyes(rng: np.random.Generator, picture: Pixels) -> Pixels:
    """Discs within almonds, with a light in the dark, and lashes: eyes, buttons, rings, portholes."""
    side_px = picture.shape[-1]
    made = picture
    for _ in range(int(rng.integers(1, 4))):
        centre, size_px = rng.uniform(0.1, 0.9, 2) * side_px, float(10 ** rng.uniform(0.8, 1.7))
        soft_px, white = size_px / rng.uniform(15, 40), rng.uniform(0.4, 0.95)
        parts = ((1.0, 0.5, white), (0.5, 0.5, rng.uniform(0.1, 0.5)), (0.25, 0.25, rng.uniform(0, 0.1)))
        for across, down, level in parts:
            disc = Canvas(side_px)
            disc.ellipse(centre, size_px * across, size_px * down)
            made = made + (np.float32(level) - made) * ndimage.gaussian_filter(disc.cover(), soft_px)
        lights, lashes = Canvas(side_px), Canvas(side_px)
        shift = rng.uniform(-0.12, 0.12, 2) * size_px
        lights.ellipse(centre + shift, *(size_px * rng.uniform(0.04, 0.14, 2)).tolist())
        for angle in np.linspace(-2.6, -0.5, int(rng.integers(0, 14))):
            root = centre + size_px * np.array([0.5 * np.cos(angle), 0.27 * np.sin(angle)])
            path = wandering(rng, root, float(angle), 0.22 * size_px, 0.3)
            lashes.stroke(path, np.linspace(size_px / 20, 0.4, len(path)), np.ones(len(path)))
        made = made * (1 - np.float32(0.8) * lashes.cover())
        made = made + (np.float32(0.95) - made) * ndimage.gaussian_filter(lights.cover(), 0.5)
    return made


def lace(rng: np.random.Generator, picture: Pixels) -> Pixels:
    """A small motif again and again: lace, embroidery, mesh, beads, printed cloth."""
    side_px = picture.shape[-1]
    canvas = Canvas(side_px)
    pitch_px = float(rng.uniform(4, 24))
    strokes = [
        wandering(rng, rng.uniform(-0.4, 0.4, 2) * pitch_px, float(rng.uniform(0, 6.3)), pitch_px, 0.8)
        for _ in range(int(rng.integers(1, 4)))
    ]
    width_px, angle = float(rng.uniform(0.7, 0.25 * pitch_px)), float(rng.uniform(0, np.pi / 2))
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]]) * pitch_px
    reach, loose = int(0.75 * side_px / pitch_px) + 1, float(rng.choice([0.0, 0.1]))
    rows = int(rng.choice([1, 3, 2 * reach]))
    for row in range(-rows // 2, rows // 2 + 1):
        for column in range(-reach, reach + 1):
            place = np.array([column + 0.5 * (row % 2), row]) @ turn + side_px / 2
            if not ((place > -pitch_px) & (place < side_px + pitch_px)).all():
                continue
            for path in strokes:
                moved = path + place + rng.normal(0, loose * pitch_px, 2)
                canvas.stroke(moved, np.full(len(path), width_px), np.ones(len(path)))
    return _lit(rng, picture, _partly_hidden(rng, canvas.cover()), width_px)


def nails(rng: np.random.Generator, picture: Pixels) -> Pixels:
    """Light ovals in a row, with soft shade on one side: nails, teeth, petals, pearls, piano keys."""
    side_px = picture.shape[-1]
    made, size_px = picture, float(rng.uniform(3, 18))
    heading, flat = float(rng.uniform(0, 2 * np.pi)), float(rng.uniform(0.4, 1))
    place, light = rng.uniform(0.1, 0.9, 2) * side_px, np.float32(rng.uniform(0.1, 0.45))
    for _ in range(int(rng.integers(1, 9))):
        place = place + size_px * rng.uniform(1, 2) * np.array([np.cos(heading), np.sin(heading)])
        disc = Canvas(side_px)
        disc.ellipse(place, size_px, size_px * flat)
        cover = disc.cover()
        lit = ndimage.gaussian_filter(cover, size_px / 6)
        down = np.roll(lit, (max(1, round(size_px / 8)), 1), (0, 1))
        made = made + light * (lit * np.float32(1.2) * cover - np.float32(0.6) * down * (1 - cover))
    return made


def outlines(rng: np.random.Generator, picture: Pixels) -> Pixels:
    """Thin light or shade along the borders of things: rims, seams, cups, collars, window frames."""
    side_px = picture.shape[-1]
    owner = leaf_map(rng, side_px, int(rng.integers(1, 12)), (side_px / 12, side_px / 2))
    inside = owner > 0
    soft_px = float(rng.uniform(0.4, 2))
    # Light comes from one side, so that a rim is seen on that side alone.
    relief = ndimage.gaussian_filter(inside.astype(np.float32), soft_px)
    down, right = np.gradient(relief)
    angle = rng.uniform(0, 2 * np.pi)
    slope = down * np.float32(np.sin(angle)) + right * np.float32(np.cos(angle))
    rim = np.clip(slope * np.float32(2.5 * soft_px), 0, 1)
    body = picture + (_colour(rng, picture) - picture) * relief * np.float32(rng.uniform(0, 1))
    shown = np.float32(rng.uniform(0.6, 1)) if rng.random() < 0.7 else np.float32(0.05)
    made: Pixels = body + (shown - body) * rim * np.float32(rng.uniform(0.3, 1))
    return made


def lettering(rng: np.random.Generator, picture: Pixels) -> Pixels:
    """Letters on a plate or on the picture itself, as on signs, pages and margins."""
    side_px = picture.shape[-1]
    cover: Pixels = np.asarray(draw_lettering(rng, side_px), np.float32)[None] / np.float32(255)
    plate, ink = (float(rng.choice(levels)) for levels in ([0.1, 0.9], [0.05, 0.95]))
    if rng.random() < 0.5:
        top, left = rng.integers(0, side_px // 2, 2)
        low, right = top + side_px // 3, left + side_px // 2
        picture = picture.copy()
        picture[:, top:low, left:right] += (np.float32(plate) - picture[:, top:low, left:right]) * np.float32(
            0.9
        )
    strength = np.float32(rng.uniform(0.5, 1))
    made: Pixels = picture + (np.float32(ink) - picture) * cover * strength
    return made


def frames(rng: np.random.Generator, picture: Pixels) -> Pixels:
    """A clean margin, as prints, slides and screens have: one side, two or all of them."""
    side_px = picture.shape[-1]
    inside = np.zeros((side_px, side_px), np.float32)
    sides = [int(10 ** rng.uniform(0.3, 1.6)) * int(rng.random() < 0.5) for _ in range(4)]
    inside[sides[0] : side_px - sides[1], sides[2] : side_px - sides[3]] = 1
    margin = np.float32(rng.choice([rng.uniform(0.8, 1), rng.uniform(0, 0.15)]))
    line = np.float32(rng.uniform(0, 0.6)) * (ndimage.grey_dilation(inside, (3, 3)) - inside)
    made: Pixels = (picture * inside + margin * (1 - inside)) * (1 - line)
    return made


SCENERY: Mapping[Callable[[np.random.Generator, Pixels], Pixels], float] = {
    cables: 0.12,
    branches: 0.08,
    tresses: 0.1,
    railings: 0.07,
    glints: 0.08,
    eyes: 0.08,
    lace: 0.06,
    nails: 0.05,
    outlines: 0.07,
    lettering: 0.04,
    frames: 0.03,
    windows: 0.08,
    masonry: 0.04,
    trims: 0.06,
    gaps: 0.04,
}
"""What is drawn, and how often."""


def _far_start(rng: np.random.Generator, side_px: int, direction: float) -> Path:
    """A point far enough back for a line to cross the picture."""
    heading = np.array([np.cos(direction), np.sin(direction)])
    made: Path = rng.uniform(0.1, 0.9, 2) * side_px - 1.2 * side_px * heading
    return made


def _filled_in(ends: Path) -> Path:
    """A straight path of eighty points between two."""
    share = np.linspace(0, 1, 80)[:, None]
    made: Path = ends[0] + share * (ends[1] - ends[0])
    return made


def _colour(rng: np.random.Generator, picture: Pixels) -> Pixels:
    """A colour that the picture has somewhere, (3, 1, 1)."""
    row, column = rng.integers(0, picture.shape[-1], 2)
    return picture[:, row, column, None, None]


def _partly_hidden(rng: np.random.Generator, cover: Plane) -> Plane:
    """A cover behind a few things of the picture, for half of them."""
    if rng.random() < 0.5:
        return cover
    side_px = cover.shape[-1]
    before = leaf_map(rng, side_px, int(rng.integers(1, 6)), (side_px / 10, side_px / 3)) > 0
    return cover * ~before


def _lit(rng: np.random.Generator, picture: Pixels, cover: Plane, width_px: float) -> Pixels:
    """Something of one of the picture's colours, or another, with light on one side, shade on the other."""
    colour = _colour(rng, picture) if rng.random() < 0.4 else rng.uniform(0, 1, (3, 1, 1)).astype(np.float32)
    if rng.random() < 0.6:
        colour = np.broadcast_to(colour.mean(axis=0), (3, 1, 1))
    round_px = max(0.5, width_px / 3)
    down, right = np.gradient(ndimage.gaussian_filter(cover, round_px))
    angle = rng.uniform(0, 2 * np.pi)
    light = (down * np.float32(np.sin(angle)) + right * np.float32(np.cos(angle))) * np.float32(round_px)
    strength = np.float32(rng.uniform(0.3, 1))
    shaded = np.clip(colour + light * np.float32(rng.uniform(0, 1.5)), 0, 1)
    cast = np.roll(cover, rng.integers(-3, 4, 2), (0, 1)) * np.float32(
        rng.uniform(0, 0.4) * rng.integers(0, 2)
    )
    below = picture * (1 - cast)
    made: Pixels = below + (shaded - below) * cover * strength
    return made


def _turned(rng: np.random.Generator, draw: Callable[[Pixels], Pixels], picture: Pixels) -> Pixels:
    """Something that is drawn upright, on a picture that is turned by quarters for the while."""
    quarters = int(rng.integers(4))
    return np.rot90(draw(np.rot90(picture, quarters, (1, 2))), -quarters, (1, 2))
