"""y: images and masks as they come from storage and go back to it."""

from dip.images.image import Image
from dip.images.mask import read_mask
from dip.images.naming import IMAGE_SUFFIXES, derivative_name, is_image_name
from dip.images.read import decode
from dip.images.write import encode_float_tiff, encode_png

__all__ = [
    "IMAGE_SUFFIXES",
    "Image",
    "decode",
    "derivative_name",
    "encode_float_tiff",
    "encode_png",
    "is_image_name",
    "read_mask",
]
