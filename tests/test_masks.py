"""Masks that are proposed: written for a person to look through, or used at once."""

import csv

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from dip.configuration import Configuration
from dip.storage import Location
from flows.parameters import ArchiveParameters
from tests.conftest import files_below, photograph
from tests.one_image import run
from tests.test_archive import rows_of
from tests.test_detection import damaged
from tests.test_lock import leave, ticket_of


def write_scans(folder):
    """A worn one, a clean one, and one that is none."""
    folder.mkdir()
    planes = np.rint(damaged(seed=2**41).pixels * 255).astype(np.uint8)
    Image.fromarray(planes.transpose(1, 2, 0)).save(folder / "worn.tif")
    photograph("coffee", 128).save(folder / "clean.jpg")
    (folder / "broken.png").write_bytes(b"no image")
    (folder / "gone.png").symlink_to(folder / "nowhere.png")


def test_masks_are_proposed_and_used(dip, tmp_path):
    write_scans(tmp_path / "in")
    proposed = tmp_path / "proposed"
    first = dip("masks", tmp_path / "in", proposed)
    assert first.returncode == 1, first.stderr
    assert "failed: broken.png: Expected an image; got 8 bytes" in first.stdout
    assert "failed: gone.png: Expected to read" in first.stdout
    assert "1 masks proposed, 1 images without visible damage, 2 failed" in first.stdout
    assert sorted(files_below(proposed)) == [
        "masks.csv", "masks/clean.jpg.png", "masks/worn.tif.png", "overlays/clean.jpg.jpg",
        "overlays/worn.tif.jpg", "probability/clean.jpg.png", "probability/worn.tif.png", "source.txt",
    ]  # fmt: skip
    mask = np.asarray(Image.open(proposed / "masks" / "worn.tif.png"))
    overlay = np.asarray(Image.open(proposed / "overlays" / "worn.tif.jpg"), np.int16)
    assert set(np.unique(mask)) == {0, 255}
    is_red = overlay[..., 0] - overlay[..., 1] > 100
    assert (is_red == (mask > 0)).mean() > 0.95
    assert not np.asarray(Image.open(proposed / "masks" / "clean.jpg.png")).any()
    rows = list(csv.DictReader((proposed / "masks.csv").open()))
    assert [row["status"] for row in rows] == ["failed", "empty", "failed", "proposed"]
    assert float(rows[3]["masked_share"]) == pytest.approx((mask > 0).mean(), abs=1e-6)
    assert int(rows[3]["pieces"]) == ndimage.label(mask, np.ones((3, 3)))[1]
    assert "got 8 bytes" in rows[0]["message"]

    line = ("--task", "inpaint", "--method", "biharmonic")
    dip("restore", tmp_path / "in", tmp_path / "out", *line, "--masks", proposed / "masks")
    dip("restore", tmp_path / "in", tmp_path / "auto", *line, "--masks", "auto")
    for output in ("out", "auto"):
        rows = rows_of(tmp_path / output)
        assert [row["status"] for row in rows] == ["failed", "skipped", "failed", "restored"]
        assert rows[3]["keeps_unmasked"] is True
        assert rows[3]["masked_share"] == (mask > 0).mean()
    assert "found none (clean.jpg)" in rows[1]["error_message"]
    assert files_below(tmp_path / "out" / "images") == files_below(tmp_path / "auto" / "images")
    assert (tmp_path / "auto" / "masks" / "worn.tif.png").read_bytes() == (
        proposed / "masks" / "worn.tif.png"
    ).read_bytes()


def test_masks_that_are_there_are_kept_and_are_those_of_one_source(dip, tmp_path):
    write_scans(tmp_path / "in")
    proposed = tmp_path / "proposed"
    dip("masks", tmp_path / "in", proposed)
    Image.new("L", (300, 300)).save(proposed / "masks" / "worn.tif.png")
    again = dip("masks", tmp_path / "in", proposed).stdout
    assert (
        "0 masks proposed, 0 images without visible damage, 2 failed, 2 masks kept that were there." in again
    )
    assert not np.asarray(Image.open(proposed / "masks" / "worn.tif.png")).any()
    kept = list(csv.DictReader((proposed / "masks.csv").open()))[3]
    assert (kept["status"], float(kept["masked_share"]), kept["pieces"]) == ("kept", 0, "0")
    (tmp_path / "in").rename(tmp_path / "other")
    before = files_below(proposed)
    refused = dip("masks", tmp_path / "other", proposed)
    assert refused.returncode == 2
    assert f", file://{tmp_path}/in; got file://{tmp_path}/other." in refused.stderr
    assert files_below(proposed) == before


