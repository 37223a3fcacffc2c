"""From the samples of a TIFF's page to levels: every depth, palette and photometric interpretation known."""

from typing import Any

import numpy as np
import PIL.Image
import tifffile
from numpy.typing import NDArray

from dip.errors import UnsupportedImageError
from dip.images.image import Levels, scaled

CHANNELS = {"MINISBLACK": 1, "MINISWHITE": 1, "RGB": 3, "PALETTE": 3, "YCBCR": 3}
_ALPHA = (1, 2)
_OLD_JPEG = 6
_JPEG = (_OLD_JPEG, 7, 34892)
"""Compressions whose decoder converts luma and chroma by itself (JPEG)."""
_COEFFICIENTS, _SUBSAMPLING, _REFERENCE_BLACK_WHITE = 529, 530, 532
_LUMA = [0.299, 0.587, 0.114]
_KINDS = {"i": "signed integers", "f": "floating-point numbers", "c": "complex numbers"}


def check_kind(page: Any, name: str) -> None:
    """Refuse what would be flattened or misread, by its name.

    Raises:
        UnsupportedImageError: it would.
    """
    photometric = getattr(page.photometric, "name", page.photometric)
    if photometric not in CHANNELS:
        raise UnsupportedImageError(
            f"Expected a grey, RGB or palette image; got the mode {photometric} ({name}). Convert it to RGB."
        )
    _check_depth(page, name)
    if photometric == "YCBCR" and page.compression not in _JPEG:
        _check_whole_chroma(page, name)
    compression = getattr(page.compression, "name", page.compression)
    if page.compression not in tifffile.TIFF.DECOMPRESSORS:
        raise UnsupportedImageError(
            f"Expected a compression that can be decoded; got {compression} ({name}). Save it with another."
        )
    if page.predictor not in tifffile.TIFF.UNPREDICTORS:
        raise UnsupportedImageError(
            f"Expected a predictor that is known; got {page.predictor} ({name}). Save it without one."
        )
    if page.imagedepth > 1:
        raise UnsupportedImageError(
            f"Expected a flat image; got a volume of {page.imagedepth} planes ({name}). Save one by itself."
        )


def _check_depth(page: Any, name: str) -> None:
    kind, bits = getattr(page.dtype, "kind", ""), page.bitspersample
    if kind not in "bu" or not kind or not isinstance(bits, int) or not 1 <= bits <= 16:
        raise UnsupportedImageError(
            f"Expected integers of 1 to 16 bits, the same of each sample; got {bits} bits, "
            f"{_KINDS.get(kind, 'integers')} ({name}). Convert it."
        )


def kinds_beside(page: Any) -> list[int]:
    """What each sample beside the colours is: 0 no known meaning, 1 or 2 alpha, associated or not."""
    colours = _stored_colours(page)
    said = [int(kind) for kind in page.extrasamples]
    kinds = [kind if kind in _ALPHA else 0 for kind in said]
    first = next((number for number, kind in enumerate(kinds) if kind), None)
    return [kinds[n] if n == first else 0 for n in range(page.samplesperpixel - colours)]


def _stored_colours(page: Any) -> int:
    photometric = page.photometric.name
    return 1 if photometric == "PALETTE" else CHANNELS[photometric]


def alpha_of(page: Any) -> int | None:
    """Which of the samples beside the colours says that it is alpha, counted from 0."""
    kinds = kinds_beside(page)
    return next((number for number, kind in enumerate(kinds) if kind), None)


