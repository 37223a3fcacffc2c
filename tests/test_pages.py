"""A TIFF of several pages is restored page by page; what belongs to a page is no page."""

import io
import json
import struct
from dataclasses import replace

import numpy as np
import pytest
import tifffile
from PIL import Image as PillowImage

from dip.configuration import Configuration, Degradation
from dip.images import Pages, decode, encode, joined
from dip.pipeline.proposed_masks import propose_mask
from dip.pipeline.stages import inspect, process
from dip.storage import Location
from dip.storage.part_files import read_rows
from flows.console.report import print_plan
from flows.parameters import PlanParameters
from flows.plan import plan_archive
from flows.report.one_output import OutputReport
from flows.runs.verification import verify
from tests.an_output import restored
from tests.conftest import photograph
from tests.one_image import job, row_of, run

NONE = Configuration("denoise", method="none")
COLOUR = np.asarray(photograph("coffee", 48))
GREY = np.asarray(photograph("camera", 40)).astype(np.uint16) * 257
SMALL = np.asarray(photograph("coffee", 12))
HOLES = np.zeros((48, 48), bool)
HOLES[10:20, 10:20] = True


def tiff_of(*pages, **file_options) -> bytes:
    """A TIFF of (levels, options of tifffile's writer)."""
    buffer = io.BytesIO()
    with tifffile.TiffWriter(buffer, **file_options) as writer:
        for levels, options in pages:
            grey = options.get("photometric", "minisblack" if levels.ndim == 2 else "rgb")
            writer.write(levels, **{"metadata": None, **options, "photometric": grey})
    return buffer.getvalue()


def put(folder, content: bytes, name: str = "a.tif", below: str = "in") -> None:
    (folder / below).mkdir(exist_ok=True)
    (folder / below / name).write_bytes(content)


DOCUMENT = tiff_of(
    (COLOUR, {"description": "Box 3, recto", "resolution": (300, 300), "compression": "lzw"}),
    (GREY, {"description": "Box 3, verso", "resolution": (600, 600), "extratags": [(297, "H", 2, (1, 3))]}),
    (COLOUR[:30], {"description": "Box 3, label", "tile": (16, 16)}),
    byteorder=">",
)


def test_pages_of_different_sizes_and_modes_are_written_with_their_tags(tmp_path):
    put(tmp_path, DOCUMENT)
    row = run(tmp_path, "a.tif", NONE)
    assert row["status"] == "restored", row["error_message"]
    with tifffile.TiffFile(tmp_path / "out" / "images" / "a.tif") as file:
        pages = list(file.pages)
        assert [page.aspage().description for page in pages] == [
            "Box 3, recto",
            "Box 3, verso",
            "Box 3, label",
        ]
        for page, levels in zip(pages, (COLOUR, GREY, COLOUR[:30]), strict=True):
            assert np.array_equal(page.asarray(), levels)
        assert file.byteorder == ">"
        assert pages[0].compression == 5
        assert pages[2].is_tiled
        assert pages[1].aspage().tags[297].value == (1, 3)
        assert pages[1].aspage().tags[282].value == (600, 1)
        assert all(b"sha256" in page.aspage().tags[700].value for page in pages)
    sizes = [(page["page"], page["height_px"], page["width_px"], page["bit_depth"]) for page in row["pages"]]
    assert sizes == [(1, 48, 48, 8), (2, 40, 40, 16), (3, 30, 48, 8)]
    assert row["mean_absolute_change"] == 0


def test_pages_are_fitted_each_for_itself(tmp_path):
    noise = np.random.default_rng(0).normal(0, 20, COLOUR.shape)
    noisy = (COLOUR + noise).clip(0, 255).astype(np.uint8)
    put(tmp_path, tiff_of((noisy, {}), (noisy[:, ::-1], {})))
    shares = []
    asked = Configuration("denoise")
    process(job(tmp_path, "a.tif", asked), shares.append)
    row = row_of(job(tmp_path, "a.tif", asked))
    assert row["status"] == "restored", row["error_message"]
    first, second = row["pages"]
    assert min(first["iterations"], second["iterations"]) > 0
    assert row["iterations"] == first["iterations"] + second["iterations"]
    assert row["colour_drift"] == max(first["colour_drift"], second["colour_drift"])
    assert shares == sorted(shares)
    assert max(shares) <= 1
    written = Pages((tmp_path / "out" / "images" / "a.tif").read_bytes(), "a.tif")
    for number, before in enumerate((noisy, noisy[:, ::-1])):
        assert not np.array_equal(written.decoded(number).levels(), before)


def test_page_that_fails_is_named(tmp_path):
    put(tmp_path, tiff_of((COLOUR, {}), (GREY.astype(np.float32), {}), (COLOUR, {})))
    row = run(tmp_path, "a.tif", NONE)
    assert (row["status"], row["error_type"]) == ("failed", "UnsupportedImageError")
    assert row["error_message"].startswith("Page 2 of 3: Expected integers of 1 to 16 bits")
    assert inspect(job(tmp_path, "a.tif", NONE)).error_message == row["error_message"]
    assert not (tmp_path / "out" / "images").exists()


