"""BagIt: what a run writes is a bag that another reader finds valid."""

import shutil

import bagit
import pytest

from dip.errors import ConfigurationError
from dip.storage import Location
from flows.runs.bag import check_bag, close_bag, open_bag, results_of
from tests.conftest import files_below, write_photographs
from tests.test_archive import FEW


def write_payload(folder, name="line\nbreak é.png"):
    (folder / "data" / "images").mkdir(parents=True)
    (folder / "data" / "metrics").mkdir()
    (folder / "data" / "images" / name).write_bytes(b"pixels")
    (folder / "data" / "metrics" / "part.parquet").write_bytes(b"rows" * 10**6)


def test_bag_is_valid_until_a_byte_changes(tmp_path):
    write_payload(tmp_path)
    bag = Location(str(tmp_path))
    close_bag(bag)
    assert bagit.Bag(str(tmp_path)).validate()
    (tmp_path / "data" / "metrics" / "part.parquet").write_bytes(b"rows" * 10**6 + b"!")
    with pytest.raises(bagit.BagValidationError):
        bagit.Bag(str(tmp_path)).validate()


def test_bag_in_an_object_store_has_the_manifests_of_one_on_disk(tmp_path, s3):
    write_payload(tmp_path, "50 % é.png")
    shutil.copytree(tmp_path, s3.folder / "archive" / "bag")
    remote = s3.location("s3://archive/bag")
    close_bag(Location(str(tmp_path)))
    close_bag(remote)
    assert remote.read("manifest-sha256.txt") == (tmp_path / "manifest-sha256.txt").read_bytes()
    assert bagit.Bag(str(s3.folder / "archive" / "bag")).validate()
    assert results_of(remote).url == "s3://archive/bag/data"


def test_bag_that_is_being_changed_is_none(tmp_path):
    write_payload(tmp_path)
    bag = Location(str(tmp_path))
    close_bag(bag)
    open_bag(bag)
    (tmp_path / "data" / "images" / "new.png").write_bytes(b"more")
    assert not (tmp_path / "tagmanifest-sha256.txt").exists()
    close_bag(bag)
    assert bagit.Bag(str(tmp_path)).validate()


def test_bag_is_not_made_around_something_else(tmp_path):
    (tmp_path / "letters").mkdir()
    with pytest.raises(ConfigurationError, match=r"new, empty or a bag; .* such as 'letters'"):
        check_bag(Location(str(tmp_path)))


@pytest.mark.parametrize("is_closed", [True, False])
def test_run_without_bag_leaves_a_bag_alone(dip, tmp_path, is_closed):
    bag = Location(str(tmp_path / "bag"))
    bag.write("data/runs/run/run.json", b"{}")
    if is_closed:
        close_bag(bag)
    before = files_below(tmp_path / "bag")
    line = ("restore", write_photographs(tmp_path / "in", 1, side_px=8), bag.url, "--task", "denoise")
    for more in ((), ("--overwrite",)):
        refused = dip(*line, *more)
        assert (refused.returncode, "Repeat the line with --bag" in refused.stderr) == (2, True)
    assert files_below(tmp_path / "bag") == before


def test_payload_of_a_bag_is_no_output(dip, tmp_path):
    write_payload(tmp_path / "bag")
    close_bag(Location(str(tmp_path / "bag")))
    before = files_below(tmp_path / "bag")
    source = write_photographs(tmp_path / "in", 1, side_px=8)
    for output, more in (("data", ()), ("data/images/new", ("--bag",))):
        refused = dip("restore", source, tmp_path / "bag" / output, "--task", "denoise", *more)
        assert refused.returncode == 2
        assert f"lies in the payload of the bag {tmp_path}/bag. Choose" in refused.stderr
    assert files_below(tmp_path / "bag") == before


def test_output_grows_as_a_bag_and_is_looked_at_like_any_other(dip, tmp_path):
    write_photographs(tmp_path / "in", 2, side_px=16)
    line = ("restore", tmp_path / "in", tmp_path / "out", "--task", "denoise", "--bag", *FEW)
    assert dip(*line).returncode == 0
    assert bagit.Bag(str(tmp_path / "out")).validate()
    shutil.copy(tmp_path / "in" / "photo-00.png", tmp_path / "in" / "photo-02.png")
    assert dip(*line).returncode == 0
    bag = bagit.Bag(str(tmp_path / "out"))
    assert bag.validate()
    assert "data/images/photo-02.png.json" in bag.entries
    assert "6 files" in dip("verify", tmp_path / "out").stdout
    assert "photo-02.png" in dip("results", tmp_path / "out").stdout
