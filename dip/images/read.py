"""From the bytes of a file to an image, or to a sentence that says why not."""

import io
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
import PIL.Image
from PIL import UnidentifiedImageError

from dip.errors import DipError, ImageTooLargeError, UnreadableImageError, UnsupportedImageError
from dip.images import photoshop, xmp
from dip.images.formats import avif, bmp, jpeg, jpeg2000, netpbm, png, tiff
from dip.images.image import MAX_PIXELS, Image, Levels, check_size, image_of, known_orientation_in
from dip.images.metadata import Metadata, usable_density, without_old_pixels
from dip.images.remarks import kept_off_the_console

# Pillow warns of sizes that are refused here, and of damaged tags, which are carried as they are. The filter
# is set once: several threads read at a time, and `warnings.catch_warnings` would undo what another has set.
warnings.filterwarnings("ignore", module=r"PIL\.")

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
_LIMITS = re.compile(r"unsupported|not supported|not implemented|cannot handle|requires the", re.IGNORECASE)
"""How libraries say of a sound file that they do not know its kind."""


class Pages:
    """The pages of a file, each decoded when it is asked for. All kinds of files but TIFF have one.

    Args:
        content: the bytes of the file.
        name: what errors call it.
        has_infrared: whether a page of a TIFF can be the infrared channel of the one before it.

    Raises:
        UnreadableImageError: the bytes are not a whole image.
        UnsupportedImageError: they are of a kind that cannot be decoded.

    >>> from dip.images import encode, joined
    >>> page = encode(Image(np.zeros((3, 20, 30), np.float32)), "tiff")
    >>> pages = Pages(joined([page, page], "tiff"), "scan.tif")
    >>> len(pages), pages.decoded(1).size_px
    (2, (20, 30))
    """

    def __init__(self, content: bytes, name: str, has_infrared: bool = False) -> None:
        if not content:
            raise UnreadableImageError(f"Expected an image; got an empty file ({name}).")
        self._content, self._name = content, name
        self._tiff: tiff.TiffPages | None = None
        self._remarks: tuple[str, ...] = ()
        if content.startswith(tiff.SIGNATURES):
            with _said(name), kept_off_the_console() as remarks:
                self._tiff = tiff.TiffPages(content, name, has_infrared)
            self._remarks = tuple(remarks)

    def __len__(self) -> int:
        """How many there are."""
        return 1 if self._tiff is None else len(self._tiff)

    def decoded(self, number: int = 0) -> Image:
        """One of them, counted from 0, upright, in its own depth and channels.

        Raises:
            UnreadableImageError: the bytes are not a whole image.
            UnsupportedImageError: a kind of image that would be flattened: CMYK, Lab, animated,
                floating-point.
            ImageTooLargeError: more than `MAX_PIXELS` pixels.
        """
        with _said(self._name):
            with kept_off_the_console() as remarks:
                if self._tiff is None:
                    image = _decoded(self._content, self._name)
                else:
                    image = self._tiff.decoded(number)
            notes = (*image.notes, *self._remarks, *remarks)
            return _without_what_holds_no_longer(replace(image, notes=notes))

    def check_single(self) -> None:
        """Refuse several pages where there is use for one.

        Raises:
            UnsupportedImageError: there are several.
        """
        if len(self) > 1:
            raise UnsupportedImageError(
                f"Expected a single image; got {len(self)} frames or pages ({self._name}). "
                "Save one by itself."
            )


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
    pages = Pages(content, name)
    pages.check_single()
    return pages.decoded()


@contextmanager
def _said(name: str) -> Iterator[None]:
    """Say in a sentence what libraries find wrong with a file."""
    try:
        yield
    except DipError:
        raise
    except Exception as error:
        is_limit = _LIMITS.search(str(error)) and not isinstance(error, TypeError)  # "unsupported operand"
        if isinstance(error, NotImplementedError) or is_limit:
            raise UnsupportedImageError(
                f"Expected a kind of image that can be decoded; this one cannot: {error} ({name}). "
                "Convert it, for example to TIFF or PNG."
            ) from error
        raise UnreadableImageError(
            f"Expected a whole image; the file is damaged: {error} ({name}). Replace it from its source."
        ) from error


def _without_what_holds_no_longer(image: Image) -> Image:
    metadata, notes = without_old_pixels(image.metadata)
    problem = None if metadata.xmp is None else xmp.problem_of(metadata.xmp)
    if problem is not None:
        notes = (*notes, f"The XMP packet was not carried: it is no well-formed XML ({problem}).")
    return replace(image, metadata=metadata, notes=(*image.notes, *notes))


def _decoded(content: bytes, name: str) -> Image:
    if content.startswith(png.SIGNATURE):
        return png.decode_png(content, name)
    if content.startswith(jpeg2000.SIGNATURES):
        return jpeg2000.decode_jpeg2000(content, name)
    if content.startswith(netpbm.SIGNATURES):
        return netpbm.decode_netpbm(content, name)
    if content.startswith(bmp.SIGNATURE) and bmp.has_masks(content):
        return bmp.decode_masked(content, name)
    frame = jpeg.frame_of(content) if content.startswith(jpeg.SIGNATURE) else None
    if frame is not None and not frame.is_usual:
        metadata = Metadata(comment=jpeg.comment(content))
        levels = jpeg.decode_unusual(content, frame, name)
        return image_of(levels, levels.shape[2], metadata=metadata)
    return _opened(content, name)


def _opened(content: bytes, name: str) -> Image:
    """An image of one of the formats that are read through Pillow."""
    opened = _open(content, name)
    _check_kind(opened, name)
    if opened.format == "AVIF" and avif.bits_of(content) > 8:
        levels = avif.decode_levels(content)
    else:
        levels = _levels(opened)
    opened.load()  # what stands behind the pixels in the file is read now
    metadata = _metadata(content, opened)
    channels = 1 if levels.shape[2] < 3 else 3
    orientation = known_orientation_in(metadata.exif)
    return image_of(levels, channels, orientation, metadata=metadata, notes=_notes(opened))


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


def _notes(image: PIL.Image.Image) -> tuple[str, ...]:
    others = getattr(image, "n_frames", 1) - 1
    return (f"{others} further pictures in the file, such as a preview, were dropped.",) if others else ()


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
    info: dict[Any, Any] = image.info
    exif, comment = info.get("exif"), info.get("comment")
    metadata = Metadata(
        icc_profile=info.get("icc_profile"),
        exif=None if exif is None else exif.removeprefix(b"Exif\0\0"),
        xmp=info.get("xmp"),
        comment=comment if isinstance(comment, bytes) else None,
        dpi=usable_density(info.get("dpi")),
    )
    return _with_segments(metadata, content) if image.format in ("JPEG", "MPO") else metadata


def _with_segments(metadata: Metadata, content: bytes) -> Metadata:
    """The metadata with what Pillow passes over in a JPEG."""
    resources = jpeg.photoshop_resources(content)
    packet = metadata.xmp
    extension = None if packet is None else jpeg.extended_xmp(content, packet)
    return replace(
        metadata,
        xmp=packet if packet is None or extension is None else xmp.joined(packet, extension),
        iptc=photoshop.content_of(resources, photoshop.IPTC),
        photoshop=photoshop.without(resources, photoshop.ELSEWHERE) or None,
        comment=jpeg.comment(content),
    )