def levels_of(page: Any) -> Levels:
    """(H, W, channels, then alpha if there is one, then other samples), uint8 or uint16; black is 0.

    Args:
        page: one that `check_kind` let pass.

    Raises:
        Exception: it is damaged; whatever tifffile raises then.
    """
    photometric, bits = page.photometric.name, page.bitspersample
    samples = _samples(page)
    colours = _stored_colours(page)
    top = 2**bits - 1
    colour, further = samples[..., :colours], scaled(samples[..., colours:], top)
    if photometric == "PALETTE":
        planes: Levels = _colours(page.colormap, colour[..., 0])
        further = further if further.dtype == np.uint8 else (further >> 8).astype(np.uint8)
    elif photometric == "YCBCR" and page.compression not in _JPEG:
        planes = scaled(_rgb(page, colour, top), top)
    else:
        planes = scaled(top - colour if photometric == "MINISWHITE" else colour, top)
    return np.concatenate([planes, _alpha_first(further, alpha_of(page))], axis=2)


def _samples(page: Any) -> NDArray[Any]:
    """(H, W, samples), integers as the file has them.

    Raises:
        NotImplementedError: JPEG of the old kind, whose tables lie anywhere, and not where the decoder looks.
    """
    try:
        array = page.asarray()
    except Exception as error:
        if page.compression != _OLD_JPEG:
            raise
        raise NotImplementedError(f"its compression is JPEG of the old kind (6); {error}") from error
    if page.axes == "SYX":
        array = array.transpose(1, 2, 0)
    elif array.ndim == 2:
        array = array[..., None]
    samples: NDArray[Any] = array.astype(np.uint8) if array.dtype == np.bool_ else array
    return samples


def _colours(colormap: NDArray[np.uint16], indices: NDArray[Any]) -> Levels:
    """The colours of a palette. Some software writes values of 8 bits where 16 are meant."""
    is_of_8_bits = colormap.max() <= 255
    colours = (colormap if is_of_8_bits else colormap >> 8).astype(np.uint8)
    return np.ascontiguousarray(colours.T[indices])


def _alpha_first(further: Levels, alpha: int | None) -> Levels:
    if not alpha:
        return further
    order = [alpha, *(number for number in range(further.shape[2]) if number != alpha)]
    return further[..., order]


def _check_whole_chroma(page: Any, name: str) -> None:
    """Refuse chroma in fewer samples than there are pixels."""
    found = page.tags.get(_SUBSAMPLING)
    steps = (2, 2) if found is None else found.value
    if tuple(steps) != (1, 1):
        raise UnsupportedImageError(
            f"Expected luma and chroma (YCbCr) of each pixel; got chroma subsampled {steps[0]}×{steps[1]} "
            f"({name}). Convert it to RGB."
        )


def _rgb(page: Any, samples: NDArray[Any], top: int) -> Levels:
    """Luma and chroma as red, green and blue. Source: TIFF 6.0, section 21."""
    middle = (top + 1) / 2
    usual = [0, top, middle, top, middle, top]
    red, green, blue = coefficients = _numbers(page, _COEFFICIENTS) or _LUMA
    ranges = _numbers(page, _REFERENCE_BLACK_WHITE) or usual
    if samples.dtype == np.uint8 and np.allclose([*coefficients, *ranges], [*_LUMA, *usual]):
        return np.asarray(
            PIL.Image.frombytes("YCbCr", samples.shape[1::-1], samples.tobytes()).convert("RGB")
        )
    widths = (top, top - middle, top - middle)
    luma, chroma_blue, chroma_red = (
        (samples[..., n].astype(np.float64) - ranges[2 * n]) * widths[n] / (ranges[2 * n + 1] - ranges[2 * n])
        for n in range(3)
    )
    r = luma + chroma_red * (2 - 2 * red)
    b = luma + chroma_blue * (2 - 2 * blue)
    planes = np.stack([r, (luma - red * r - blue * b) / green, b], axis=2)
    converted: Levels = np.rint(planes.clip(0, top)).astype(samples.dtype)
    return converted


def _numbers(page: Any, tag: int) -> list[float]:
    """The fractions of a tag; none if it is not there."""
    found = page.tags.get(tag)
    values = () if found is None else found.value
    return [above / below for above, below in zip(values[::2], values[1::2], strict=True)]