@pytest.mark.parametrize("name", ["overlays/worn.tif.jpg", "runs/run/run.json"])
def test_masks_are_not_written_among_things_of_others(dip, tmp_path, name):
    write_scans(tmp_path / "in")
    output = Location(str(tmp_path / "out"))
    output.write(name, b"of somebody else")
    refused = dip("masks", tmp_path / "in", output.url)
    assert refused.returncode == 2
    assert f"holds 1 other entries, such as {name.split('/')[0]!r}" in refused.stderr
    assert files_below(tmp_path / "out") == {name: b"of somebody else"}


def test_masks_are_not_written_where_a_run_is_at_work(dip, tmp_path):
    write_scans(tmp_path / "in")
    leave(Location(str(tmp_path / "out")), ticket_of())
    refused = dip("masks", tmp_path / "in", tmp_path / "out")
    assert (refused.returncode, "in use by the run other" in refused.stderr) == (2, True)
    assert len(files_below(tmp_path / "out")) == 1


def test_masks_are_not_written_among_the_scans(dip, tmp_path):
    write_scans(tmp_path / "in")
    refused = dip("masks", tmp_path / "in", tmp_path / "in" / "masks")
    assert refused.returncode == 2
    assert "Expected an output apart from the source" in refused.stderr


@pytest.mark.parametrize(
    ("name", "task", "status", "marks", "keeps"),
    [
        ("worn.tif", "inpaint", "restored", True, True),
        ("worn.tif", "inpaint+denoise", "restored", True, False),
        ("clean.jpg", "inpaint", "skipped", False, None),
        ("clean.jpg", "inpaint+denoise", "restored", False, None),
    ],
)
def test_network_fills_what_is_proposed(tmp_path, name, task, status, marks, keeps):
    write_scans(tmp_path / "in")
    row = run(tmp_path, name, Configuration(task, max_iterations=2), proposes_masks=True)
    assert (row["status"], row["masked_share"] is not None, row["keeps_unmasked"]) == (status, marks, keeps)


def test_a_threshold_marks_more_or_less(dip, tmp_path):
    (tmp_path / "in").mkdir()
    planes = np.rint(damaged(seed=2**41).pixels * 255).astype(np.uint8)
    Image.fromarray(planes.transpose(1, 2, 0)).save(tmp_path / "in" / "worn.png")
    shares = []
    for threshold in ("0.5", "0.95"):
        dip("masks", tmp_path / "in", tmp_path / threshold, "--mask-threshold", threshold)
        row = next(csv.DictReader((tmp_path / threshold / "masks.csv").open()))
        shares.append(float(row["masked_share"]))
    assert shares[0] > shares[1] > 0


def test_worn_prints_are_restored_without_a_word_on_masks(tmp_path):
    write_scans(tmp_path / "in")
    row = run(tmp_path, "worn.tif", Configuration("restore"), proposes_masks=True)
    assert (row["status"], row["preset"]) == ("restored", "educated")
    assert row["masked_share"] > 0
    asked = ArchiveParameters(source="in", output="out", task="restore")
    assert asked.proposes_masks
    assert not ArchiveParameters(source="in", output="out", task="restore", masks="mine").proposes_masks


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"task": "inpaint", "masks": "mine", "mask_threshold": 0.5}, "goes with masks that are proposed"),
        ({"task": "restore", "mask_threshold": 1.5}, "less than 1"),
        ({"task": "denoise", "grain_fill": True}, "which the task denoise makes none of"),
    ],
)
def test_what_has_no_use_for_masks_is_refused(options, words):
    with pytest.raises(ValueError, match=words):
        ArchiveParameters(source="in", output="out", **options)
