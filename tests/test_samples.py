"""Samples have a depth and a meaning of their own, whatever holds them."""

import io
import struct

import imagecodecs
import numpy as np
import pytest
import tifffile
from PIL import Image as PillowImage

from dip.errors import UnsupportedImageError
from dip.images import decode, encode, read_mask
from tests.conftest import photograph

SIDE_PX = 24


def samples(channels: int, bits: int) -> np.ndarray:
    """Random levels of so many bits, black and white among them, (H, W, channels)."""
    dtype = np.uint8 if bits <= 8 else np.uint16
    levels = np.random.default_rng(bits).integers(0, 2**bits, (SIDE_PX, SIDE_PX, channels)).astype(dtype)
    levels[0, 0], levels[0, 1] = 0, 2**bits - 1
    return levels


def tiff_of(levels: np.ndarray, **options) -> bytes:
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, levels, metadata=None, **options)
    return buffer.getvalue()


def expected(levels: np.ndarray, bits: int) -> np.ndarray:
    return (levels / (2**bits - 1)).transpose(2, 0, 1)


def is_close(pixels: np.ndarray, right: np.ndarray, container: int) -> bool:
    """Whether pixels are right but for the rounding to the levels of their container."""
    return bool(np.abs(pixels - right).max() <= 0.51 / (2**container - 1))


@pytest.mark.parametrize("bits", [1, 4, 7, 8, 9, 12, 15, 16])
@pytest.mark.parametrize("channels", [1, 3])
def test_jpeg_2000_of_every_depth_is_as_bright_as_it_was(bits, channels):
    levels = samples(channels, bits)
    content = imagecodecs.jpeg2k_encode(levels.squeeze(), level=0, bitspersample=bits, reversible=True)
    image = decode(content, "a.jp2")
    container = 8 if bits <= 8 else 16
    assert image.bit_depth == container
    assert is_close(image.pixels, expected(levels, bits), container)


def packed(levels: np.ndarray, bits: int) -> bytes:
    """Rows of samples without gaps between them, each row filled up to a whole byte."""
    rows = [np.unpackbits(row.astype(">u2")[:, None].view(np.uint8), axis=1)[:, -bits:] for row in levels]
    return b"".join(np.packbits(row.reshape(-1)).tobytes() for row in rows)


def plain_tiff(
    rows: bytes, bits: int, photometric: int, others: dict[int, tuple[str, list[int]]] | None = None
) -> bytes:
    """A TIFF of one strip, made tag by tag, as no writer makes it."""
    tags = {
        256: ("I", [SIDE_PX]), 257: ("I", [SIDE_PX]), 258: ("H", [bits]), 259: ("H", [1]),
        262: ("H", [photometric]), 273: ("I", [0]), 277: ("H", [1]), 278: ("I", [SIDE_PX]),
        279: ("I", [len(rows)]), **(others or {}),
    }  # fmt: skip
    start = 8 + 2 + 12 * len(tags) + 4
    entries, values = b"", b""
    for tag, (code, numbers) in sorted(tags.items()):
        if tag == 273:
            numbers = [start + sum(2 * len(n) for c, n in tags.values() if c == "H" and len(n) > 2)]
        body = struct.pack(f"<{len(numbers)}{code}", *numbers)
        head = struct.pack("<HHI", tag, 3 if code == "H" else 4, len(numbers))
        if len(body) > 4:
            entries += head + struct.pack("<I", start + len(values))
            values += body
        else:
            entries += head + body.ljust(4, b"\0")
    return struct.pack("<2sHIH", b"II", 42, 8, len(tags)) + entries + b"\0" * 4 + values + rows


@pytest.mark.parametrize("bits", [1, 2, 4, 6, 10, 12, 14])
@pytest.mark.parametrize("photometric", [0, 1])
def test_tiff_of_every_depth_is_as_bright_as_it_was(bits, photometric):
    levels = samples(1, bits)
    image = decode(plain_tiff(packed(levels[..., 0], bits), bits, photometric), "a.tif")
    right = expected(levels, bits) if photometric else 1 - expected(levels, bits)
    assert is_close(image.pixels, right, image.bit_depth)


@pytest.mark.parametrize("bits", [1, 4, 8])
@pytest.mark.parametrize("is_of_8_bits", [True, False])
def test_palette_of_a_tiff_keeps_its_colours(bits, is_of_8_bits):
    levels = samples(1, bits)[..., 0]
    colours = np.random.default_rng(0).integers(0, 256, (3, 2**bits))
    colours[:, -1] = 255
    written = (colours if is_of_8_bits else colours * 257).reshape(-1).tolist()
    image = decode(plain_tiff(packed(levels, bits), bits, 3, {320: ("H", written)}), "a.tif")
    assert np.array_equal(image.levels(), colours.T[levels])


