"""From the bytes of a file to an image, or to a sentence that says why not."""

import io
import warnings
from typing import Any

import numpy as np
import PIL.Image
from PIL import UnidentifiedImageError

from dip.errors import DipError, ImageTooLargeError, UnreadableImageError, UnsupportedImageError
from dip.images.formats import jpeg2000, png, tiff
from dip.images.image import MAX_PIXELS, UPRIGHT, Image, Levels, check_size, image_of, known_orientation
from dip.images.metadata import IPTC_RESOURCE, Metadata, usable_density

# Pillow warns of sizes that are refused here, and of damaged tags, which are carried as they are. The filter
# is set once: several threads read at a time, and `warnings.catch_warnings` would undo what another has set.
warnings.filterwarnings("ignore", module=r"PIL\.")

_ORIENTATION_TAG = 274
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
        UnsupportedImageError: a kind of image that would be flattened: CMYK, Lab, animated, of more pages,
            floating-point.
        ImageTooLargeError: more than `MAX_PIXELS` pixels.

    >>> from dip.images import encode
    >>> image = decode(encode(Image(np.zeros((3, 20, 30), np.float32)), "png"), "black.png")
    >>> image.size_px, image.channels, image.bit_depth
    ((20, 30), 3, 8)
    """
    if not content:
        raise UnreadableImageError(f"Expected an image; got an empty file ({name}).")
    try:
        if content.startswith(tiff.SIGNATURES):
            return tiff.decode_tiff(content, name)
        opened = _open(content, name)
        _check_kind(opened, name)
        return _decoded(content, opened)
    except DipError:
        raise
    except Exception as error:
        raise UnreadableImageError(
            f"Expected a whole image; the file is damaged: {error} ({name}). Replace it from its source."
        ) from error


def _open(content: bytes, name: str) -> PIL.Image.Image:
    try:
        opened = PIL.Image.open(io.BytesIO(content))
    except PIL.Image.DecompressionBombError as error:
        raise ImageTooLargeError(
            f"Expected at most {MAX_PIXELS // 10**6} megapixels; {error} ({name})."
        ) from error
    except UnidentifiedImageError as error:
        raise UnreadableImageError(
            f"Expected an image; got {len(content)} bytes of no known image format ({name})."
        ) from error
    check_size(*opened.size, name)
    return opened


def _check_kind(image: PIL.Image.Image, name: str) -> None:
    frames = getattr(image, "n_frames", 1)
    if frames > 1 and image.format != "MPO":  # a camera's MPO is one photograph and its preview
        raise UnsupportedImageError(
            f"Expected a single image; got {frames} frames or pages ({name}). Save one by itself."
        )
    if image.mode not in (*_PLAIN_MODE, "P", "PA") and not image.mode.startswith("I;16"):
        raise UnsupportedImageError(
            f"Expected a grey, RGB or palette image; got the mode {image.mode} ({name}). Convert it to RGB."
        )


def _decoded(content: bytes, opened: PIL.Image.Image) -> Image:
    if opened.format == "JPEG2000":
        levels = jpeg2000.decode_levels(content)
    elif opened.format == "PNG" and _loses_bits(opened):
        levels = png.decode_16_bits(content)
    else:
        levels = _levels(opened)
    opened.load()  # what stands behind the pixels in the file is read now
    metadata = _metadata(content, opened)
    channels = 1 if levels.shape[2] < 3 else 3
    return image_of(levels, channels, _orientation(metadata.exif), metadata)


def _orientation(exif: bytes | None) -> int:
    """What the tags say; upright where they are too damaged for any reader."""
    tags = PIL.Image.Exif()
    try:
        tags.load(exif or b"")
    except SyntaxError:
        return UPRIGHT
    return known_orientation(tags.get(_ORIENTATION_TAG))


def _loses_bits(image: PIL.Image.Image) -> bool:
    """Whether there are 16 bits in the file of which Pillow makes 8, or a transparent grey it overlooks."""
    raw_modes = [getattr(tile, "args", None) for tile in getattr(image, "tile", ())]
    is_plain_grey = image.mode.startswith("I;16") and "transparency" not in image.info
    return not is_plain_grey and any(";16" in str(mode) for mode in raw_modes)


def _levels(image: PIL.Image.Image) -> Levels:
    """(H, W, channels and alpha)."""
    if image.mode.startswith("I;16"):
        levels: Levels = np.asarray(image, dtype=np.uint16)[..., None]
        return levels
    return np.atleast_3d(np.asarray(_plain(image), dtype=np.uint8))


def _plain(image: PIL.Image.Image) -> PIL.Image.Image:
    """The image in one of the modes L, LA, RGB and RGBA."""
    if image.has_transparency_data:
        is_grey = image.mode in ("1", "L", "LA", "La")
        return image.convert("LA" if is_grey else "RGBA")
    return image.convert(_PLAIN_MODE.get(image.mode, "RGB"))


def _metadata(content: bytes, image: PIL.Image.Image) -> Metadata:
    if image.format == "JPEG2000":
        return jpeg2000.read_metadata(content)
    info: dict[Any, Any] = image.info
    resources = info.get("photoshop")
    exif = info.get("exif")
    return Metadata(
        icc_profile=info.get("icc_profile"),
        exif=None if exif is None else exif.removeprefix(b"Exif\0\0"),
        xmp=info.get("xmp"),
        iptc=resources.get(IPTC_RESOURCE) if isinstance(resources, dict) else None,
        dpi=usable_density(info.get("dpi")),
        chunks=png.metadata_chunks(content) if image.format == "PNG" else (),
    )
