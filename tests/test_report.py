"""A report is made: on disk and S3, interrupted and gone on with, beside what a run wrote."""

import bagit
import numpy as np
import pytest
from PIL import Image

from dip.errors import ConfigurationError
from dip.storage import Location
from flows.parameters import ArchiveParameters
from flows.report.build import make_report
from flows.report.one_output import OutputReport
from flows.report.place import check_place, default_place
from flows.report.previews import LONGEST_PX
from flows.report.selection import tabled
from flows.runs.verification import verify
from tests.an_output import carried_out, restored
from tests.conftest import files_below, photograph, write_photographs

ASKED = {"task": "super-resolution", "method": "none", "scale": 2}


def reported(output: Location, folder: Location | None = None, sample: int | None = 200):
    contents = OutputReport({"": output}, sample)
    return make_report(contents, folder or default_place(output), lambda *_: None)


@pytest.fixture
def output(tmp_path) -> Location:
    return restored(write_photographs(tmp_path / "in", 3, side_px=24), tmp_path / "out", **ASKED)


def test_report_changes_nothing_that_a_run_wrote(output, tmp_path):
    before = files_below(tmp_path / "out")
    reported(output)
    after = files_below(tmp_path / "out")
    assert {name: content for name, content in after.items() if not name.startswith("report/")} == before
    assert verify(output).findings == ()


def test_bag_with_a_report_is_valid_and_can_be_continued(tmp_path):
    source = write_photographs(tmp_path / "in", 2, side_px=24)
    output = restored(source, tmp_path / "out", bag=True, **ASKED)
    reported(output)
    assert bagit.Bag(str(tmp_path / "out")).is_valid()
    photograph("coins", 24).save(source / "later.png")
    restored(source, tmp_path / "out", bag=True, **ASKED)
    assert reported(output).images == 3
    assert bagit.Bag(str(tmp_path / "out")).is_valid()


def test_interrupted_report_goes_on(output, tmp_path):
    folder = Location(str(tmp_path / "report"))

    def interrupt(done: int, _: int) -> None:
        if done == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make_report(OutputReport({"": output}), folder, interrupt)
    assert not folder.exists("index.html")
    again = reported(output, folder)
    assert again.shown == 3
    assert again.made < 3
    assert reported(output, folder).made == 0


def test_report_of_embedded_images_shows_them(tmp_path):
    source = write_photographs(tmp_path / "in", 2, side_px=24)
    reported(restored(source, tmp_path / "out", embed=True, **ASKED))
    assert len([*(tmp_path / "out" / "report").rglob("*.after.webp")]) == 2


def test_pictures_are_bounded_and_a_detail_has_every_pixel(tmp_path):
    (tmp_path / "in").mkdir()
    levels = np.asarray(photograph("camera", 512)).repeat(4, 0).repeat(4, 1)
    noise = np.random.default_rng(0).normal(0, 10, levels.shape)
    Image.fromarray((levels + noise).clip(0, 255).astype(np.uint8)).save(tmp_path / "in" / "large.png")
    reported(restored(tmp_path / "in", tmp_path / "out", task="denoise", method="none"))
    pictures = [*(tmp_path / "out" / "report").rglob("*.webp")]
    sizes = {path.name.split(".", 1)[1]: Image.open(path).size for path in pictures}
    assert sizes["after.webp"] == (LONGEST_PX, LONGEST_PX)
    assert sizes["detail-after.webp"] == (480, 480)


def test_large_output_keeps_what_is_shown_in_its_table(output):
    rows = OutputReport({"": output}).rows
    assert tabled(rows, np.array([2]), limit=1).tolist() == [2]


def test_source_that_is_gone_is_told_of(output, tmp_path):
    (tmp_path / "in" / "photo-00.png").unlink()
    assert reported(output).shown == 3
    items = [path.read_text() for path in (tmp_path / "out" / "report").rglob("previews/*/*.js")]
    assert sum("Not shown" in item and "photo-00.png" in item for item in items) == 1


@pytest.mark.parametrize("place", ["in/report", "out/images/report", "taken"])
def test_report_goes_nowhere_else_than_where_it_may(output, tmp_path, place):
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "diary.txt").write_text("mine")
    with pytest.raises(ConfigurationError):
        check_place(Location(str(tmp_path / place)), OutputReport({"": output}).places)


def test_report_of_an_output_on_s3_lies_there(s3):
    bucket = s3.folder / "archive"
    write_photographs(bucket / "report-in", 2, side_px=24)
    options = dict(s3.location("s3://archive").options)
    output = carried_out(
        ArchiveParameters(
            source="s3://archive/report-in",
            output="s3://archive/report-out",
            storage_options=options,
            **ASKED,
        )
    )
    made = reported(Location("s3://archive/report-out", options))
    assert made.url == "s3://archive/report-out/report/index.html"
    assert output.url == "s3://archive/report-out"
    assert (bucket / "report-out" / "report" / "index.html").read_text().count("photo") == 0
    assert len([*(bucket / "report-out" / "report").rglob("*.after.webp")]) == 2
    assert not any(
        options["secret"].encode() in content for content in files_below(bucket / "report-out").values()
    )
