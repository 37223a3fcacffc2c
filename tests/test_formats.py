"""What goes in comes out: formats × depths × channels × metadata, with only the pixels changed."""

import io
import json
import shutil
import subprocess
from dataclasses import replace
from itertools import product
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
import tifffile
from PIL import Image as PillowImage
from PIL import ImageCms

from dip.configuration import Configuration
from dip.errors import UnsupportedImageError
from dip.images import Metadata, decode, derivative_format, derivative_name, encode, enlarged
from tests.conftest import photograph
from tests.one_image import run
from tests.test_images import encoded

HEIGHT_PX, WIDTH_PX = 40, 56
PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
TAGS = [
    "-Make=Epson",
    "-DateTimeOriginal=1999:01:02 03:04:05",
    "-GPSLatitude=3.5",
    "-GPSLatitudeRef=N",
    "-Orientation#=6",
    "-XMP-dc:Title=Über dem Meer",
    "-XMP-dc:Creator=Anna",
    "-IPTC:Keywords=sea",
    "-IPTC:Caption-Abstract=A sea",
]
CARRIED = ("IFD0", "ExifIFD", "GPS", "XMP", "IPTC", "ICC", "PNG-pHYs")
LAYOUT = frozenset(
    ["ImageWidth", "ImageHeight", "BitsPerSample", "Compression", "PhotometricInterpretation", "StripOffsets",
     "SamplesPerPixel", "RowsPerStrip", "StripByteCounts", "PlanarConfiguration", "Predictor", "TileWidth",
     "TileLength", "TileOffsets", "TileByteCounts", "ExtraSamples", "SampleFormat", "SubfileType"]
)  # fmt: skip


def levels(channels: int, bit_depth: int) -> np.ndarray:
    """A photograph, (H, W, channels), and another one as its alpha."""
    size = (WIDTH_PX, HEIGHT_PX)
    planes = [np.asarray(plane) for plane in photograph("coffee").resize(size).split()]
    planes = planes[: 1 if channels < 3 else 3]
    if channels in (2, 4):
        planes.append(np.asarray(photograph("camera").resize(size)))
    stacked = np.stack(planes, axis=2)
    if bit_depth == 8:
        return stacked
    low_bytes = np.random.default_rng(0).integers(0, 256, stacked.shape)
    return (stacked.astype(np.uint16) << 8) + low_bytes.astype(np.uint16)


def tiff(channels: int, bit_depth: int, **options) -> bytes:
    buffer = io.BytesIO()
    planes = levels(channels, bit_depth)
    if channels in (2, 4):
        options["extrasamples"] = ["UNASSALPHA"]
    tifffile.imwrite(
        buffer,
        planes[..., 0] if channels == 1 else planes,
        photometric="minisblack" if channels < 3 else "rgb",
        metadata=None,
        resolution=(300, 300),
        resolutionunit="INCH",
        iccprofile=PROFILE,
        **options,
    )
    return buffer.getvalue()


def sources() -> dict[str, bytes]:
    """Name and bytes of a file of each kind."""
    files = {}
    layouts = {"strips": {"rowsperstrip": 8}, "tiles": {"tile": (16, 32)}}
    orders = {"little": {"byteorder": "<"}, "big": {"byteorder": ">"}, "bigtiff": {"bigtiff": True}}
    for depth, channels, compression, layout, order in product(
        (8, 16), (1, 2, 3, 4), (None, "lzw", "zlib"), layouts, orders
    ):
        options = {**layouts[layout], **orders[order], "compression": compression}
        files[f"{depth}-{channels}-{compression}-{layout}-{order}.tif"] = tiff(channels, depth, **options)
    for channels in (1, 2, 3, 4):
        planes = levels(channels, 8)
        image = PillowImage.fromarray(planes[..., 0] if channels == 1 else planes)
        files[f"8-{channels}.png"] = encoded(image, "PNG", icc_profile=PROFILE, dpi=(300, 300))
        files[f"16-{channels}.png"] = imagecodecs.png_encode(levels(channels, 16))
        if channels >= 3:
            files[f"8-{channels}.webp"] = encoded(
                image, "WEBP", lossless=True, icc_profile=PROFILE, exact=True
            )
        if channels in (1, 3):
            files[f"8-{channels}.bmp"] = encoded(image, "BMP", dpi=(300, 300))
            files[f"8-{channels}.jpg"] = encoded(image, "JPEG", icc_profile=PROFILE, dpi=(300, 300))
        files[f"8-{channels}.jp2"] = imagecodecs.jpeg2k_encode(levels(channels, 8), level=0)
        files[f"16-{channels}.jp2"] = imagecodecs.jpeg2k_encode(levels(channels, 16), level=0)
    files["palette.png"] = encoded(photograph("coffee").quantize(16), "PNG", icc_profile=PROFILE)
    return files


SOURCES = sources()


