"""y: images and masks as they come from storage and go back to it."""

from dip.configuration.vocabulary import AskedFormat, FileFormat
from dip.images.image import Image
from dip.images.infrared import infrared_in, read_infrared
from dip.images.mask_and_guide import read_guide, read_mask
from dip.images.metadata import Metadata, enlarged
from dip.images.naming import IMAGE_SUFFIXES, derivative_format, derivative_name, is_image_name
from dip.images.read import Pages, decode
from dip.images.write import check_format, check_pages, encode, encode_float_tiff, joined, not_carried

__all__ = [
    "IMAGE_SUFFIXES",
    "AskedFormat",
    "FileFormat",
    "Image",
    "Metadata",
    "Pages",
    "check_format",
    "check_pages",
    "decode",
    "derivative_format",
    "derivative_name",
    "encode",
    "encode_float_tiff",
    "enlarged",
    "infrared_in",
    "is_image_name",
    "joined",
    "not_carried",
    "read_guide",
    "read_infrared",
    "read_mask",
]
