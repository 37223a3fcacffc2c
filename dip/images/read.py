"""From the bytes of a file to an image, or to a sentence that says why not."""

import io
import warnings

import numpy as np
import PIL.Image
from numpy.typing import NDArray
from PIL import ImageOps, UnidentifiedImageError

from dip.errors import ImageTooLargeError, UnreadableImageError, UnsupportedImageError
from dip.images.image import Image

MAX_PIXELS = 64_000_000
"""What is decoded at most: a file can claim any size."""

_PLAIN_MODE = {
    "1": "L",
    "L": "L",
    "LA": "LA",
    "RGB": "RGB",
    "RGBA": "RGBA",
    "RGBX": "RGB",
    "La": "LA",
    "RGBa": "RGBA",
}


def decode(content: bytes, name: str) -> Image:
    """Decode an image, upright, in its own depth and channels.

    Args:
        content: the bytes of the file.
        name: what errors call it.

    Raises:
        UnreadableImageError: the bytes are not a whole image.
        UnsupportedImageError: a kind of image that would be flattened: CMYK, Lab, animated, 16-bit colour.
        ImageTooLargeError: more than `MAX_PIXELS` pixels.
    """
    if not content:
        raise UnreadableImageError(f"Expected an image; got an empty file ({name}).")
    opened = _open(content, name)
    _refuse_what_would_be_flattened(opened, name)
    try:
        opened.load()
        upright = ImageOps.exif_transpose(opened)
    except Exception as error:
        raise UnreadableImageError(
            f"Expected a whole image; the file is damaged: {error} ({name}). Replace it from its source."
        ) from error
    icc_profile: bytes | None = opened.info.get("icc_profile")
    if upright.mode.startswith("I;16"):
        pixels = np.asarray(upright, dtype=np.uint16)[None].astype(np.float32) / np.float32(65535)
        return Image(pixels, bit_depth=16, icc_profile=icc_profile)
    return _from_8_bits(_plain(upright), icc_profile)


def _open(content: bytes, name: str) -> PIL.Image.Image:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # our own limit is lower than the one Pillow warns at
            opened = PIL.Image.open(io.BytesIO(content))
    except PIL.Image.DecompressionBombError as error:
        raise ImageTooLargeError(
            f"Expected at most {MAX_PIXELS // 10**6} megapixels; {error} ({name})."
        ) from error
    except UnidentifiedImageError as error:
        raise UnreadableImageError(
            f"Expected an image; got {len(content)} bytes of no known image format ({name})."
        ) from error
    except Exception as error:
        raise UnreadableImageError(f"Expected an image; its header is damaged: {error} ({name}).") from error
    width_px, height_px = opened.size
    if width_px * height_px > MAX_PIXELS:
        raise ImageTooLargeError(
            f"Expected at most {MAX_PIXELS // 10**6} megapixels; got {width_px}×{height_px} ({name}). "
            "Cut it into parts."
        )
    return opened


def _refuse_what_would_be_flattened(image: PIL.Image.Image, name: str) -> None:
    frames = getattr(image, "n_frames", 1)
    if frames > 1 and image.format != "MPO":  # a camera's MPO is one photograph and its preview
        raise UnsupportedImageError(
            f"Expected a single image; got {frames} frames or pages ({name}). Save one by itself."
        )
    if any(
        isinstance(part, str) and ";16" in part
        for tile in getattr(image, "tile", ())
        for part in _raw_modes(tile)
    ):
        if image.mode.startswith("I;16"):
            return
        raise UnsupportedImageError(
            f"Expected 8 bits per channel in a colour image; got 16 ({name}). Convert it to 8 bits."
        )
    if image.mode not in (*_PLAIN_MODE, "P", "PA") and not image.mode.startswith("I;16"):
        raise UnsupportedImageError(
            f"Expected a grey, RGB or palette image; got the mode {image.mode} ({name}). Convert it to RGB."
        )


def _raw_modes(tile: object) -> tuple[object, ...]:
    arguments = getattr(tile, "args", None)
    return arguments if isinstance(arguments, tuple) else (arguments,)


def _plain(image: PIL.Image.Image) -> PIL.Image.Image:
    """The image in one of the modes L, LA, RGB and RGBA."""
    if image.has_transparency_data:
        is_grey = image.mode in ("1", "L", "LA", "La")
        return image.convert("LA" if is_grey else "RGBA")
    return image.convert(_PLAIN_MODE.get(image.mode, "RGB"))


def _from_8_bits(image: PIL.Image.Image, icc_profile: bytes | None) -> Image:
    array: NDArray[np.uint8] = np.atleast_3d(np.asarray(image, dtype=np.uint8))
    channels = 1 if image.mode in ("L", "LA") else 3
    pixels = array[..., :channels].transpose(2, 0, 1).astype(np.float32) / 255
    alpha = array[..., channels].copy() if image.mode in ("LA", "RGBA") else None
    return Image(np.ascontiguousarray(pixels), alpha=alpha, icc_profile=icc_profile)
