"""What shows the image as it was is dropped, and the row says so; the image is found wherever it lies."""

import io
import struct

import numpy as np
import pytest
import tifffile
import tifftools
from PIL import Image as PillowImage

from dip.images import decode, encode, photoshop
from dip.images.formats.jpeg import segments
from tests.conftest import photograph
from tests.test_images import encoded

SIDE_PX = 32
PHOTO = np.asarray(photograph("coffee", SIDE_PX))
SMALL = np.asarray(photograph("coffee", 8))
THUMBNAIL = encoded(photograph("camera", 8), "JPEG")


def with_thumbnail(order: str = "<") -> bytes:
    """EXIF with a second directory, which holds a thumbnail behind it."""
    head = struct.pack(f"{order}2sHI", b"II" if order == "<" else b"MM", 42, 8)
    first = struct.pack(f"{order}HHHIHHI", 1, 274, 3, 1, 1, 0, 26)
    second = struct.pack(f"{order}HHHII", 2, 513, 4, 1, 56) + struct.pack(
        f"{order}HHII", 514, 4, 1, len(THUMBNAIL)
    )
    return head + first + second + struct.pack(f"{order}I", 0) + THUMBNAIL


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("source", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("derivative", ["png", "jpeg", "tiff"])
def test_thumbnail_in_exif_is_dropped(order, source, derivative):
    content = encoded(photograph("coffee", SIDE_PX), source, exif=b"Exif\0\0" + with_thumbnail(order))
    assert THUMBNAIL in content
    image = decode(content, "a")
    assert any("thumbnail in the EXIF" in note for note in image.notes)
    assert THUMBNAIL not in encode(image, derivative)
    assert image.orientation == 1


def test_thumbnail_in_xmp_is_dropped():
    packet = (
        b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        b'<rdf:Description xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:Label="kept"><xmp:Thumbnails>'
        b"<rdf:Alt><rdf:li>OLDPIXELS</rdf:li></rdf:Alt></xmp:Thumbnails></rdf:Description></rdf:RDF></x:xmpmeta>"
    )
    image = decode(encoded(photograph("coffee", SIDE_PX), "PNG", pnginfo=text_of(packet)), "a.png")
    written = encode(image, "png")
    assert b"OLDPIXELS" not in written
    assert b"kept" in written
    assert any("thumbnail in the XMP" in note for note in image.notes)


def text_of(packet: bytes):
    from PIL.PngImagePlugin import PngInfo

    texts = PngInfo()
    texts.add_itxt("XML:com.adobe.xmp", packet.decode())
    return texts


RESOURCES = photoshop.resource(2000, b"PATHPATH") + photoshop.resource(photoshop.THUMBNAILS[1], THUMBNAIL)


def test_thumbnail_among_resources_is_dropped_and_a_path_stays():
    body = photoshop.SEGMENT + RESOURCES
    segment = struct.pack(">HH", 0xFFED, len(body) + 2) + body
    image = decode(encoded(photograph("coffee", SIDE_PX), "JPEG", extra=segment), "a.jpg")
    written = encode(image, "jpeg")
    assert THUMBNAIL not in written
    assert b"PATHPATH" in written
    assert any("Photoshop resources" in note for note in image.notes)


def tagged(tags: dict[int, tuple[int, bytes]]) -> bytes:
    """A TIFF with further tags of bytes."""
    pixels, written = io.BytesIO(), io.BytesIO()
    tifffile.imwrite(pixels, PHOTO, photometric="rgb", metadata=None)
    info = tifftools.read_tiff(pixels)
    info["ifds"][0]["tags"] |= {n: {"datatype": kind, "data": data} for n, (kind, data) in tags.items()}
    tifftools.write_tiff(info, written)
    return written.getvalue()


def test_layers_and_thumbnails_of_a_tiff_are_dropped():
    image = decode(tagged({37724: (7, b"LAYERSLAYERS"), 34377: (7, RESOURCES)}), "a.tif")
    written = encode(image, "tiff")
    assert b"LAYERSLAYERS" not in written
    assert THUMBNAIL not in written
    assert b"PATHPATH" in written
    assert len(image.notes) == 2


def test_image_below_its_thumbnail_is_the_image():
    buffer = io.BytesIO()
    with tifffile.TiffWriter(buffer) as writer:
        writer.write(SMALL, photometric="rgb", subfiletype=1, subifds=1, metadata=None, description="Box 3")
        writer.write(PHOTO, photometric="rgb", metadata=None)
    image = decode(buffer.getvalue(), "a.tif")
    assert np.array_equal(image.levels(), PHOTO)
    written = encode(image, "tiff")
    assert b"Box 3" in written
    with tifffile.TiffFile(io.BytesIO(written)) as file:
        assert [page.shape for page in file.pages] == [(SIDE_PX, SIDE_PX, 3), (8, 8, 3)]


@pytest.mark.parametrize("reduced_first", [True, False])
def test_reduced_copy_is_no_page(reduced_first):
    pages = [(PHOTO, 0), (SMALL, 1)]
    buffer = io.BytesIO()
    with tifffile.TiffWriter(buffer) as writer:
        for pixels, kind in reversed(pages) if reduced_first else pages:
            writer.write(pixels, photometric="rgb", subfiletype=kind, metadata=None)
    assert np.array_equal(decode(buffer.getvalue(), "a.tif").levels(), PHOTO)


def test_preview_behind_a_photograph_is_told_of():
    buffer = io.BytesIO()
    photograph("coffee", SIDE_PX).save(
        buffer, "MPO", save_all=True, append_images=[photograph("camera", 8).convert("RGB")]
    )
    image = decode(buffer.getvalue(), "a.jpg")
    assert image.size_px == (SIDE_PX, SIDE_PX)
    assert any("further pictures" in note for note in image.notes)


def test_segments_end_where_the_pixels_begin():
    content = encoded(photograph("coffee", SIDE_PX), "JPEG", comment=b"plate 4")
    *_, last = segments(content)
    assert last[0] == 0xDA
    assert PillowImage.open(io.BytesIO(content)).info["comment"] == b"plate 4"