def brightened(name: str, content: bytes) -> tuple[str, bytes]:
    """Name and bytes of a derivative whose pixels are the source's, a little brighter."""
    image = decode(content, name)
    file_format = derivative_format(name, "source")
    changed = replace(image, pixels=image.pixels * np.float32(0.9) + np.float32(0.1))
    return derivative_name(name, file_format), encode(changed, file_format)


@pytest.mark.parametrize("name", SOURCES)
def test_pixels_depth_and_channels_come_back(name):
    image = decode(SOURCES[name], name)
    derivative = derivative_name(name, derivative_format(name, "source"))
    again = decode(encode(image, derivative_format(name, "source")), derivative)
    assert np.array_equal(again.pixels, image.pixels)
    assert again.bit_depth == image.bit_depth
    assert (again.alpha is None) == (image.alpha is None)
    assert image.alpha is None or np.array_equal(again.alpha, image.alpha)
    assert again.tiff_layout == image.tiff_layout
    if image.bit_depth == 16:
        assert len(np.unique(again.levels())) > 256


@pytest.fixture(scope="module")
def tagged(tmp_path_factory):
    """The sources with tags of all kinds in them, and their derivatives."""
    if shutil.which("exiftool") is None:
        pytest.skip("exiftool is not installed (libimage-exiftool-perl)")
    folders = tmp_path_factory.mktemp("sources"), tmp_path_factory.mktemp("derivatives")
    for name, content in SOURCES.items():
        (folders[0] / name).write_bytes(content)
    # It cannot write into a BMP or a BigTIFF, and says so; that it did into others is asserted below.
    subprocess.run(["exiftool", "-q", "-m", "-overwrite_original", *TAGS, folders[0]], check=False)
    for path in folders[0].iterdir():
        name, content = brightened(path.name, path.read_bytes())
        (folders[1] / name).write_bytes(content)
    return [*map(tags_below, folders), folders]


def tags_below(folder: Path) -> dict[str, dict[str, str]]:
    """What exiftool reads in each file, but for what says how pixels are stored."""
    command = ["exiftool", "-j", "-G1", "-a", "-struct", folder]
    found = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    return {
        Path(file["SourceFile"]).name: {
            tag: value
            for tag, value in file.items()
            if tag.startswith(CARRIED) and tag.split(":")[1] not in LAYOUT
        }
        for file in found
    }


@pytest.mark.parametrize("name", SOURCES)
def test_tags_come_back(tagged, name):
    before, after = tagged[0][name], tagged[1][derivative_name(name, derivative_format(name, "source"))]
    if not name.endswith(("bigtiff.tif", ".bmp")):
        assert any("Epson" in str(value) for value in before.values())
        assert any("Meer" in str(value) for value in before.values())
    assert {tag: after.get(tag) for tag in before} == before


def test_tags_of_a_jpeg_come_along_into_a_tiff(tagged, tmp_path):
    before, (folder, _) = tagged[0]["8-3.jpg"], tagged[2]
    derivative = encode(decode((folder / "8-3.jpg").read_bytes(), "a.jpg"), "tiff")
    (tmp_path / "a.tif").write_bytes(derivative)
    after = tags_below(tmp_path)["a.tif"]
    kept = {tag: value for tag, value in before.items() if "YCbCr" not in tag}  # pixels are RGB now
    assert {tag: after.get(tag) for tag in kept} == kept


def test_tags_of_a_jpeg_stay_in_a_jpeg_that_looks_the_same(tagged, tmp_path):
    before, (folder, _) = tagged[0]["8-3.jpg"], tagged[2]
    image = decode((folder / "8-3.jpg").read_bytes(), "a.jpg")
    derivative = encode(image, "jpeg")
    (tmp_path / "a.jpg").write_bytes(derivative)
    after = tags_below(tmp_path)["a.jpg"]
    assert {tag: after.get(tag) for tag in before} == before
    assert np.abs(decode(derivative, "a.jpg").pixels - image.pixels).mean() < 2 / 255


@pytest.mark.parametrize(("name", "lacks"), [("16-3.png", "16 bits"), ("8-4.png", "transparency")])
def test_jpeg_is_refused_for_what_it_cannot_hold(name, lacks):
    with pytest.raises(UnsupportedImageError, match=rf"Expected a format with {lacks}.*--format"):
        encode(decode(SOURCES[name], name), "jpeg")


@pytest.mark.parametrize("name", ["8-3.png", "8-3.webp", "8-3.jpg", "8-3-None-strips-little.tif"])
@pytest.mark.parametrize("asked", ["source", "png", "tiff", "jp2", "jpeg"])
def test_colour_profile_stays_to_the_byte(name, asked):
    file_format = derivative_format(name, asked)
    derivative = encode(decode(SOURCES[name], name), file_format)
    assert decode(derivative, "a").metadata.icc_profile == PROFILE
    if file_format != "jp2":  # which Pillow reads no profile of
        assert PillowImage.open(io.BytesIO(derivative)).info["icc_profile"] == PROFILE