def test_palette_with_alpha_keeps_it():
    levels = samples(2, 8)
    colours = np.random.default_rng(0).integers(0, 256, (3, 256))
    others = {320: ("H", (colours * 257).reshape(-1).tolist()), 277: ("H", [2]), 338: ("H", [2])}
    content = plain_tiff(levels.tobytes(), 8, 3, {**others, 258: ("H", [8, 8])})
    image = decode(content, "a.tif")
    assert image.alpha is not None
    assert np.array_equal(image.alpha, levels[..., 1])
    assert np.array_equal(image.levels()[..., :3], colours.T[levels[..., 0]])


def test_luma_and_chroma_of_a_tiff_become_colours():
    photo = photograph("coffee", SIDE_PX)
    content = tiff_of(np.asarray(photo.convert("YCbCr")), photometric="ycbcr", subsampling=(1, 1))
    image = decode(content, "a.tif")
    assert np.abs(image.levels().astype(int) - np.asarray(photo)).mean() < 2


def test_luma_and_chroma_in_a_range_of_their_own_become_colours():
    content = plain_tiff(
        np.repeat(np.array([[235, 128, 128], [16, 128, 128]], np.uint8), SIDE_PX * SIDE_PX // 2, 0).tobytes(),
        8, 6,
        {258: ("H", [8, 8, 8]), 277: ("H", [3]), 530: ("H", [1, 1])},
    )  # fmt: skip
    with_range = bytearray(tiff_with_range(content))
    levels = decode(bytes(with_range), "a.tif").levels()
    assert (levels[0] == 255).all()
    assert (levels[-1] == 0).all()


def tiff_with_range(content: bytes) -> bytes:
    """The TIFF with black and white where video has them (ReferenceBlackWhite)."""
    import tifftools

    info = tifftools.read_tiff(io.BytesIO(content))
    fractions = [16, 1, 235, 1, 128, 1, 240, 1, 128, 1, 240, 1]
    info["ifds"][0]["tags"][532] = {"datatype": 5, "data": fractions}
    written = io.BytesIO()
    tifftools.write_tiff(info, written)
    return written.getvalue()


def test_subsampled_chroma_is_refused_by_name():
    pixels = bytes(SIDE_PX * SIDE_PX * 3 // 2)
    content = plain_tiff(pixels, 8, 6, {258: ("H", [8, 8, 8]), 277: ("H", [3]), 530: ("H", [2, 2])})
    with pytest.raises(UnsupportedImageError, match=r"YCbCr.*subsampled 2×2"):
        decode(content, "a.tif")


@pytest.mark.parametrize(
    ("kinds", "alpha"),
    [(["UNSPECIFIED"], None), (["UNSPECIFIED", "UNASSALPHA"], 1), (["UNASSALPHA", "UNSPECIFIED"], 0)],
)
def test_only_a_sample_that_says_so_is_alpha(kinds, alpha):
    levels = samples(3 + len(kinds), 16)
    image = decode(tiff_of(levels, photometric="rgb", extrasamples=kinds), "a.tif")
    assert (image.alpha is None) == (alpha is None)
    if alpha is not None:
        assert np.array_equal(image.alpha, levels[..., 3 + alpha])
    assert image.others is not None
    again = decode(encode(image, "tiff"), "a.tif")
    assert np.array_equal(again.others, image.others)
    assert (again.alpha is None) == (alpha is None)
    with tifffile.TiffFile(io.BytesIO(encode(image, "tiff"))) as file:
        assert sorted(kind.name for kind in file.pages.first.extrasamples) == sorted(kinds)


def test_further_samples_are_refused_by_formats_without_them():
    image = decode(tiff_of(samples(4, 8), photometric="rgb", extrasamples=["UNSPECIFIED"]), "a.tif")
    with pytest.raises(UnsupportedImageError, match=r"with further samples.*--format"):
        encode(image, "png")


@pytest.mark.parametrize("bits", [1, 2, 4, 8, 16])
def test_transparent_grey_of_a_png_stays_transparent(bits):
    levels = samples(1, bits)[..., 0]
    rows = packed(levels, bits)
    stride = len(rows) // SIDE_PX
    scanlines = b"".join(b"\0" + rows[at : at + stride] for at in range(0, len(rows), stride))
    content = png_of(SIDE_PX, bits, 0, scanlines, (b"tRNS", struct.pack(">H", 2**bits - 1)))
    image = decode(content, "a.png")
    assert image.alpha is not None
    assert np.array_equal(image.alpha == 0, levels == 2**bits - 1)
    assert is_close(image.pixels, expected(levels[..., None], bits), image.bit_depth)


def png_of(side_px: int, bits: int, colour: int, scanlines: bytes, *chunks: tuple[bytes, bytes]) -> bytes:
    """A PNG, made chunk by chunk."""
    import zlib

    header = struct.pack(">IIBBBBB", side_px, side_px, bits, colour, 0, 0, 0)
    body = [(b"IHDR", header), *chunks, (b"IDAT", zlib.compress(scanlines)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in body
    )


@pytest.mark.parametrize(
    ("magic", "white", "values"),
    [("P6", 65535, 3), ("P5", 65535, 1), ("P5", 1000, 1), ("P6", 255, 3), ("P5", 7, 1)],
)
def test_netpbm_of_every_depth_keeps_its_levels(magic, white, values):
    levels = np.random.default_rng(0).integers(0, white + 1, (SIDE_PX, SIDE_PX, values))
    dtype = ">u2" if white > 255 else "u1"
    head = f"{magic}\n# a comment\n{SIDE_PX} {SIDE_PX}\n{white}\n".encode()
    image = decode(head + levels.astype(dtype).tobytes(), "a.ppm")
    assert image.bit_depth == (16 if white > 255 else 8)
    assert is_close(image.pixels, (levels / white).transpose(2, 0, 1), image.bit_depth)


def test_plain_bitmap_is_black_where_it_says_1():
    assert decode(b"P1 2 1 1 0", "a.pbm").levels().ravel().tolist() == [0, 255]


def test_avif_of_10_bits_keeps_them():
    levels = samples(3, 10)
    image = decode(imagecodecs.avif_encode(levels, level=100, bitspersample=10), "a.avif")
    assert image.bit_depth == 16
    assert is_close(image.pixels, expected(levels, 10), 16)


def test_jpeg_of_12_bits_keeps_them():
    levels = np.asarray(photograph("coffee", 32)).astype(np.uint16) * 16
    image = decode(imagecodecs.jpeg8_encode(levels, level=98, bitspersample=12), "a.jpg")
    assert image.bit_depth == 16
    assert np.abs(image.pixels - (levels / 4095).transpose(2, 0, 1)).mean() < 0.02


def test_alpha_of_a_bmp_goes_in_and_out():
    photo = photograph("coffee", SIDE_PX).convert("RGBA")
    photo.putalpha(photograph("camera", SIDE_PX))
    image = decode(encode(decode(png_bytes_of(photo), "a.png"), "bmp"), "a.bmp")
    assert np.array_equal(image.levels(), np.asarray(photo))
    opened = PillowImage.open(io.BytesIO(encode(image, "bmp")))
    assert np.array_equal(np.asarray(opened), np.asarray(photo))


def png_bytes_of(image: PillowImage.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def test_bmp_of_16_bits_with_alpha_keeps_it():
    masks = struct.pack("<4I", 0xF00, 0xF0, 0xF, 0xF000)
    pixels = np.random.default_rng(0).integers(0, 2**16, (2, 2)).astype("<u2")
    header = struct.pack("<IiiHHIIiiII", 108, 2, -2, 1, 16, 3, 8, 0, 0, 0, 0) + masks + b"\0" * 52
    content = struct.pack("<2sIHHI", b"BM", 130, 0, 0, 122) + header + pixels.tobytes()
    levels = decode(content, "a.bmp").levels()
    for channel, shift in enumerate((8, 4, 0, 12)):
        assert np.array_equal(levels[..., channel], (pixels >> shift & 0xF) * 17)


def test_mask_of_one_bit_in_a_jpeg_2000_marks_what_is_white():
    levels = samples(1, 1)[..., 0]
    content = imagecodecs.jpeg2k_encode(levels, level=0, bitspersample=1, reversible=True)
    observed = read_mask(content, "m.jp2", (SIDE_PX, SIDE_PX), "white")
    assert np.array_equal(np.asarray(observed) > 0, levels == 0)


def test_old_jpeg_whose_tables_lie_elsewhere_is_no_damage():
    content = tiff_of(samples(1, 8)[..., 0], photometric="minisblack")
    with tifffile.TiffFile(io.BytesIO(content)) as file:
        at = file.pages[0].tags[259].valueoffset
    old = content[:at] + struct.pack("<H", 6) + content[at + 2 :]
    with pytest.raises(UnsupportedImageError, match="JPEG of the old kind"):
        decode(old, "a.tif")
