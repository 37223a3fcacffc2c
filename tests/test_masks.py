"""Masks that are proposed: written for a person to look through, or used at once."""

import numpy as np
import pytest
from PIL import Image

from dip.configuration import Configuration
from dip.storage import Location
from tests.conftest import files_below, photograph
from tests.one_image import run
from tests.test_archive import rows_of
from tests.test_damage import damaged
from tests.test_damage import photograph as pixels_of
from tests.test_lock import leave, ticket_of


def write_scans(folder):
    """A worn one, a clean one, and one that is none."""
    folder.mkdir()
    worn, _ = damaged(pixels_of("camera"), 1)
    Image.fromarray(np.rint(worn[0, :256] * 255).astype(np.uint8)).save(folder / "worn.tif")
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
        "masks/clean.jpg.png", "masks/worn.tif.png", "overlays/clean.jpg.jpg", "overlays/worn.tif.jpg",
        "source.txt",
    ]  # fmt: skip
    mask = np.asarray(Image.open(proposed / "masks" / "worn.tif.png"))
    overlay = np.asarray(Image.open(proposed / "overlays" / "worn.tif.jpg"), np.int16)
    assert set(np.unique(mask)) == {0, 255}
    is_red = overlay[..., 0] - overlay[..., 1] > 100
    assert (is_red == (mask > 0)).mean() > 0.95
    assert not np.asarray(Image.open(proposed / "masks" / "clean.jpg.png")).any()

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
    retouched = Image.new("L", (512, 256))
    retouched.save(proposed / "masks" / "worn.tif.png")
    again = dip("masks", tmp_path / "in", proposed).stdout
    assert (
        "0 masks proposed, 0 images without visible damage, 2 failed, 2 masks kept that were there." in again
    )
    assert not np.asarray(Image.open(proposed / "masks" / "worn.tif.png")).any()
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