def exiftool(content: bytes, path: Path) -> dict[str, object]:
    """What exiftool reads in a file, in numbers where there are any."""
    if shutil.which("exiftool") is None:
        pytest.skip("exiftool is not installed (libimage-exiftool-perl)")
    path.write_bytes(content)
    command = ["exiftool", "-j", "-n", path]
    return json.loads(subprocess.run(command, capture_output=True, check=True).stdout)[0]


@pytest.mark.parametrize("name", ["8-4.png", "8-3.jpg", "16-2-lzw-tiles-big.tif"])
def test_jpeg_2000_says_what_other_formats_say(name, tmp_path):
    image = decode(SOURCES[name], name)
    derivative = encode(image, "jp2")
    assert decode(derivative, "a.jp2").metadata.icc_profile == PROFILE
    assert np.array_equal(decode(derivative, "a.jp2").levels(), image.levels())
    told = exiftool(derivative, tmp_path / "a.jp2")
    assert told["ProfileDescription"] == "sRGB built-in"
    if image.alpha is None:
        assert PillowImage.open(io.BytesIO(derivative)).mode == "RGB"
    if image.metadata.dpi is not None:  # else it is among the tags, which come along
        for side in "XY":
            per_metre = told[f"Capture{side}Resolution"] * 10 ** told[f"Capture{side}ResolutionUnit"]
            assert per_metre == pytest.approx(300 / 0.0254, rel=1e-5)
        assert decode(derivative, "a.jp2").metadata.dpi == pytest.approx((300, 300), rel=1e-4)
    else:
        assert told["XResolution"] == 300


@pytest.mark.parametrize("dpi", [(72, 300), (0.001, 96.012), (2.0, 1e6), (1 / 3, 4000)])
def test_resolution_of_a_jpeg_2000_is_as_exact_as_sixteen_bits_allow(dpi):
    image = decode(SOURCES["8-1.png"], "a.png")
    written = encode(replace(image, metadata=replace(image.metadata, dpi=dpi)), "jp2")
    assert decode(written, "a.jp2").metadata.dpi == pytest.approx(dpi, rel=2e-3)


@pytest.mark.parametrize("name", ["8-3.png", "8-3.jpg", "8-3.bmp", "8-3-zlib-tiles-big.tif", "8-3.jp2"])
def test_enlarged_image_has_more_pixels_per_inch(name, tmp_path):
    (tmp_path / "in").mkdir()
    image = decode(SOURCES[name], name)
    if name.endswith("jp2"):
        image = replace(image, metadata=replace(image.metadata, dpi=(300.0, 300.0)))
    content = encode(image, "jp2") if name.endswith("jp2") else SOURCES[name]
    before = exiftool(content, tmp_path / "in" / name)
    configuration = Configuration("super-resolution", method="none", scale=4)
    row = run(tmp_path, name, configuration)
    assert row["status"] == "restored", row["error_message"]
    derivative = tmp_path / "out" / row["output_name"]
    after = exiftool(derivative.read_bytes(), derivative)
    densities = [
        tag for tag in before if tag.endswith(("XResolution", "YResolution", "PerUnitX", "PerMeterX"))
    ]
    assert densities
    for tag in densities:
        told = after.get(tag) or after["PixelsPerUnitX"] * 0.0254  # of the PNG that a JPEG becomes
        assert told == pytest.approx(4 * before[tag], rel=1e-3), tag


@pytest.mark.parametrize("exif", [b"", b"II", b"II*\0" + b"\xff" * 8, b"MM\0*\0\0\0\x08\xff\xff\1\x1a"])
def test_damaged_tags_are_carried_as_they_are(exif):
    assert enlarged(Metadata(exif=exif), 4).exif == exif


def test_format_without_16_bits_is_refused():
    with pytest.raises(UnsupportedImageError, match=r"--format"):
        encode(decode(SOURCES["16-3.png"], "a.png"), "webp")


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"data": np.zeros((2, 8, 8, 3), np.uint8), "photometric": "rgb"}, "got 2 frames"),
        ({"data": np.zeros((8, 8, 4), np.uint8), "photometric": "separated"}, "mode SEPARATED"),
        ({"data": np.zeros((8, 8, 3), np.float32), "photometric": "rgb"}, "got 32 bits, floating-point"),
        ({"data": np.zeros((8, 8), np.int16)}, "got 16 bits, signed"),
        ({"data": np.zeros((8, 8, 3), np.uint8), "photometric": "cielab"}, "mode CIELAB"),
    ],
)
def test_tiff_that_would_be_flattened_is_refused(options, sentence):
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, metadata=None, **options)
    with pytest.raises(UnsupportedImageError, match=sentence):
        decode(buffer.getvalue(), "a.tif")


def test_white_is_zero_in_a_tiff_turned_round():
    planes = levels(1, 8)[..., 0]
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, planes, photometric="miniswhite")
    assert np.array_equal(decode(buffer.getvalue(), "a.tif").levels()[..., 0], 255 - planes)
