"""Dust and scratches by the infrared channel of film scans, wherever it lies."""

from dataclasses import replace

import numpy as np
import pytest
import tifffile
from PIL import Image
from scipy import ndimage

from dip import images
from dip.configuration import Configuration
from dip.errors import MaskError
from dip.operators.infrared import propose_by_infrared
from dip.operators.infrared.alignment import find_shift
from dip.storage import Location
from tests.an_output import restored
from tests.conftest import files_below
from tests.film import Stock, scanned, scene
from tests.one_image import run

SIZE_PX = (300, 420)
FILL = Configuration("inpaint", method="biharmonic")
STOCKS = {
    "slide": Stock("slide"),
    "negative, linear": Stock("negative", (0.1, 0.03, 0.01), 1.0),
    "inverted, in a holder": Stock("inverted", (0.06, 0.03, 0.0), rails_px=12),
    "8 bits": Stock("slide", (0.05, 0.01, 0.0), bits=8),
    "two passes": Stock("slide", shift_px=(4.3, -2.6)),
}


@pytest.fixture(scope="module")
def scan():
    """A slide with dust and scratches."""
    return scanned(scene("coffee", SIZE_PX), Stock("slide"), 7)


@pytest.fixture(scope="module")
def marked(scan):
    """What is proposed for it."""
    return propose_by_infrared(*as_stored(scan)).damaged


def as_stored(scan):
    """Colours and infrared, rounded to 16 bits."""
    return tuple(np.rint(plane * 65535).astype(np.float32) / np.float32(65535) for plane in channels(scan))


def channels(scan):
    return scan.pixels, scan.infrared


@pytest.mark.parametrize("stock", STOCKS.values(), ids=STOCKS)
def test_damage_is_found_and_clean_film_is_left_alone(stock):
    light = scene("coffee", SIZE_PX)
    worn = scanned(light, stock, 1)
    proposed = propose_by_infrared(*channels(worn)).damaged
    near = ndimage.binary_dilation(worn.touched, np.ones((7, 7)))
    assert proposed[worn.damaged].mean() > 0.8
    assert near[proposed].mean() > 0.8
    clean = scanned(light, replace(stock, marks=(0, 0, 0)), 2)
    assert not propose_by_infrared(*channels(clean)).damaged.any()


def test_spots_of_the_picture_in_a_rare_tone_are_no_damage():
    light = scene("11", SIZE_PX)
    clean = scanned(light, Stock("inverted", (0.15, 0.04, 0.03), 1.0, bits=8, marks=(0, 0, 0)), 12007)
    assert not propose_by_infrared(*channels(clean)).damaged.any()


def test_a_second_pass_is_laid_on_the_first():
    worn = scanned(scene("astronaut", SIZE_PX), Stock("slide", shift_px=(6.2, -3.7)), 3)
    assert np.allclose(find_shift(*channels(worn)), (-6.2, 3.7), atol=0.3)


@pytest.mark.parametrize("gamma", [1.0, 2.2])
def test_film_that_is_opaque_in_infrared_is_refused(gamma):
    silver = scanned(scene("camera", SIZE_PX), Stock("silver", (1 / 3, 1 / 3, 1 / 3), gamma), 4)
    with pytest.raises(MaskError, match="as with black-and-white film, whose silver is opaque"):
        propose_by_infrared(*channels(silver))


def test_no_more_than_a_part_of_the_film_is_marked():
    random = np.random.default_rng(0)
    infrared = np.full(SIZE_PX, 0.7, np.float32) + 0.002 * random.standard_normal(SIZE_PX, np.float32)
    infrared[np.arange(SIZE_PX[0]) % 60 < 10] *= 0.4
    proposal = propose_by_infrared(np.full((3, *SIZE_PX), 0.5, np.float32), infrared)
    assert proposal.is_capped
    assert proposal.damaged.mean() < 0.5


@pytest.mark.parametrize("size_px", [(1, 1), (3, 70), (16, 16)])
def test_tiny_scans_get_a_mask_of_their_size(size_px):
    random = np.random.default_rng(0)
    proposal = propose_by_infrared(
        random.random((3, *size_px), np.float32), random.random(size_px, np.float32)
    )
    assert proposal.damaged.shape == size_px


def levels(plane):
    return np.rint(plane * 65535).astype(np.uint16)


def write_scan(folder, scan, way):
    """A scan whose infrared lies in one of the places."""
    colours, infrared = levels(scan.pixels).transpose(1, 2, 0), levels(scan.infrared)
    folder.mkdir(exist_ok=True)
    with tifffile.TiffWriter(folder / "scan.tif") as file:
        if way == "sample":
            both = np.concatenate([colours, infrared[..., None]], axis=2)
            file.write(both, photometric="rgb", extrasamples=["unspecified"], metadata=None)
        else:
            file.write(colours, photometric="rgb", metadata=None)
        if way == "page 3":
            file.write(colours[::4, ::4].copy(), photometric="rgb", metadata=None)
        if way.startswith("page"):
            file.write(infrared, photometric="minisblack", metadata=None)
    if way.startswith(("_", "-")):
        tifffile.imwrite(folder / f"scan{way}", infrared, metadata=None)


