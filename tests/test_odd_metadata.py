"""Metadata that is odd but valid: it fails no image."""

import io

import pytest
import tifffile

from dip.images import decode, encode
from tests.conftest import photograph
from tests.test_formats import tiff
from tests.test_images import encoded


@pytest.mark.parametrize("file_format", ["png", "tiff", "jp2", "jpeg", "bmp"])
def test_resolution_of_nothing_is_none(file_format):
    content = bytearray(encoded(photograph("coffee", 16), "JPEG", dpi=(72, 72)))
    density = content.find(b"JFIF\0") + 8
    content[density : density + 4] = bytes(4)
    image = decode(bytes(content), "a.jpg")
    assert image.metadata.dpi is None
    assert decode(encode(image, file_format), "a").size_px == (16, 16)


def test_tag_that_holds_no_bytes_comes_along_as_it_is():
    xmp, signed_bytes = 700, 6
    content = tiff(1, 8, extratags=[(xmp, signed_bytes, 4, (1, 2, 3, 4), True)])
    written = encode(decode(content, "a.tif"), "tiff")
    with tifffile.TiffFile(io.BytesIO(written)) as file:
        tag = file.pages.first.tags[xmp]
    assert (tag.dtype, tag.value) == (signed_bytes, (1, 2, 3, 4))
