"""Thin things that lie over a picture: lines, wires, branches, hair, and lettering."""

import numpy as np
from PIL import Image, ImageDraw, ImageFont

LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789    .,;:!?&"


def draw_lines(rng: np.random.Generator, side_px: int) -> Image.Image:
    """Curves that wander across the picture.

    Args:
        rng: where all chance comes from.
        side_px: rows and columns.

    Returns:
        An image of mode L, 255 on the lines.
    """
    cover = Image.new("L", (side_px, side_px), 0)
    pen = ImageDraw.Draw(cover)
    direction, spread = rng.uniform(0, 2 * np.pi), rng.choice([0.1, 0.5, 3.0])
    bend, widest_px = rng.choice([0.0, 0.05, 0.3]), rng.integers(1, 8)
    for _ in range(int(10 ** rng.uniform(0, 1.8))):
        steps = int(rng.integers(2, 24))
        turns = direction + rng.uniform(-spread, spread) + np.cumsum(rng.uniform(-bend, bend, steps))
        length_px = rng.uniform(0.3, 1.5) * side_px / steps
        strides = np.stack([np.cos(turns), np.sin(turns)], axis=-1) * length_px
        path = rng.uniform(-0.2, 1.1, 2) * side_px + np.cumsum(strides, axis=0)
        pen.line(path.flatten().tolist(), fill=255, width=int(rng.integers(1, widest_px + 1)), joint="curve")
    return cover


def draw_lettering(rng: np.random.Generator, side_px: int) -> Image.Image:
    """Lines of letters, upright or turned, of one size or growing.

    Args:
        rng: where all chance comes from.
        side_px: rows and columns.

    Returns:
        An image of mode L, 255 on the letters.
    """
    cover = Image.new("L", (side_px, side_px), 0)
    pen = ImageDraw.Draw(cover)
    font_px = int(10 ** rng.uniform(1.1, 2.1))
    font = ImageFont.load_default(font_px)
    rows = int(rng.integers(1, 9))
    top, left = rng.uniform(-0.1, 0.7) * side_px, rng.uniform(-0.1, 0.4) * side_px
    for row in range(rows):
        words = "".join(LETTERS[k] for k in rng.integers(0, len(LETTERS), int(rng.integers(3, 50))))
        pen.text((left, top + row * font_px * 1.3), words, fill=255, font=font)
    if rng.random() < 0.5:
        cover = cover.rotate(float(rng.uniform(-90, 90)), Image.Resampling.BILINEAR)
    return cover
