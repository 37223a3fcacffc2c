"""What only a writer finds out is said before the fit, and by a plan."""

import io
import subprocess

import numpy as np
import pytest
import tifffile
from PIL import Image as PillowImage

from dip.configuration import Configuration
from dip.images import decode, encode
from dip.pipeline.stages import inspect
from dip.storage import Location
from tests.conftest import photograph
from tests.one_image import job, run
from tests.test_images import encoded

NONE = Configuration("denoise", method="none")


def refused(folder, name: str, configuration: Configuration = NONE, **options) -> str:
    """The sentence in which a plan refuses an image; a run does in the same one."""
    row = inspect(job(folder, name, configuration, **options))
    assert row.status == "failed"
    assert run(folder, name, configuration, **options)["error_message"] == row.error_message
    return row.error_message


def test_side_that_a_format_cannot_hold_is_found_before_the_fit(tmp_path):
    (tmp_path / "in").mkdir()
    PillowImage.new("RGB", (4100, 4), "red").save(tmp_path / "in" / "wide.webp", lossless=True)
    larger = Configuration("super-resolution", method="none", scale=4)
    assert "more than 16383 pixels a side" in refused(tmp_path, "wide.webp", larger)
    assert inspect(job(tmp_path, "wide.webp", NONE)).status == "restored"


def test_metadata_that_a_format_cannot_hold_is_found_before_the_fit(tmp_path):
    (tmp_path / "in").mkdir()
    photograph("coffee").save(tmp_path / "in" / "a.png", exif=b"II*\0\x08" + bytes(70_000))
    assert "--format" in refused(tmp_path, "a.png", file_format="jpeg")


@pytest.mark.parametrize("name", ["y" * 251 + ".jpg", "ü" * 124 + ".jpeg"])
def test_name_that_a_disk_cannot_take_is_found_before_the_fit(tmp_path, name):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / name).write_bytes(encoded(photograph("coffee"), "JPEG"))
    row = inspect(job(tmp_path, name, NONE))
    assert row.status == "failed"
    assert row.error_message.startswith("Expected names of at most 255 bytes")


def test_tiles_of_an_odd_size_are_rounded_up():
    buffer = io.BytesIO()
    photo = np.asarray(photograph("coffee"))
    tifffile.imwrite(buffer, photo, photometric="rgb", tile=(32, 32), metadata=None)
    image = decode(buffer.getvalue(), "a.tif")
    assert image.tiff_layout["tile"] == (32, 32)
    odd = tiled_by_20(photo)
    image = decode(odd, "a.tif")
    assert np.array_equal(image.levels(), photo)
    assert np.array_equal(decode(encode(image, "tiff"), "a.tif").levels(), photo)


def tiled_by_20(photo: np.ndarray) -> bytes:
    """The photograph in tiles of 20×20 pixels, which tifffile does not write."""
    import struct

    import tifftools

    side_px, height, width = 20, *photo.shape[:2]
    across, down = -(-width // side_px), -(-height // side_px)
    padded = np.zeros((down * side_px, across * side_px, 3), np.uint8)
    padded[:height, :width] = photo
    tiles = padded.reshape(down, side_px, across, side_px, 3).transpose(0, 2, 1, 3, 4).tobytes()
    size = side_px * side_px * 3
    tags = {256: [width], 257: [height], 258: [8, 8, 8], 259: [1], 262: [2], 277: [3], 284: [1]}
    tags |= {322: [side_px], 323: [side_px], 325: [size] * (across * down)}
    tags[324] = [size * n for n in range(across * down)]
    source = io.BytesIO(struct.pack("<2sHI", b"II", 42, 0) + tiles)
    tags[324] = [8 + offset for offset in tags[324]]
    entries = {tag: {"datatype": 4 if tag in (324, 325) else 3, "data": data} for tag, data in tags.items()}
    written = io.BytesIO()
    directory = {"tags": entries, "path_or_fobj": source, "size": len(source.getvalue())}
    tifftools.write_tiff([directory], written, bigEndian=False, bigtiff=False)
    return written.getvalue()


def test_content_under_a_kept_time_of_writing_is_another_version(tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(b"one")
    before = next(iter(Location(str(tmp_path)).find())).version
    path.write_bytes(b"two")
    subprocess.run(["touch", "-d", "2020-01-01", path], check=True)
    again = next(iter(Location(str(tmp_path)).find())).version
    path.write_bytes(b"ten")
    subprocess.run(["touch", "-d", "2020-01-01", path], check=True)
    assert len({before, again, next(iter(Location(str(tmp_path)).find())).version}) == 3


def test_derivative_of_another_image_is_never_replaced(tmp_path):
    (tmp_path / "in").mkdir()
    for name, photo in (("a.png", "coffee"), ("b.png", "camera")):
        photograph(photo).save(tmp_path / "in" / name)
    first = run(tmp_path, "a.png", NONE)
    images = tmp_path / "out" / "images"
    # What a disk does that takes two names for one.
    (images / "a.png").rename(images / "b.png")
    sidecar = (images / "a.png.json").read_bytes()
    (images / "b.png.json").write_bytes(sidecar)
    second = run(tmp_path, "b.png", NONE)
    assert first["status"] == "restored"
    assert "is that of a.png (b.png)" in second["error_message"]
    assert (images / "b.png.json").read_bytes() == sidecar
