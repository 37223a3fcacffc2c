"""How an evaluation damages a reference, reproducibly: every draw comes from the image's own seed."""

import io
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import get_args

import numpy as np
import PIL.Image
from numpy.typing import NDArray
from PIL import ImageDraw, ImageFont

from dip.errors import ConfigurationError, expect_between, expect_one_of
from dip.operators import OPERATORS
from dip.vocabulary import MaskShape

Pixels = NDArray[np.float32]
Observed = NDArray[np.float32]

TINY = 1e-9

TEXT = "Deep Image Prior restores what the letters hide. "


@dataclass(frozen=True)
class Degradation:
    """What happens to a reference, in this order; a super-resolution shrinks it first.

    Attributes:
        poisson: photons per pixel at full brightness; shot noise follows from their number.
        sigma: standard deviation of Gaussian noise, in 8-bit units.
        impulse: share of values replaced by black or white.
        jpeg: quality of a JPEG compression, 1 to 95.
        missing: share of pixels left out at random.
        mask: shape of what is left out instead.
    """

    poisson: float | None = None
    sigma: float | None = None
    impulse: float | None = None
    jpeg: int | None = None
    missing: float | None = None
    mask: MaskShape | None = None

    @property
    def is_noisy(self) -> bool:
        """Whether observed pixels differ from the reference's."""
        return any(value is not None for value in (self.poisson, self.sigma, self.impulse, self.jpeg))

    @property
    def hides(self) -> bool:
        """Whether some pixels are left out."""
        return self.missing is not None or self.mask is not None

    @property
    def words(self) -> list[str]:
        """The degradation as `name=value` words."""
        return [f"{name}={value}" for name, value in asdict(self).items() if value is not None]

    def check(self, task: str) -> None:
        """See whether it goes with a task.

        Raises:
            ConfigurationError: a value is out of range, or the task gets nothing to do, or too much.
        """
        expect_between("a noise level σ in (0, 255]", self.sigma, TINY, 255)
        expect_between("a number of photons in (0, 10⁹]", self.poisson, TINY, 1e9)
        expect_between("a share of values in (0, 1]", self.impulse, TINY, 1)
        expect_between("a JPEG quality from 1 to 95", self.jpeg, 1, 95)
        expect_between("a share of missing pixels in (0, 1)", self.missing, TINY, 1 - TINY)
        if self.mask is not None:
            expect_one_of("a mask shape", self.mask, get_args(MaskShape))
        if self.missing is not None and self.mask is not None:
            raise ConfigurationError("Expected either a share of missing pixels or a mask's shape; got both.")
        if OPERATORS[task].repairs and not self.hides:
            raise ConfigurationError(
                "Expected an inpainting evaluation to say what is missing: either a share of the pixels "
                "(missing) or a shape (mask)."
            )
        if task == "denoise" and (self.hides or not self.is_noisy):
            raise ConfigurationError(
                "Expected a denoising evaluation to add noise (sigma, poisson, impulse or jpeg) and to hide "
                f"nothing; got {' '.join(self.words) or 'neither'}."
            )


def with_noise(pixels: Pixels, degradation: Degradation, random: np.random.Generator) -> Pixels:
    """y: the image with the noise of a degradation; what it hides is another matter.

    Args:
        pixels: (C, H, W) in [0, 1].
        degradation: what happens to it.
        random: where the noise comes from.

    Returns:
        (C, H, W), float32, not clipped: additive noise leads beyond [0, 1].
    """
    if degradation.poisson is not None:
        photons = random.poisson(pixels.astype(np.float64) * degradation.poisson)
        pixels = (photons / degradation.poisson).astype(np.float32)
    if degradation.sigma is not None:
        deviation = np.float32(degradation.sigma / 255)
        pixels = pixels + random.standard_normal(pixels.shape, dtype=np.float32) * deviation
    if degradation.impulse is not None:
        extremes = random.integers(0, 2, pixels.shape).astype(np.float32)
        pixels = np.where(random.random(pixels.shape) < degradation.impulse, extremes, pixels)
    return pixels if degradation.jpeg is None else compressed(pixels, degradation.jpeg)


def compressed(pixels: Pixels, quality: int) -> Pixels:
    """The image after a JPEG compression, with Pillow's chroma subsampling."""
    planes = np.rint(np.clip(pixels, 0, 1) * 255).astype(np.uint8).transpose(1, 2, 0)
    buffer = io.BytesIO()
    PIL.Image.fromarray(planes.squeeze(2) if planes.shape[2] == 1 else planes).save(
        buffer, format="JPEG", quality=quality
    )
    decoded = np.atleast_3d(np.asarray(PIL.Image.open(buffer), dtype=np.float32) / 255)
    return np.ascontiguousarray(decoded.transpose(2, 0, 1))


def hidden(
    degradation: Degradation, size_px: tuple[int, int], random: np.random.Generator
) -> Observed | None:
    """Which pixels a degradation leaves, (H, W), float32, 1 = observed; None if it hides none."""
    if degradation.mask is not None:
        return shaped_mask(degradation.mask, size_px, random)
    if degradation.missing is not None:
        return missing_pixels(size_px, degradation.missing, random)
    return None


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
