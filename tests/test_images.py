"""From bytes to images and back."""

import contextlib
import io
import struct
import zlib

import imagecodecs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image as PillowImage
from PIL import ImageCms

from dip.errors import ImageTooLargeError, MaskError, UnreadableImageError, UnsupportedImageError
from dip.images import decode, derivative_format, derivative_name, encode, is_image_name, read_mask
from tests.conftest import photograph


def encoded(image: PillowImage.Image, kind: str = "PNG", **options) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def png_of(planes: np.ndarray, colour_type: int, *others: tuple[bytes, bytes]) -> bytes:
    """A 16-bit PNG that Pillow itself cannot write, with other chunks."""
    height_px, width_px = planes.shape[:2]
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in planes)
    header = struct.pack(">IIBBBBB", width_px, height_px, 16, colour_type, 0, 0, 0)
    chunks = ((b"IHDR", header), *others, (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in chunks
    )


def claiming(width_px: int, height_px: int) -> bytes:
    sound = bytearray(encoded(PillowImage.new("L", (1, 1))))
    sound[16:24] = struct.pack(">II", width_px, height_px)
    sound[29:33] = struct.pack(">I", zlib.crc32(bytes(sound[12:29])))
    return bytes(sound)


@pytest.mark.parametrize("mode", ["L", "RGB", "LA", "RGBA"])
def test_eight_bit_images_come_back_to_the_bit(mode):
    original = photograph("astronaut").convert(mode)
    if "A" in mode:
        original.putalpha(photograph("camera"))
    again = PillowImage.open(io.BytesIO(encode(decode(encoded(original), "a.png"), "png")))
    assert again.mode == mode
    assert np.array_equal(np.asarray(again), np.asarray(original))


def test_sixteen_bit_grey_comes_back_to_the_bit():
    levels = np.random.default_rng(0).integers(0, 2**16, (20, 30), dtype=np.uint16)
    image = decode(png_of(levels[..., None], 0), "a.png")
    assert (image.bit_depth, image.channels, image.size_px) == (16, 1, (20, 30))
    again = PillowImage.open(io.BytesIO(encode(image, "png")))
    assert np.array_equal(np.asarray(again), levels)


@pytest.mark.parametrize(("channels", "colour_type"), [(1, 0), (3, 2)])
def test_transparent_colour_of_sixteen_bits_is_alpha(channels, colour_type):
    levels = np.random.default_rng(0).integers(2000, 2**16, (4, 5, channels), dtype=np.uint16)
    levels[0, 0] = 1000
    transparency = (b"tRNS", struct.pack(">H", 1000) * channels)
    image = decode(png_of(levels, colour_type, transparency), "a.png")
    assert image.bit_depth == 16
    assert np.argwhere(image.alpha == 0).tolist() == [[0, 0]]
    assert np.array_equal(image.levels()[..., :channels], levels)


def test_damaged_exif_does_not_keep_an_image_from_being_read():
    content = encoded(photograph("coffee"), "PNG", exif=b"garbage")
    image = decode(content, "a.png")
    assert image.orientation == 1
    assert image.metadata.exif == b"garbage"


def test_grey_stays_grey_and_bilevel_becomes_grey():
    assert decode(encoded(photograph("camera")), "a.png").channels == 1
    bilevel = decode(encoded(photograph("camera").convert("1")), "a.png")
    assert bilevel.channels == 1
    assert set(np.unique(bilevel.pixels)) == {0, 1}


def test_palette_images_have_the_colours_they_show():
    palette = photograph("coffee").quantize(16)
    image = decode(encoded(palette), "a.png")
    assert np.array_equal((image.pixels * 255).round().transpose(1, 2, 0), np.asarray(palette.convert("RGB")))


def test_transparent_palette_keeps_its_alpha():
    palette = photograph("coffee").quantize(16)
    image = decode(encoded(palette, transparency=0), "a.png")
    assert image.alpha is not None
    assert set(np.unique(image.alpha)) == {0, 255}


def test_exif_rotation_is_applied():
    photo = photograph("chelsea").crop((0, 0, 40, 20))
    exif = PillowImage.Exif()
    exif[0x0112] = 6  # to be turned by 90° clockwise
    image = decode(encoded(photo, "JPEG", exif=exif), "a.jpg")
    assert image.size_px == (40, 20)
    upright = np.asarray(photo.transpose(PillowImage.Transpose.ROTATE_270), dtype=float)
    assert np.abs(image.pixels.transpose(1, 2, 0) * 255 - upright).mean() < 8  # what JPEG loses


def test_colour_profile_stays_to_the_byte():
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    image = decode(encoded(photograph("coffee"), "JPEG", icc_profile=profile), "a.jpg")
    assert PillowImage.open(io.BytesIO(encode(image, "png"))).info["icc_profile"] == profile


@pytest.mark.parametrize(
    ("content", "error", "sentence"),
    [
        (b"", UnreadableImageError, "got an empty file"),
        (b"This is no image.", UnreadableImageError, "17 bytes of no known image format"),
        (encoded(photograph("coffee"))[:2000], UnreadableImageError, "the file is damaged"),
        (encoded(photograph("coffee").convert("CMYK"), "JPEG"), UnsupportedImageError, "mode CMYK"),
        (claiming(60000, 60000), ImageTooLargeError, "at most 64 megapixels"),
        (claiming(10000, 9000), ImageTooLargeError, "got 10000×9000"),
        (
            encoded(
                photograph("coffee"), "GIF", save_all=True, append_images=[photograph("coins")], duration=100
            ),
            UnsupportedImageError,
            "got 2 frames",
        ),
        (encoded(photograph("camera").convert("F"), "TIFF"), UnsupportedImageError, "got 32 bits, float"),
    ],
)  # fmt: skip
def test_what_cannot_be_restored_truly_is_refused_in_a_sentence(content, error, sentence):
    with pytest.raises(error, match=sentence) as caught:
        decode(content, "box 7/scan.png")
    assert str(caught.value).startswith("Expected ")
    assert "(box 7/scan.png)" in str(caught.value)


@settings(deadline=None)
@given(st.integers(0, 3000), st.binary(min_size=1, max_size=40))
def test_damaged_files_raise_nothing_but_our_own_errors(position, noise):
    sound = bytearray(encoded(photograph("coffee", 16)))
    sound[position % len(sound) : position % len(sound) + len(noise)] = noise
    with contextlib.suppress(UnreadableImageError, UnsupportedImageError, ImageTooLargeError):
        decode(bytes(sound), "a.png")


@pytest.mark.parametrize(
    ("name", "derivative"),
    [
        ("a.png", "a.png"),
        ("sub/A.PNG", "sub/A.PNG"),
        ("a.jpg", "a.jpg.png"),
        ("a.jpg.png", "a.jpg.png.png"),
        ("v1.2.png", "v1.2.png"),
        ("a.tif", "a.tif"),
        ("a.tif.png", "a.tif.png.png"),
        ("sub/a.TIFF", "sub/a.TIFF"),
        ("a.webp", "a.webp"),
        ("a.gif", "a.gif.png"),
    ],
)
def test_derivatives_keep_the_name_they_come_from(name, derivative):
    assert derivative_name(name, derivative_format(name, "source")) == derivative


@given(
    st.lists(st.from_regex(r"\A(x|a/x)(\.(png|jpg|tif|tiff|bmp)){1,4}\Z"), unique=True, min_size=2),
    st.sampled_from(["source", "png", "tiff", "jp2", "jpeg"]),
    st.sampled_from(["", "_restored", ".png"]),
)
def test_no_two_images_share_a_derivative(names, asked, suffix):
    derivatives = {derivative_name(name, derivative_format(name, asked), suffix) for name in names}
    assert len(derivatives) == len(names)


def test_suffix_stands_before_that_of_the_format():
    assert derivative_name("box/a.tif", "tiff", "_restored") == "box/a_restored.tif"
    assert derivative_name("box/a.jpg", "png", "_restored") == "box/a_restored.jpg.png"
    assert derivative_name("box/a.jpg", "jpeg", "_restored") == "box/a_restored.jpg"


def test_hidden_files_and_texts_are_no_images():
    assert is_image_name("-b/ü #?'\".JPEG")
    assert not any(map(is_image_name, (".a.png", ".hidden/a.png", "README.txt", "png", "a.png/readme")))


def mask_png(levels) -> bytes:
    return encoded(PillowImage.fromarray(np.array(levels, dtype=np.uint8)))


@pytest.mark.parametrize("levels", [[[255, 0, 0]], [[1, 0, 0]], [[200, 3, 3]]])
@pytest.mark.parametrize(("damage", "observed"), [("white", [[0, 1, 1]]), ("black", [[1, 0, 0]])])
def test_masks_mark_damage_in_white_or_black(levels, damage, observed):
    assert read_mask(mask_png(levels), "m.png", (1, 3), damage).tolist() == observed


@pytest.mark.parametrize(("damage", "observed"), [("white", [[0, 1, 1]]), ("black", [[1, 1, 0]])])
def test_transparent_pixels_of_a_mask_mark_nothing(damage, observed):
    levels = np.array([[[255, 255], [255, 0], [0, 255]]], np.uint8)
    mask = encoded(PillowImage.fromarray(levels, "LA"))
    assert read_mask(mask, "m.png", (1, 3), damage).tolist() == observed


def test_mask_of_another_size_is_an_error_and_never_resized():
    with pytest.raises(MaskError, match=r"size, 5×4; got 3×1 \(m.png\)"):
        read_mask(mask_png([[255, 0, 0]]), "m.png", (4, 5), "white")


def test_unreadable_mask_says_it_is_the_mask():
    with pytest.raises(MaskError, match="Expected a mask that can be read"):
        read_mask(b"nothing", "m.png", (4, 5), "white")


@pytest.mark.parametrize(
    ("levels", "named"),
    [
        ([[0, 1, 2]], "0, 1, 2"),
        ([[0, 128, 255]], "0, 128, 255"),
        ([[200, 255, 255]], "200, 255"),
        ([[200, 100, 3]], "3, 100, 200"),
    ],
)
def test_mask_of_other_levels_than_two_names_them(levels, named):
    with pytest.raises(MaskError, match=f"black and white, 0 and 255; got the levels {named} "):
        read_mask(mask_png(levels), "m.png", (1, 3), "white")


def test_mask_of_8_bits_in_a_file_of_16_names_its_levels():
    content = imagecodecs.png_encode(np.array([[0, 255, 0]], np.uint16))
    with pytest.raises(MaskError, match="0 and 65535; got the levels 0, 255 "):
        read_mask(content, "m.png", (1, 3), "white")
