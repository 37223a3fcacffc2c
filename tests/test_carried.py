"""What a file says beside its pixels is carried, holds for the new size, or is told of in the row."""

import hashlib
import io
import struct
import zlib
from dataclasses import replace

import numpy as np
import pytest
import tifffile
import tifftools
from PIL import Image as PillowImage
from PIL.PngImagePlugin import PngInfo

from dip.configuration import Configuration
from dip.images import Metadata, decode, encode, enlarged, photoshop
from tests.conftest import photograph
from tests.one_image import run
from tests.test_images import encoded

PHOTO = photograph("coffee", 32)
PACKET = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    "<rdf:Description {}/></rdf:RDF></x:xmpmeta>"
)


def test_comment_and_clipping_path_of_a_jpeg_come_along():
    body = photoshop.SEGMENT + photoshop.resource(2999, b"\x06path 1")
    segment = struct.pack(">HH", 0xFFED, len(body) + 2) + body
    image = decode(encoded(PHOTO, "JPEG", comment=b"box 12, plate 4", extra=segment), "a.jpg")
    png = encode(image, "png")
    assert PillowImage.open(io.BytesIO(png)).text["Comment"] == "box 12, plate 4"
    profile = PillowImage.open(io.BytesIO(png)).text["Raw profile type iptc"]
    assert b"path 1" in bytes.fromhex("".join(profile.split("\n")[3:]))
    for file_format in ("tiff", "jpeg"):
        written = encode(image, file_format)
        assert b"box 12, plate 4" in written
        assert b"path 1" in written


def test_extended_xmp_is_joined_to_its_packet():
    extension = PACKET.format('xmlns:p="http://ns.adobe.com/photoshop/1.0/" p:History="SECRET"').encode()
    guid = hashlib.md5(extension).hexdigest().upper()
    packet = PACKET.format(f'xmlns:xmpNote="http://ns.adobe.com/xmp/note/" xmpNote:HasExtendedXMP="{guid}"')
    halves = [(0, extension[:100]), (100, extension[100:])]
    segments = b""
    for offset, part in halves:
        body = b"http://ns.adobe.com/xmp/extension/\0" + guid.encode()
        body += struct.pack(">II", len(extension), offset) + part
        segments += struct.pack(">HH", 0xFFE1, len(body) + 2) + body
    image = decode(encoded(PHOTO, "JPEG", xmp=packet.encode(), extra=segments), "a.jpg")
    for file_format in ("png", "jpeg", "tiff"):
        written = encode(image, file_format)
        assert b"SECRET" in written
        assert b"HasExtendedXMP" not in written


def test_packet_that_is_no_xml_is_told_of(tmp_path):
    (tmp_path / "in").mkdir()
    PHOTO.save(tmp_path / "in" / "a.jpg", xmp=PACKET.format('a="Smith & Sons"').encode())
    row = run(tmp_path, "a.jpg", Configuration("denoise", method="none"))
    assert row["status"] == "restored", row["error_message"]
    assert any("XMP packet was not carried" in note for note in row["notes"])


def test_two_descriptions_are_both_carried():
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, np.asarray(PHOTO), photometric="rgb", description="Box 1, no. 7", metadata={})
    with tifffile.TiffFile(io.BytesIO(buffer.getvalue())) as file:
        assert sum(tag.code == 270 for tag in file.pages.first.tags) == 2
    written = encode(decode(buffer.getvalue(), "a.tif"), "tiff")
    assert b"Box 1, no. 7\0" in written
    assert b'{"shape": [32, 32, 3]}\0' in written
    with tifffile.TiffFile(io.BytesIO(written)) as file:
        assert file.pages.first.description.startswith("Box 1, no. 7")


@pytest.mark.parametrize("kind", ["zTXt", "iTXt", "iCCP"])
def test_long_texts_and_profiles_are_no_damage(kind):
    long = b"x" * 3_000_000
    bodies = {
        "zTXt": b"Comment\0\0" + zlib.compress(long),
        "iTXt": b"Comment\0\1\0\0\0" + zlib.compress(long),
        "iCCP": b"profile\0\0" + zlib.compress(long),
    }
    plain = encoded(PHOTO, "PNG")
    body = bodies[kind]
    chunk = struct.pack(">I", len(body)) + kind.encode() + body
    chunk += struct.pack(">I", zlib.crc32(kind.encode() + body))
    image = decode(plain[:33] + chunk + plain[33:], "a.png")
    assert np.array_equal(image.levels(), np.asarray(PHOTO))
    assert body in encode(image, "png")


