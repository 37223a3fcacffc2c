"""Damaged files: none may crash a worker, hang, or fill the memory."""

import contextlib
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dip.errors import ImageError, ImageTooLargeError, UnreadableImageError, UnsupportedImageError
from dip.images import decode
from tests.test_formats import SOURCES, tiff


# No deadline: a tag can claim millions of pixels, which are made before they are missed.
@settings(deadline=None, max_examples=300)
@given(
    st.sampled_from(sorted(SOURCES)), st.integers(0, 5000), st.binary(min_size=1, max_size=40), st.booleans()
)
def test_damaged_files_raise_nothing_but_our_own_errors(name, position, noise, is_cut):
    content = bytearray(SOURCES[name])
    position %= len(content)
    content[position : position + len(noise)] = b"" if is_cut else noise
    with contextlib.suppress(ImageError):
        decode(bytes(content), name)


def with_tag(content: bytes, tag: int, value: int) -> bytes:
    """A little-endian TIFF with another value in a tag."""
    changed = bytearray(content)
    (start,) = struct.unpack_from("<I", changed, 4)
    (count,) = struct.unpack_from("<H", changed, start)
    for entry in range(start + 2, start + 2 + 12 * count, 12):
        if struct.unpack_from("<H", changed, entry)[0] == tag:
            struct.pack_into("<HII", changed, entry + 2, 4, 1, value)
    return bytes(changed)


def in_a_circle(content: bytes) -> bytes:
    """A little-endian TIFF whose only page is followed by itself."""
    changed = bytearray(content)
    (start,) = struct.unpack_from("<I", changed, 4)
    (count,) = struct.unpack_from("<H", changed, start)
    struct.pack_into("<I", changed, start + 2 + 12 * count, start)
    return bytes(changed)


PLAIN = tiff(1, 8)


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (in_a_circle(PLAIN), UnreadableImageError),
        (PLAIN[:-500], UnreadableImageError),
        (with_tag(PLAIN, 256, 7000), UnreadableImageError),
        (with_tag(PLAIN, 256, 2**31), ImageTooLargeError),
        (with_tag(PLAIN, 273, 2**31), UnreadableImageError),
        (with_tag(PLAIN, 277, 60000), UnreadableImageError),
        (with_tag(PLAIN, 258, 60000), UnsupportedImageError),
        (PLAIN[:8], UnreadableImageError),
        (PLAIN[:4] + struct.pack("<I", 2**31) + PLAIN[8:], UnreadableImageError),
    ],
    ids=[
        "circle",
        "truncated",
        "wide",
        "huge",
        "strip beyond the end",
        "samples",
        "depth",
        "header only",
        "elsewhere",
    ],
)
def test_damaged_tiff_is_said_so_at_once(content, error):
    with pytest.raises(error, match=r"^Expected .*a\.tif"):
        decode(content, "a.tif")