@pytest.mark.parametrize("way", ["sample", "page 2", "page 3"])
def test_infrared_in_the_file_masks_and_is_carried(tmp_path, scan, marked, way):
    write_scan(tmp_path / "in", scan, way)
    row = run(tmp_path, "scan.tif", FILL, proposes_masks=True, infrared=True)
    assert (row["status"], row["error_message"], row["keeps_unmasked"]) == ("restored", None, True)
    assert row["masked_share"] == pytest.approx(marked.mean())
    mask = np.asarray(Image.open(tmp_path / "out" / "masks" / "scan.tif.png"))
    assert ((mask > 0) == marked).all()
    with tifffile.TiffFile(tmp_path / "out" / "images" / "scan.tif") as file:
        assert len(file.pages) == (1 if way == "sample" else int(way[-1]))
        last = file.pages[-1].asarray()
    infrared = last[..., 3] if way == "sample" else last
    assert (infrared == levels(scan.infrared)).all()


@pytest.mark.parametrize("way", ["_ir.tif", "-ir.png", "_IR.TIF", ".dust.tif"])
def test_infrared_beside_an_image_masks_it_and_is_no_image(tmp_path, scan, marked, way):
    write_scan(tmp_path / "in", scan, "_ir.tif")
    beside = tmp_path / "in" / f"scan{way}"
    if way.endswith("png"):
        beside.write_bytes(
            images.encode(images.decode((tmp_path / "in" / "scan_ir.tif").read_bytes(), ""), "png")
        )
        (tmp_path / "in" / "scan_ir.tif").unlink()
    else:
        (tmp_path / "in" / "scan_ir.tif").rename(beside)
    asked = {"task": "inpaint", "method": "biharmonic", "masks": "infrared"}
    if way.startswith("."):
        asked["infrared_suffix"] = ".dust"
    output = restored(tmp_path / "in", tmp_path / "out", **asked)
    found = files_below(tmp_path / "out")
    assert "images/scan.tif" in found
    assert found[f"infrared/scan{way}"] == beside.read_bytes()
    assert not any(name.startswith(f"images/scan{way}") for name in found)
    mask = np.asarray(Image.open(tmp_path / "out" / "masks" / "scan.tif.png"))
    assert ((mask > 0) == marked).all()
    assert output.exists("metrics")


def test_without_infrared_it_is_said_where_was_looked(tmp_path, scan):
    write_scan(tmp_path / "in", scan, "none")
    row = run(tmp_path, "scan.tif", FILL, proposes_masks=True, infrared=True)
    assert row["status"] == "skipped"
    assert "a fourth sample of no known meaning, a grey page of the image's size" in row["error_message"]
    both = Configuration("inpaint+denoise", max_iterations=2)
    row = run(tmp_path, "scan.tif", both, "both", proposes_masks=True, infrared=True)
    assert (row["status"], row["masked_share"]) == ("restored", None)
    assert any("Expected an infrared channel" in note for note in row["notes"])


@pytest.mark.parametrize(
    ("infrared", "complaint"),
    [
        (
            np.zeros((20, 30), np.uint8),
            "Expected a channel of infrared of the image's size, 420×300; got 30×20",
        ),
        (None, "Expected an infrared channel that can be read. Expected an image; got 8 bytes"),
    ],
)
def test_infrared_that_does_not_fit_fails_in_a_sentence(tmp_path, scan, infrared, complaint):
    write_scan(tmp_path / "in", scan, "none")
    beside = tmp_path / "in" / "scan_ir.tif"
    if infrared is None:
        beside.write_bytes(b"no image")
    else:
        tifffile.imwrite(beside, infrared)
    where = {"masks": Location(str(tmp_path / "in")), "mask_id": "scan_ir.tif"}
    row = run(tmp_path, "scan.tif", FILL, proposes_masks=True, infrared=True, **where)
    assert row["status"] == "failed"
    assert complaint in row["error_message"]


def test_infrared_page_is_not_lost_in_another_format(tmp_path, scan):
    write_scan(tmp_path / "in", scan, "page 2")
    row = run(tmp_path, "scan.tif", FILL, proposes_masks=True, infrared=True, file_format="png")
    assert "Expected a format with an infrared page, such as tiff" in row["error_message"]


def test_a_page_of_the_same_size_is_a_page_where_infrared_is_not_asked_for(tmp_path, scan):
    write_scan(tmp_path / "in", scan, "page 2")
    assert len(images.Pages((tmp_path / "in" / "scan.tif").read_bytes(), "scan.tif")) == 2


def test_masks_by_infrared_are_written_with_overlays(dip, tmp_path, scan, marked):
    write_scan(tmp_path / "in", scan, "_ir.tif")
    Image.new("RGB", (30, 20)).save(tmp_path / "in" / "print.png")
    made = dip("masks", tmp_path / "in", tmp_path / "proposed", "--infrared")
    assert made.returncode == 1, made.stderr
    assert "failed: print.png: Expected an infrared channel" in made.stdout
    assert sorted(files_below(tmp_path / "proposed")) == [
        "masks.csv", "masks/scan.tif.png", "overlays/scan.tif.jpg", "source.txt",
    ]  # fmt: skip
    mask = np.asarray(Image.open(tmp_path / "proposed" / "masks" / "scan.tif.png"))
    assert ((mask > 0) == marked).all()
