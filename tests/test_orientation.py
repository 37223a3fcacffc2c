"""Images that lie on their side: worked on upright, written as they lay."""

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as PillowImage
from PIL import ImageOps

from dip.images import decode, encode
from dip.images.image import as_stored, upright
from tests.conftest import photograph
from tests.test_images import encoded


@given(st.integers(1, 8), st.integers(1, 5), st.integers(1, 5))
def test_turning_back_undoes_turning_upright(orientation, height_px, width_px):
    planes = np.arange(2 * height_px * width_px).reshape(2, height_px, width_px)
    assert np.array_equal(as_stored(upright(planes, orientation), orientation), planes)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_image_is_worked_on_upright_and_written_as_it_lay(orientation):
    exif = PillowImage.Exif()
    exif[0x0112] = orientation
    stored = photograph("chelsea").crop((0, 0, 40, 20))
    content = encoded(stored, exif=exif)
    image = decode(content, "a.png")
    shown = np.asarray(PillowImage.open(io.BytesIO(content)))
    turned = np.asarray(ImageOps.exif_transpose(PillowImage.open(io.BytesIO(content))))
    assert np.array_equal((image.pixels * 255).round().transpose(1, 2, 0), turned)
    assert np.array_equal(np.asarray(PillowImage.open(io.BytesIO(encode(image, "png")))), shown)