def test_clean_page_stays_beside_one_that_is_restored(tmp_path):
    flat = np.full((48, 48, 3), 200, np.uint8)
    noisy = (flat + np.random.default_rng(0).normal(0, 20, flat.shape)).clip(0, 255).astype(np.uint8)
    put(tmp_path, tiff_of((flat, {"description": "blank"}), (noisy, {})))
    row = run(tmp_path, "a.tif", NONE, noise_floor=2.0)
    assert row["status"] == "restored", row["error_message"]
    assert [page["status"] for page in row["pages"]] == ["skipped", "restored"]
    assert "Expected noise of σ 2.0 or more" in row["pages"][0]["error_message"]
    with tifffile.TiffFile(tmp_path / "out" / "images" / "a.tif") as file:
        assert np.array_equal(file.pages[0].asarray(), flat)
        assert 700 not in file.pages[0].tags, "nothing was done to it that could be told"
    put(tmp_path, tiff_of((flat, {}), (flat, {})), "clean.tif")
    assert run(tmp_path, "clean.tif", NONE, noise_floor=2.0)["status"] == "skipped"


def test_format_without_pages_is_refused_before_the_fit(tmp_path):
    put(tmp_path, DOCUMENT)
    message = inspect(job(tmp_path, "a.tif", NONE, file_format="png")).error_message
    assert message.startswith("Page 1 of 3: Expected a format with room for 3 pages, such as tiff")


def test_evaluation_takes_no_pages(tmp_path):
    put(tmp_path, DOCUMENT)
    asked = Configuration("denoise", method="none", degradation=Degradation(sigma=25))
    assert (
        "Expected a single image; got 3 frames or pages (a.tif)"
        in run(tmp_path, "a.tif", asked)["error_message"]
    )


def test_animation_stays_refused(tmp_path):
    (tmp_path / "in").mkdir()
    frames = [photograph("coffee", 32), photograph("camera", 32).convert("RGB")]
    frames[0].save(tmp_path / "in" / "a.gif", save_all=True, append_images=frames[1:])
    assert "got 2 frames or pages" in run(tmp_path, "a.gif", NONE)["error_message"]


def test_masks_have_as_many_pages_as_the_image(tmp_path):
    put(tmp_path, tiff_of((COLOUR, {}), (COLOUR[:, ::-1], {})))
    white = HOLES.astype(np.uint8) * 255
    put(tmp_path, tiff_of((white, {}), (white.T[::-1], {})), below="masks")
    asked = Configuration("inpaint", method="biharmonic")
    given = {"masks": Location(str(tmp_path / "masks")), "mask_id": "a.tif"}
    row = run(tmp_path, "a.tif", asked, **given)
    assert row["status"] == "restored", row["error_message"]
    assert row["keeps_unmasked"]
    assert row["masked_share"] == pytest.approx(HOLES.mean())
    with tifffile.TiffFile(tmp_path / "out" / "images" / "a.tif") as file:
        for page, levels, holes in zip(
            file.pages, (COLOUR, COLOUR[:, ::-1]), (HOLES, HOLES.T[::-1]), strict=True
        ):
            changed = (page.asarray() != levels).any(axis=2)
            assert changed.any()
            assert not changed[~holes].any()
    put(tmp_path, tiff_of((white, {})), below="masks")
    message = run(tmp_path, "a.tif", asked, output="again", **given)["error_message"]
    assert "Expected a mask with as many pages as the image, 2; got 1 (a.tif)" in message


def test_proposed_masks_have_pages_too(tmp_path):
    put(tmp_path, DOCUMENT)
    propose_mask(job(tmp_path, "a.tif", NONE))
    masks = Pages((tmp_path / "out" / "masks" / "a.tif").read_bytes(), "a.tif")
    assert [masks.decoded(n).size_px for n in range(3)] == [(48, 48), (40, 40), (30, 48)]
    assert {path.name for path in (tmp_path / "out" / "overlays").iterdir()} == {
        "a.tif.1.jpg",
        "a.tif.2.jpg",
        "a.tif.3.jpg",
    }


def companions() -> bytes:
    """Two pages; the first with a thumbnail and a mask below it, the second with both behind it."""
    bilevel = {"photometric": 4, "subfiletype": 4}
    return tiff_of(
        (COLOUR, {"subifds": 2}),
        (SMALL, {"subfiletype": 1}),
        (HOLES, bilevel),
        (COLOUR[::-1], {}),
        (SMALL, {"subfiletype": 1}),
        (HOLES[::-1], bilevel),
    )


