"""Pixels of a file are decoded once."""

import imagecodecs
import numpy as np
import PIL.ImageFile
import pytest

from dip.images import Image, decode, encode


@pytest.mark.parametrize(("file_format", "bits"), [("png", 8), ("png", 16), ("jp2", 8), ("jp2", 16)])
def test_pixels_are_decoded_once(monkeypatch, file_format, bits):
    content = encode(Image(np.zeros((3, 20, 30), np.float32), bits), file_format)
    decoded, load = [], PIL.ImageFile.ImageFile.load

    def noting(decoder):
        def note(*arguments, **options):
            decoded.append(decoder.__name__)
            return decoder(*arguments, **options)

        return note

    def load_and_note(image):
        decoded.extend(image.tile)  # there are none of an image whose pixels are loaded
        return load(image)

    for decoder in (imagecodecs.png_decode, imagecodecs.jpeg2k_decode):
        monkeypatch.setattr(imagecodecs, decoder.__name__, noting(decoder))
    monkeypatch.setattr(PIL.ImageFile.ImageFile, "load", load_and_note)
    decode(content, "image")
    assert len(decoded) == 1
