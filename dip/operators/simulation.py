"""How an evaluation makes its input from a reference: every draw comes from the image's own seed."""

import io
from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
import PIL.Image
import torch
from PIL import ImageDraw, ImageFont

from dip.configuration import Configuration, Degradation
from dip.errors import ImageError
from dip.images.image import PixelMask, Pixels, rounded
from dip.operators.grain import film_grain
from dip.operators.measurement import Measurement, forward_operator, measured

TEXT = "Deep Image Prior restores what the letters hide. "


def with_noise(pixels: Pixels, degradation: Degradation, random: np.random.Generator) -> Pixels:
    """y: the image with the noise of a degradation; what it hides is another matter.

    Args:
        pixels: (C, H, W) in [0, 1].
        degradation: what happens to it.
        random: where the noise comes from.

    Returns:
        (C, H, W), float32, not clipped: additive noise leads beyond [0, 1].

    >>> grey = np.full((1, 100, 100), 0.5, np.float32)
    >>> noisy = with_noise(grey, Degradation(sigma=25), np.random.default_rng(0))
    >>> round(255 * float(noisy.std()))
    25
    """
    if degradation.poisson is not None:
        photons = random.poisson(pixels.astype(np.float64) * degradation.poisson)
        pixels = (photons / degradation.poisson).astype(np.float32)
    if degradation.sigma is not None:
        deviation = np.float32(degradation.sigma / 255)
        pixels = pixels + random.standard_normal(pixels.shape, dtype=np.float32) * deviation
    if degradation.grain_sigma_and_size is not None:
        pixels = pixels + film_grain(pixels, *degradation.grain_sigma_and_size, random)
    if degradation.impulse is not None:
        extremes = random.integers(0, 2, pixels.shape).astype(np.float32)
        pixels = np.where(random.random(pixels.shape) < degradation.impulse, extremes, pixels)
    return pixels if degradation.jpeg is None else compressed(pixels, degradation.jpeg)


def compressed(pixels: Pixels, quality: int) -> Pixels:
    """The image after a JPEG compression, with Pillow's chroma subsampling.

    >>> pixels = np.random.default_rng(0).random((3, 20, 30), np.float32)
    >>> finer, coarser = (np.abs(compressed(pixels, quality) - pixels).mean() for quality in (95, 5))
    >>> bool(finer < coarser)
    True
    """
    planes = np.rint(np.clip(pixels, 0, 1) * 255).astype(np.uint8).transpose(1, 2, 0)
    buffer = io.BytesIO()
    PIL.Image.fromarray(planes.squeeze(2) if planes.shape[2] == 1 else planes).save(
        buffer, format="JPEG", quality=quality
    )
    decoded = np.atleast_3d(np.asarray(PIL.Image.open(buffer), dtype=np.float32) / 255)
    return np.ascontiguousarray(decoded.transpose(2, 0, 1))


def hidden(
    degradation: Degradation, size_px: tuple[int, int], random: np.random.Generator
) -> PixelMask | None:
    """Which pixels a degradation leaves, (H, W), True = left; None if it hides none.

    >>> hidden(Degradation(missing=0.3), (100, 100), np.random.default_rng(0)).mean().round(1)
    np.float64(0.7)
    >>> hidden(Degradation(sigma=25), (100, 100), np.random.default_rng(0)) is None
    True
    """
    if degradation.mask is not None:
        return shaped_mask(degradation.mask, size_px, random)
    if degradation.missing is not None:
        return missing_pixels(size_px, degradation.missing, random)
    return None


def missing_pixels(size_px: tuple[int, int], share: float, random: np.random.Generator) -> PixelMask:
    """A Bernoulli mask: each pixel is missing with the probability `share`.

    Returns:
        (H, W); True = observed, False = missing.

    >>> missing_pixels((100, 100), 0.3, np.random.default_rng(0)).mean().round(1)
    np.float64(0.7)
    """
    observed: PixelMask = random.random(size_px) >= share
    return observed


def shaped_mask(shape: str, size_px: tuple[int, int], random: np.random.Generator) -> PixelMask:
    """A mask that hides `text`, `scratches` or a `box`.

    Returns:
        (H, W); True = observed, False = hidden.

    >>> bool(shaped_mask("box", (100, 100), np.random.default_rng(0)).all())
    False
    """
    height_px, width_px = size_px
    canvas = PIL.Image.new("1", (width_px, height_px), 1)
    _SHAPES[shape](ImageDraw.Draw(canvas), size_px, random)
    return np.array(canvas, dtype=np.bool_)


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


def simulated(
    reference: Pixels, configuration: Configuration, degradation: Degradation, seed: int
) -> Measurement:
    """The measurement of a damaged reference, made by the operator that enters the loss.

    Args:
        reference: (C, H, W) in [0, 1].
        configuration: what is asked for.
        degradation: how the reference is damaged.
        seed: of noise and masks.

    Raises:
        ImageError: the reference is smaller than the protocol's crop, or too small for its mask.

    >>> reference = np.full((3, 20, 30), 0.5, np.float32)
    >>> measurement = simulated(reference, Configuration("inpaint"), Degradation(missing=0.5), seed=0)
    >>> bool((measurement.y[:, ~measurement.observed] == 0).all())
    True
    """
    random = np.random.default_rng(seed)
    reference, corner_px = _cropped(reference, configuration)
    operator = forward_operator(configuration, reference.shape[1:])
    clean = operator(torch.from_numpy(reference)[None])[0].numpy()
    if configuration.scale_factor > 1:
        clean = rounded(clean).astype(np.float32)  # low resolution comes in files of 8 bits
    degraded = with_noise(clean, degradation, random)
    if configuration.evaluation_protocol.clips_noise:
        degraded = np.clip(degraded, 0, 1)
    observed = hidden(degradation, degraded.shape[1:], random)
    if observed is not None and not 0 < observed.mean() < 1:
        raise ImageError(
            "Expected an image large enough to hide a part of it; "
            f"{'all' if observed.mean() == 0 else 'none'} of its {observed.size} pixels would be hidden."
        )
    measurement = measured(degraded, observed, configuration)
    return replace(measurement, reference=reference, corner_px=corner_px)


def _cropped(reference: Pixels, configuration: Configuration) -> tuple[Pixels, tuple[int, int]]:
    """The reference at a size the protocol can evaluate, and where its corner was."""
    multiple = configuration.evaluation_protocol.crop_multiple
    factor = multiple or configuration.scale_factor
    _, height_px, width_px = reference.shape
    inner = (height_px // factor * factor, width_px // factor * factor)
    if 0 in inner:
        raise ImageError(
            f"Expected a reference of at least {factor}×{factor} pixels for this evaluation; "
            f"got {width_px}×{height_px}."
        )
    centred = ((height_px - inner[0]) // 2, (width_px - inner[1]) // 2)
    top, left = (0, 0) if multiple is None else centred
    return np.ascontiguousarray(reference[:, top : top + inner[0], left : left + inner[1]]), (top, left)
