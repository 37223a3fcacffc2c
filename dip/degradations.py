"""How an evaluation damages a reference, reproducibly: every draw comes from the image's own seed."""

from collections.abc import Callable, Mapping

import numpy as np
import PIL.Image
from numpy.typing import NDArray
from PIL import ImageDraw, ImageFont

Observed = NDArray[np.float32]

TEXT = "Deep Image Prior restores what the letters hide. "


def with_gaussian_noise(
    pixels: NDArray[np.float32], sigma: float, random: np.random.Generator, *, clip: bool
) -> NDArray[np.float32]:
    """y = x + n, n ~ N(0, σ²), each value by itself.

    Args:
        pixels: (C, H, W) in [0, 1].
        sigma: σ in 8-bit units.
        random: where the noise comes from.
        clip: whether the result is clipped to [0, 1].
    """
    noisy = pixels + random.standard_normal(pixels.shape, dtype=np.float32) * np.float32(sigma / 255)
    return np.clip(noisy, 0, 1) if clip else noisy


def missing_pixels(size_px: tuple[int, int], share: float, random: np.random.Generator) -> Observed:
    """A Bernoulli mask: each pixel is missing with the probability `share`.

    Returns:
        (H, W), float32; 1 = observed, 0 = missing.
    """
    return (random.random(size_px) >= share).astype(np.float32)


def shaped_mask(shape: str, size_px: tuple[int, int], random: np.random.Generator) -> Observed:
    """A mask that hides `text`, `scratches` or a `box`.

    Returns:
        (H, W), float32; 1 = observed, 0 = hidden.
    """
    height_px, width_px = size_px
    canvas = PIL.Image.new("1", (width_px, height_px), 1)
    _SHAPES[shape](ImageDraw.Draw(canvas), size_px, random)
    return np.asarray(canvas, dtype=np.float32)


def _draw_text(draw: ImageDraw.ImageDraw, size_px: tuple[int, int], random: np.random.Generator) -> None:
    height_px, width_px = size_px
    font_px = max(8, min(size_px) // 12)
    font = ImageFont.load_default(font_px)
    start = int(random.integers(len(TEXT)))
    letters = (TEXT * (2 + width_px // (2 * len(TEXT))))[start:]
    for row, top in enumerate(range(0, height_px, round(1.6 * font_px))):
        draw.text((0, top), letters[7 * row % len(TEXT) :], fill=0, font=font)


def _draw_scratches(draw: ImageDraw.ImageDraw, size_px: tuple[int, int], random: np.random.Generator) -> None:
    """Long, slightly bent lines from edge to edge, as in film and old prints."""
    height_px, width_px = size_px
    thickness_px = max(1, min(size_px) // 128)
    for _ in range(8):
        x, drift = random.uniform(0, width_px), random.normal(0, width_px / 40, size=9).cumsum()
        points = [(x + float(d), height_px * i / 8) for i, d in enumerate(drift)]
        draw.line(points, fill=0, width=thickness_px)


def _draw_box(draw: ImageDraw.ImageDraw, size_px: tuple[int, int], random: np.random.Generator) -> None:
    """A square hole with a quarter of the shorter side."""
    side_px = max(1, min(size_px) // 4)
    top, left = (int(random.integers(length - side_px + 1)) for length in size_px)
    draw.rectangle((left, top, left + side_px - 1, top + side_px - 1), fill=0)


_Draw = Callable[[ImageDraw.ImageDraw, tuple[int, int], np.random.Generator], None]
_SHAPES: Mapping[str, _Draw] = {"text": _draw_text, "scratches": _draw_scratches, "box": _draw_box}