def test_reduced_copies_are_made_anew_and_masks_carried():
    pages = Pages(companions(), "a.tif")
    assert len(pages) == 2
    images = [pages.decoded(number) for number in range(2)]
    assert [image.notes for image in images] == [(), ()]
    inverted = [encode(replace(image, pixels=1 - image.pixels), "tiff") for image in images]
    with tifffile.TiffFile(io.BytesIO(joined(inverted, "tiff"))) as file:
        first, second, thumbnail, mask = file.pages
        below = [page.aspage() for page in first.aspage().pages]
        kinds = [page.aspage().subfiletype for page in (first, second, thumbnail, mask, *below)]
        assert kinds == [0, 0, 1, 4, 1, 4]
        assert np.array_equal(first.asarray(), 255 - COLOUR)
        for copy, levels in ((below[0], COLOUR), (thumbnail, COLOUR[::-1])):
            expected = PillowImage.fromarray(255 - levels).resize((12, 12), PillowImage.Resampling.LANCZOS)
            assert np.abs(copy.asarray().astype(int) - np.asarray(expected)).mean() < 1
        assert np.array_equal(below[1].asarray(), HOLES)
        assert np.array_equal(mask.asarray(), HOLES[::-1])


def test_pages_that_look_alike_have_tables_of_their_own():
    parts = []
    for quality in (95, 20):
        buffer = io.BytesIO()
        PillowImage.fromarray(COLOUR).save(buffer, "TIFF", compression="jpeg", quality=quality)
        parts.append(buffer.getvalue())
    with tifffile.TiffFile(io.BytesIO(parts[0])) as file:
        assert 347 in file.pages[0].tags, "tables beside the pixels"
    pages = Pages(joined(parts, "tiff"), "a.tif")
    for number, part in enumerate(parts):
        assert np.array_equal(pages.decoded(number).pixels, decode(part, "a.tif").pixels)


def test_copy_of_other_proportions_is_dropped_and_told_of():
    image = decode(tiff_of((COLOUR, {}), (SMALL[:9], {"subfiletype": 1})), "a.tif")
    assert [note for note in image.notes if "12×9 pixels was dropped" in note]
    assert image.attached == ()


def test_what_has_no_place_is_told_of(tmp_path):
    put(
        tmp_path,
        tiff_of((COLOUR, {}), (SMALL, {"subfiletype": 1}), (HOLES, {"photometric": 4, "subfiletype": 4})),
    )
    notes = run(tmp_path, "a.tif", NONE, file_format="png")["notes"]
    assert any("reduced copy of the image had no place in a png" in note for note in notes)
    assert any("transparency mask of the image had no place in a png" in note for note in notes)
    larger = run(
        tmp_path, "a.tif", Configuration("super-resolution", method="none", scale=2), output="larger"
    )
    assert any("transparency mask of the image was dropped" in note for note in larger["notes"])
    with tifffile.TiffFile(tmp_path / "larger" / "images" / "a.tif") as file:
        assert [page.aspage().shape[:2] for page in file.pages] == [(96, 96), (12, 12)]


def test_document_of_hundreds_of_pages_is_read():
    pages = Pages(tiff_of(*[(COLOUR[:8, :8], {"description": f"{n}"}) for n in range(2500)]), "a.tif")
    assert len(pages) == 2500
    assert pages.decoded(2499).size_px == (8, 8)


def test_pages_that_follow_in_a_circle_are_damage():
    content = bytearray(tiff_of((COLOUR, {}), (COLOUR, {})))
    with tifffile.TiffFile(io.BytesIO(bytes(content))) as file:
        second, last = file.pages[1].offset, len(file.pages[1].tags)
    struct.pack_into("<I", content, second + 2 + 12 * last, struct.unpack_from("<I", content, 4)[0])
    with pytest.raises(Exception, match="circle"):
        Pages(bytes(content), "a.tif")


def test_plan_counts_pages(tmp_path, capsys):
    put(tmp_path, DOCUMENT)
    photograph("coffee").save(tmp_path / "in" / "b.png")
    plan = plan_archive(PlanParameters(source=str(tmp_path / "in"), task="denoise", method="none"))
    assert [prospect.pixels for prospect in plan.prospects] == [(2304, 1600, 1440), (2304,)]
    print_plan(plan, lists_left_out=False)
    told = capsys.readouterr().out
    assert "2 images: 2 to restore" in told
    assert "4 pages in those to restore." in told


def test_output_with_pages_is_complete(tmp_path):
    put(tmp_path, DOCUMENT)
    output = restored(tmp_path / "in", tmp_path / "out", task="denoise", method="none")
    assert verify(output).findings == ()
    (row,) = read_rows(output).to_pylist()
    assert len(row["pages"]) == 3
    sidecar = json.loads((tmp_path / "out" / "images" / "a.tif.json").read_text())
    assert [page["width_px"] for page in sidecar["pages"]] == [48, 40, 48]
    report = OutputReport({"": output})
    (item,) = [report.prepare([0])(0)]
    assert [preview.title for preview in item.previews][:2] == [
        "Source, page 1 of 3",
        "Restored, page 1 of 3",
    ]
    assert report.rows["page_count"].to_pylist() == [3]
    assert report.rows["megapixels"].to_pylist() == [0.005344]