def test_chunks_of_all_pixels_come_along_and_others_are_told_of():
    texts = PngInfo()
    texts.add(b"prVt", b"copied")
    texts.add(b"prVT", b"not copied")
    image = decode(encoded(PHOTO, "PNG", pnginfo=texts), "a.png")
    assert b"prVtcopied" in encode(image, "png")
    assert b"not copied" not in encode(image, "png")
    assert any("prVT" in note for note in image.notes)


def test_what_a_format_has_no_place_for_is_told_of(tmp_path):
    (tmp_path / "in").mkdir()
    PHOTO.save(tmp_path / "in" / "a.jpg", comment=b"plate 4")
    row = run(tmp_path, "a.jpg", Configuration("denoise", method="none"), file_format="jp2")
    assert row["notes"] == ["The comment of the file had no place in a jp2."]


def georeferenced(raster_type: int) -> bytes:
    pixels, written = io.BytesIO(), io.BytesIO()
    tifffile.imwrite(pixels, np.asarray(PHOTO), photometric="rgb", metadata=None)
    info = tifftools.read_tiff(pixels)
    info["ifds"][0]["tags"] |= {
        33550: {"datatype": 12, "data": [0.5, 0.25, 0.0]},
        33922: {"datatype": 12, "data": [8.0, 4.0, 0.0, 400000.0, 5000000.0, 0.0]},
        34735: {"datatype": 3, "data": [1, 1, 0, 1, 1025, 0, 1, raster_type]},
    }
    tifftools.write_tiff(info, written)
    return written.getvalue()


@pytest.mark.parametrize(("raster_type", "tie_point"), [(1, [32.0, 16.0]), (2, [33.5, 17.5])])
def test_place_on_the_ground_holds_for_the_enlarged_image(tmp_path, raster_type, tie_point):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "map.tif").write_bytes(georeferenced(raster_type))
    row = run(tmp_path, "map.tif", Configuration("super-resolution", method="none", scale=4))
    assert row["status"] == "restored", row["error_message"]
    with tifffile.TiffFile(tmp_path / "out" / row["output_name"]) as file:
        tags = file.pages.first.tags
        assert list(tags[33550].value) == [0.125, 0.0625, 0.0]
        assert list(tags[33922].value) == [*tie_point, 0.0, 400000.0, 5000000.0, 0.0]


def test_sizes_in_exif_and_xmp_hold_for_the_enlarged_image():
    exif = PillowImage.Exif()
    exif.get_ifd(34665)[40962], exif.get_ifd(34665)[40963] = 20000, 32
    packet = PACKET.format('xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:ImageWidth="32"').encode()
    grown = enlarged(Metadata(exif=exif.tobytes().removeprefix(b"Exif\0\0"), xmp=packet), 4)
    told = PillowImage.Exif()
    told.load(grown.exif)
    assert told.get_ifd(34665)[40962] == 80000  # more than the 16 bits it had
    assert told.get_ifd(34665)[40963] == 128
    assert b'tiff:ImageWidth="128"' in grown.xmp


@pytest.mark.parametrize("derivative", ["png", "tiff", "jp2", "jpeg"])
def test_packet_that_is_no_xml_is_told_of_and_nowhere_in_the_derivative(derivative):
    packet, buffer = b"<x:xmpmeta>not <b>closed", io.BytesIO()
    photo = np.asarray(PHOTO)
    tags = [(700, 1, len(packet), packet, True), (315, 2, 0, "A. Author", True)]
    tifffile.imwrite(buffer, photo, photometric="rgb", extratags=tags, metadata=None)
    image = decode(buffer.getvalue(), "a.tif")
    assert [note for note in image.notes if "no well-formed XML" in note]
    written = encode(replace(image, metadata=image.metadata.with_xmp(b"<made-anew/>")), derivative)
    assert packet not in written
    assert b"A. Author" in written
