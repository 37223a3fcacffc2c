"""A picture that a program draws: nothing is photographed, and a seed draws it again."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from dip.drawing.colours import palette, toned
from dip.drawing.leaves import Owners, leaf_map
from dip.drawing.strokes import draw_lettering, draw_lines
from dip.drawing.textures import clouds, draw_texture

Pixels = NDArray[np.float32]

VERSION = 2
"""Of the generator; it changes whenever a seed draws another picture."""

OVERSAMPLING = 2
TEXTURES = 3


def draw_picture(seed: int, side_px: int = 256) -> Pixels:
    """Draw a picture: leaves with shading and textures in a few layers, lines, lettering, halftone.

    Args:
        seed: which picture. The same seed and side draw the same picture.
        side_px: its rows and columns.

    Returns:
        (3, side_px, side_px), float32 in [0, 1].

    Source: Achddou, Gousseau, Ladjal, *Synthetic images as a regularity prior for image restoration
    neural networks*, SSVM 2021, for the use of dead leaves.

    Example:
        >>> draw_picture(seed=1, side_px=32).shape
        (3, 32, 32)
    """
    rng = np.random.default_rng([VERSION, seed])
    fine_px = side_px * OVERSAMPLING
    textures = np.stack([draw_texture(rng, fine_px) for _ in range(TEXTURES)])
    picture = _background(rng, textures)
    for depth in range(int(rng.choice(4, p=(0.05, 0.45, 0.35, 0.15)))):
        picture = _with_leaves(rng, picture, textures, is_back=depth == 0)
    if rng.random() < 0.4:
        picture = _with_cover(rng, picture, draw_lines(rng, fine_px))
    if rng.random() < 0.2:
        picture = _with_cover(rng, picture, draw_lettering(rng, fine_px))
    if rng.random() < 0.03:
        picture = _halftoned(rng, picture)
    return toned(rng, _through_lens(rng, _reduced(picture)))


def _background(rng: np.random.Generator, textures: Pixels) -> Pixels:
    """A slow passage from one colour to another, as in skies and walls; half of them have a texture."""
    here, there = palette(rng, 2)
    slope = clouds(rng, textures.shape[-1]) * np.float32(0.5) + np.float32(0.5)
    strength = np.float32(rng.uniform(0, 0.25) * rng.integers(0, 2))
    made: Pixels = here[:, None, None] + (there - here)[:, None, None] * slope + strength * textures[0]
    return made


def _with_leaves(rng: np.random.Generator, picture: Pixels, textures: Pixels, is_back: bool) -> Pixels:
    """A layer of leaves over the picture; all of it or its edges alone may be out of focus."""
    side_px = picture.shape[-1]
    count = int(10 ** (rng.uniform(1.3, 3) if is_back else rng.uniform(0.3, 1.7)))
    least_px = 10 ** (rng.uniform(0.5, 1.5) if is_back else rng.uniform(0.8, 1.8))
    owner = leaf_map(rng, side_px, count, (least_px, side_px * rng.uniform(0.15, 0.6)))
    leaves = _coloured(rng, owner, textures, count)
    cover = (owner > 0).astype(np.float32)
    if rng.random() < 0.35:
        leaves, cover = _blurred(rng, leaves * cover, cover)
    else:
        leaves = leaves * cover
    return picture * (1 - cover) + leaves


def _coloured(rng: np.random.Generator, owner: Owners, textures: Pixels, count: int) -> Pixels:
    """Colour, shade and texture of the leaf at each pixel, (3, H, W)."""
    colours = palette(rng, count + 1)
    shade = _shades(rng, owner, count) + _texture_of(rng, owner, textures, count)
    if rng.random() < 0.3:
        shade -= _contours(rng, owner)
    tinted = np.float32(1) + rng.uniform(-0.3, 0.3, (3, 1, 1)).astype(np.float32) * np.float32(
        rng.integers(0, 2)
    )
    return np.moveaxis(colours[owner], -1, 0) + shade[None] * tinted


def _shades(rng: np.random.Generator, owner: Owners, count: int) -> Pixels:
    """A slope of light over each leaf."""
    side_px = owner.shape[0]
    slopes = rng.uniform(-1, 1, (2, count + 1)) * rng.choice([0.0, 0.3, 1.5], (1, count + 1)) / side_px
    down, right = slopes.astype(np.float32)
    y, x = (np.arange(side_px, dtype=np.float32) - np.float32(side_px / 2) for _ in range(2))
    made: Pixels = down[owner] * y[:, None] + right[owner] * x[None, :]
    return made


def _texture_of(rng: np.random.Generator, owner: Owners, textures: Pixels, count: int) -> Pixels:
    """A texture on each leaf, with a strength and a place of its own."""
    side_px = owner.shape[0]
    which = rng.integers(0, len(textures), count + 1)
    shift = rng.integers(0, side_px * side_px, count + 1)
    strength = rng.choice([0.08, 0.2, 0.35]) * rng.random(count + 1) * (rng.random(count + 1) < 0.8)
    place = np.arange(side_px * side_px).reshape(side_px, side_px) + shift[owner]
    place %= side_px * side_px
    place += which[owner] * (side_px * side_px)
    made: Pixels = textures.ravel()[place] * strength.astype(np.float32)[owner]
    return made


def _contours(rng: np.random.Generator, owner: Owners) -> Pixels:
    """Darkness along the edges, as where things touch."""
    edges = np.zeros(owner.shape, np.float32)
    edges[:, 1:] = owner[:, 1:] != owner[:, :-1]
    edges[1:] = np.maximum(edges[1:], owner[1:] != owner[:-1])
    width_px = rng.uniform(0.7, 4)
    made: Pixels = ndimage.gaussian_filter(edges, width_px) * np.float32(rng.uniform(0, 1) * width_px)
    return made


def _blurred(rng: np.random.Generator, leaves: Pixels, cover: Pixels) -> tuple[Pixels, Pixels]:
    """Leaves and their cover, out of focus together."""
    width_px = 10 ** rng.uniform(0, 1)
    blurred = [ndimage.gaussian_filter(plane, width_px, truncate=2.5) for plane in (*leaves, cover)]
    return np.stack(blurred[:3]), blurred[3]


def _with_cover(rng: np.random.Generator, picture: Pixels, cover: Image.Image) -> Pixels:
    """Something of one colour over the picture, where its cover says so."""
    colour = palette(rng, 1)[0][:, None, None]
    share = np.asarray(cover, np.float32)[None] * np.float32(rng.uniform(0.3, 1) / 255)
    made: Pixels = picture * (1 - share) + colour * share
    return made


def _halftoned(rng: np.random.Generator, picture: Pixels) -> Pixels:
    """The picture as a screen of dots, as printing presses make it."""
    side_px = picture.shape[-1]
    period_px, angle = rng.uniform(6, 24), rng.uniform(0, np.pi / 2)
    y, x = np.ogrid[:side_px, :side_px]
    u, v = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
    wave = np.sin(2 * np.pi * u / period_px) * np.sin(2 * np.pi * v / period_px)
    screen = (0.5 + 0.5 * wave).astype(np.float32)
    made: Pixels = np.clip((picture - screen[None]) * np.float32(rng.uniform(2, 8)) + np.float32(0.5), 0, 1)
    return made


def _reduced(picture: Pixels) -> Pixels:
    """Half the size: the mean of four pixels each."""
    pairs = picture[:, ::2] + picture[:, 1::2]
    return (pairs[:, :, ::2] + pairs[:, :, 1::2]) * np.float32(0.25)


def _through_lens(rng: np.random.Generator, picture: Pixels) -> Pixels:
    """A little blur, as a lens makes it; none for half of the pictures."""
    if rng.random() < 0.5:
        return picture
    width_px = rng.uniform(0.3, 0.9)
    return np.stack([ndimage.gaussian_filter(plane, width_px) for plane in picture])
