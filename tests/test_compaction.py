"""Part files joined: the same rows in fewer files, whatever happens on the way."""

import time

import bagit
import pyarrow.parquet as pq
import pytest

from dip.errors import StorageError
from dip.optimize.curve import CurvePoint
from dip.pipeline.job import new_row
from dip.storage import Location
from dip.storage.part_files import PartFile, read_rows
from dip.storage.results import encode_record
from flows.parameters import ArchiveParameters
from flows.runs import compaction
from flows.runs.accounts import close_run, open_run
from flows.runs.bag import close_bag, open_bag
from flows.runs.run import Run, Shard
from tests.conftest import write_photographs
from tests.test_archive import rows_of
from tests.test_lock import leave, ticket_of

TASK = ("--task", "denoise")


def finish(parameters: ArchiveParameters) -> None:
    """Do a run without restoring anything."""
    close_run(begin(parameters, shards=None))


def begin(parameters: ArchiveParameters, shards: int | None) -> Run:
    """A run that was interrupted after so many shards."""
    run, _ = open_run(parameters)
    for index in run.open_shards[:shards]:
        part = PartFile()
        for job in Shard(run, index, frozenset()).open_jobs():
            row = new_row(job)
            row.status = "restored"
            part.add(encode_record(row, [CurvePoint(50, 0.1, None, None)]))
        for folder, content in zip(("metrics", "curves"), part.finish(), strict=True):
            run.output.write(f"{folder}/{run.part(index)}", content)
    return run


@pytest.fixture
def asked(tmp_path):
    source = write_photographs(tmp_path / "in", 9, side_px=8)
    return ArchiveParameters(source=str(source), output=str(tmp_path / "out"), task="denoise", shard_size=2)


@pytest.fixture
def output(asked):
    """Of two runs, of five shards each."""
    finish(asked)
    finish(asked.model_copy(update={"redo_all": True}))
    return asked.results


def names(output: Location) -> list[str]:
    return sorted(found.name for folder in ("metrics", "curves") for found in output.find(folder))


def test_parts_of_a_run_become_one_with_the_same_rows(dip, output, asked, tmp_path):
    before = rows_of(tmp_path / "out")
    done = dip("compact", output.root)
    assert (done.returncode, done.stdout) == (0, "20 files of rows and curves became 4.\n"), done.stderr
    assert len(names(output)) == 4
    assert all(name.endswith("-00000-00004.parquet") for name in names(output))
    assert rows_of(tmp_path / "out") == before
    assert read_rows(output).num_rows == 9
    for name in names(output):
        assert pq.ParquetFile(f"{output.root}/{name}").num_row_groups <= 1
    again = dip("restore", asked.source, output.root, *TASK)
    assert "Nothing to do" in again.stdout, again.stderr
    assert compaction.join_parts(output) == (4, 4)


def test_files_are_not_joined_beyond_a_size(output, monkeypatch):
    two = 2.5 * max(found.size_bytes for found in output.find("metrics"))
    monkeypatch.setattr(compaction, "JOINED_BYTES", two)
    rows = sorted(row["image_id"] for row in read_rows(output).to_pylist())
    compaction.join_parts(output)
    ends = [name.split("-", 3)[3] for name in names(output) if name.startswith("metrics")]
    assert ends == ["00000-00001.parquet", "00002-00003.parquet", "00004.parquet"] * 2
    assert sorted(row["image_id"] for row in read_rows(output).to_pylist()) == rows


def test_interrupted_it_goes_on_without_a_row_twice(output, tmp_path, monkeypatch):
    before = rows_of(tmp_path / "out")

    delete = Location.delete

    def refuse(self, names):
        if any(name.startswith("metrics") for name in names):
            raise StorageError("gone")
        delete(self, names)

    with monkeypatch.context() as patched:
        patched.setattr(Location, "delete", refuse)
        with pytest.raises(StorageError):
            compaction.join_parts(output)
    assert len(names(output)) == 21
    assert read_rows(output).num_rows == 9
    assert compaction.join_parts(output) == (21, 4)
    assert rows_of(tmp_path / "out") == before


def test_file_is_no_output(dip, tmp_path):
    (tmp_path / "a.txt").touch()
    for command in ("compact", "results", "verify"):
        refused = dip(command, tmp_path / "a.txt")
        assert refused.returncode == 2
        assert refused.stderr == f"Error: Expected a folder; {tmp_path}/a.txt is a file. Choose another.\n"


def test_without_a_finished_run_there_is_nothing_to_join(dip, asked, tmp_path):
    nothing = dip("compact", tmp_path / "typo")
    assert nothing.stderr == f"Error: Expected results in {tmp_path}/typo; there are none.\n"
    assert not (tmp_path / "typo").exists()
    run = begin(asked, shards=2)
    refused = dip("compact", asked.output)
    assert (nothing.returncode, refused.returncode) == (2, 2)
    assert f"there is none. The run {run.run_id} is unfinished: 4 of 9 images are done." in refused.stderr
    assert len(names(asked.results)) == 4


def test_output_in_use_is_left_alone(dip, asked):
    begin(asked, shards=2)
    leave(asked.results, ticket_of())
    refused = dip("compact", asked.output)
    assert refused.returncode == 2
    assert "in use by the run other" in refused.stderr
    assert "If it is dead, the same line works 60 s from now; dip restore," in refused.stderr


def test_bag_stays_a_bag(asked, dip):
    bag = asked.model_copy(update={"bag": True})
    finish(bag)
    close_bag(bag.location(bag.output))
    assert dip("compact", bag.output).stdout == "10 files of rows and curves became 2.\n"
    bagit.Bag(bag.output).validate()


def test_bag_of_an_unfinished_run_stays_open(asked, dip):
    bag = asked.model_copy(update={"bag": True})
    finish(bag)
    assert dip("compact", bag.output).returncode == 0
    assert bag.location(bag.output).names() == ["data"]
    close_bag(bag.location(bag.output))
    time.sleep(1)  # runs sort by the second they began in
    begin(bag.model_copy(update={"redo_all": True}), shards=2)
    open_bag(bag.location(bag.output))
    assert "became 2. The run " in dip("compact", bag.output).stdout
    assert not bag.location(bag.output).exists("tagmanifest-sha256.txt")
    finish(bag)
    assert dip("compact", bag.output).returncode == 0
    bagit.Bag(bag.output).validate()
