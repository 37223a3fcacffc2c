"""What a restoration leaves as it was: sixteen bits and layout, neutral grey, transparent pixels."""

import numpy as np
import tifffile
from PIL import Image as PillowImage

from dip.configuration import Configuration
from tests.conftest import photograph
from tests.one_image import run
from tests.test_formats import PROFILE, tiff


def test_sixteen_bits_go_through_a_restoration(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "scan.tif").write_bytes(tiff(3, 16, compression="lzw", tile=(16, 32), byteorder=">"))
    row = run(tmp_path, "scan.tif", Configuration("denoise", max_iterations=20))
    assert row["status"] == "restored", row["error_message"]
    with tifffile.TiffFile(tmp_path / "out" / "images" / "scan.tif") as file:
        page = file.pages.first
        assert (file.byteorder, page.compression.name, page.tilewidth) == (">", "LZW", 32)
        assert page.tags["XResolution"].value == (300, 1)
        assert page.tags["InterColorProfile"].value == PROFILE
        assert len(np.unique(page.asarray())) > 256


def test_grey_in_three_channels_stays_neutral(tmp_path):
    (tmp_path / "in").mkdir()
    photograph("camera").convert("RGB").save(tmp_path / "in" / "grey.png")
    run(tmp_path, "grey.png", Configuration("denoise", max_iterations=20))
    restored = np.asarray(PillowImage.open(tmp_path / "out" / "images" / "grey.png"))
    assert restored.shape == (48, 48, 3)
    assert (restored == restored[..., :1]).all()


def test_transparent_pixels_stay_and_do_not_steer_the_fit(tmp_path):
    (tmp_path / "in").mkdir()
    photo = photograph("coffee").convert("RGBA")
    alpha = np.full((48, 48), 255, np.uint8)
    alpha[:16] = 0
    photo.putalpha(PillowImage.fromarray(alpha))
    other = np.asarray(photo).copy()
    other[:16, :, :3] = 255 - other[:16, :, :3]
    restored = []
    for name, planes in (("a.png", np.asarray(photo)), ("b.png", other)):
        PillowImage.fromarray(planes).save(tmp_path / "in" / name)
        # From an educated start a clean photograph would be left as it is.
        row = run(tmp_path, name, Configuration("denoise", preset="untrained", max_iterations=20))
        assert row["status"] == "restored", row["error_message"]
        restored.append(np.asarray(PillowImage.open(tmp_path / "out" / "images" / name)))
        assert np.array_equal(restored[-1][:16], planes[:16])
    assert not np.array_equal(restored[0][16:, :, :3], np.asarray(photo)[16:, :, :3])
