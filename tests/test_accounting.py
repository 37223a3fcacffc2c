"""Which images a finished output still lacks."""

import hashlib
import os
import sqlite3
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
from PIL import Image

from dip.errors import StorageError
from dip.pipeline.job import new_row
from dip.storage import Location
from dip.storage.part_files import PartFile
from dip.storage.results import Row, encode_record
from flows.parameters import ArchiveParameters
from flows.runs.accounts import close_run, open_run
from flows.runs.inventory import inventory_of, list_images
from flows.runs.run import Shard
from tests.conftest import photograph, write_photographs
from tests.test_archive import FEW, rows_of
from tests.test_compaction import finish


@pytest.fixture
def source(tmp_path):
    write_photographs(tmp_path / "in", 7, side_px=8)
    return Location(str(tmp_path / "in"))


def result_of(source, image_id, content=None, **values):
    content = source.read(image_id) if content is None else content
    told = {"status": "restored", "source_version": "earlier"} | values
    return Row(
        run_id="run",
        image_id=image_id,
        source_url="",
        source_sha256=hashlib.sha256(content).hexdigest(),
        task="denoise",
        method="dip",
        preset="auto",
        config_hash="",
        seed=0,
        software_version="0",
        started_at=datetime.now(UTC),
        **told,
    )


def write_results(output, run_id, rows):
    part = PartFile()
    for row in rows:
        part.add(encode_record(row))
    output.write(f"metrics/part-{run_id}-00000.parquet", part.finish()[0])


def test_images_whose_content_has_no_result_are_open(source, tmp_path):
    output = Location(str(tmp_path / "out"))
    entries = list_images(source, None)
    same, touched, changed, unread, new, failed, again = entries
    write_results(
        output,
        "run-1",
        [
            result_of(source, same.image_id, b"whatever", source_version=same.version),
            result_of(source, touched.image_id),
            result_of(source, changed.image_id, b"what it was"),
            result_of(source, unread.image_id, b"", status="failed"),
            result_of(source, failed.image_id, source_version=None, status="failed"),
            result_of(source, again.image_id, status="failed"),
            result_of(source, "gone.png", b""),
        ],
    )
    write_results(output, "run-2", [result_of(source, again.image_id)])
    with inventory_of(source, None) as inventory:
        assert list(inventory.without_result()) == entries
        inventory.read_results(output)
        assert inventory.count_vanished() == 1
        inventory.forget_changed()
        assert list(inventory.without_result()) == [changed, unread, new]
        inventory.forget_failures()
        assert list(inventory.without_result()) == [changed, unread, new, failed]
        inventory.forget_all()
        assert list(inventory.without_result()) == entries


def test_masks_are_found_by_name_and_by_stem_where_no_other_image_could_claim_them(tmp_path):
    source, masks = Location(str(tmp_path / "in")), Location(str(tmp_path / "masks"))
    for name in ("a.png", "b.jpg", "c.jpg", "d/e.jpg", "f.png", "f.jpg", "g.tif"):
        source.write(name, b"")
    for name in ("a.png", "a.tif", "b.png", "c.jpg.png", "c.png", "d/e.bmp", "d/e.png", "f.jpg", "f.tif"):
        masks.write(name, b"")
    found = {entry.image_id: entry.mask_id for entry in list_images(source, masks)}
    assert found == {
        "a.png": "a.png",
        "b.jpg": "b.png",
        "c.jpg": "c.jpg.png",
        "d/e.jpg": "d/e.png",
        "f.jpg": "f.jpg",
        "f.png": None,
        "g.tif": None,
    }


def test_mask_that_two_images_could_claim_is_refused(tmp_path):
    source, masks = Location(str(tmp_path / "in")), Location(str(tmp_path / "masks"))
    for name in ("a.jpg", "a.jpg.png"):
        source.write(name, b"")
    masks.write("a.jpg.png", b"")
    with pytest.raises(StorageError, match=r"a\.jpg\.png goes by the names of a\.jpg and a\.jpg\.png"):
        list_images(source, masks)
    masks.write("a.jpg", b"")
    assert [(entry.image_id, entry.mask_id) for entry in list_images(source, masks)] == [
        ("a.jpg", "a.jpg"),
        ("a.jpg.png", "a.jpg.png"),
    ]


def test_images_of_a_storage_that_tells_no_versions_are_read(source, tmp_path, monkeypatch):
    output, find = Location(str(tmp_path / "out")), Location.find
    monkeypatch.setattr(Location, "find", lambda *asked: (replace(f, version="") for f in find(*asked)))
    rows = [result_of(source, f"photo-0{i}.png", source_version="") for i in range(7)]
    write_results(output, "run", rows)
    source.write("photo-03.png", b"another")
    with inventory_of(source, None) as inventory:
        inventory.read_results(output)
        inventory.forget_changed()
        assert [entry.image_id for entry in inventory.without_result()] == ["photo-03.png"]


def test_image_whose_row_tells_no_version_is_read(source, tmp_path):
    output = Location(str(tmp_path / "out"))
    rows = [result_of(source, f"photo-0{i}.png", source_version=None) for i in range(7)]
    write_results(output, "run", rows)
    source.write("photo-03.png", b"another")
    with inventory_of(source, None) as inventory:
        inventory.read_results(output)
        inventory.forget_changed()
        assert [entry.image_id for entry in inventory.without_result()] == ["photo-03.png"]


def test_run_sorts_behind_an_earlier_one_of_a_clock_that_was_ahead(source, tmp_path):
    asked = ArchiveParameters(source=source.url, output=str(tmp_path / "out"), task="denoise")
    finish(asked)
    (first,) = asked.results.names("runs")
    for folder in ("runs", "metrics", "curves"):
        for path in [*(tmp_path / "out" / folder).rglob(f"*{first}*")]:
            path.rename(path.with_name(path.name.replace(first, "29991231T235959-000000")))
    run, _ = open_run(asked.model_copy(update={"redo_all": True}))
    assert run.run_id.startswith("30000101T000000-")


def test_source_without_images_is_a_sentence(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "notes.txt").touch()
    with pytest.raises(StorageError, match="found none among 1 files"):
        list_images(Location(str(tmp_path / "in")), None)
    with pytest.raises(StorageError, match="is a single file"):
        list_images(Location(str(tmp_path / "in" / "notes.txt")), None)


def test_listing_that_finds_no_room_is_a_sentence(source, monkeypatch):
    def small(path):
        database = sqlite3.Connection(path)
        database.execute("PRAGMA max_page_count = 12")  # of which the empty tables take some
        return database

    for number in range(300):
        source.write(f"{number:0100d}.png", b"")
    monkeypatch.setattr(sqlite3, "connect", small)
    with pytest.raises(StorageError, match=r"Expected room for the list of images in .*full"):
        list_images(source, None)


def test_archive_that_changes_is_kept_up_with(dip, tmp_path):
    source, output = write_photographs(tmp_path / "in", 3, side_px=16), tmp_path / "out"
    line = ("restore", source, output, "--task", "denoise", *FEW)
    assert dip(*line).returncode == 0
    before = {row["image_id"]: row["output_sha256"] for row in rows_of(output)}
    os.utime(source / "photo-00.png", (1, 1))
    photograph("rocket", 16).save(source / "photo-01.png")
    (source / "photo-02.png").unlink()
    finished = dip(*line)
    assert finished.returncode == 0, finished.stderr
    assert "1 restored, 0 failed, 0 skipped" in finished.stdout
    assert "1 images with a result are not in the source any more" in finished.stdout
    newest = rows_of(output)[2]
    assert newest["image_id"] == "photo-01.png"
    assert newest["output_sha256"] != before["photo-01.png"]
    again = dip(*line, "--all")
    assert "2 restored, 0 failed, 0 skipped" in again.stdout
    assert len(rows_of(output)) == 6


def test_run_without_a_row_yet_says_how_far_it_is(dip, source, tmp_path):
    asked = ArchiveParameters(source=source.url, output=str(tmp_path / "out"), task="denoise")
    run, _ = open_run(asked)
    for job in Shard(run, 0, frozenset()).open_jobs()[:3]:
        run.output.write(job.record, encode_record(new_row(job)))
    for command in ("results", "verify"):
        told = dip(command, asked.output)
        assert told.returncode == 2
        assert told.stderr == (
            f"Error: Expected results in {asked.output}/metrics; there are none yet. The run {run.run_id} is "
            "unfinished: 3 of 7 images are done. The line that began it continues it.\n"
        )


def test_images_without_a_row_are_named(dip, source, tmp_path):
    asked = ArchiveParameters(source=source.url, output=str(tmp_path / "out"), task="denoise", shard_size=2)
    finish(asked)
    assert "no row" not in dip("results", asked.output).stdout
    (run_id,) = asked.results.names("runs")
    asked.results.delete([f"metrics/part-{run_id}-00001.parquet", f"metrics/part-{run_id}-00002.parquet"])
    told = " ".join(dip("results", asked.output).stdout.split())
    named = "'photo-02.png', 'photo-03.png', 'photo-04.png', 'photo-05.png'"
    assert f"4 of 7 images of the run {run_id} have no row (yet): {named}." in told
    asked.results.delete([f"runs/{run_id}/finished.json"])
    run, _ = open_run(asked)
    with pytest.raises(StorageError, match=f"Expected 7 rows of the run {run_id}.*row: {named}"):
        close_run(run)


def test_masks_that_change_or_come_are_kept_up_with(dip, tmp_path):
    source, masks = write_photographs(tmp_path / "in", 4, side_px=16), tmp_path / "masks"
    masks.mkdir()
    for name in ("photo-00.png", "photo-01.png", "photo-02.png"):
        mask_of(5).save(masks / name)
    line = ("restore", source, tmp_path / "out", "--task", "inpaint", "--masks", masks)
    line = (*line, "--method", "biharmonic")
    assert "3 restored, 0 failed, 1 skipped" in dip(*line).stdout
    os.utime(masks / "photo-00.png", (1, 1))
    mask_of(9).save(masks / "photo-01.png")
    (masks / "photo-02.png").unlink()
    mask_of(5).save(masks / "photo-03.png")
    assert "2 restored, 0 failed, 0 skipped" in dip(*line).stdout
    rows = Counter(row["image_id"] for row in rows_of(tmp_path / "out"))
    assert [name for name, count in sorted(rows.items()) if count == 2] == ["photo-01.png", "photo-03.png"]
    assert "Nothing to do" in dip(*line).stdout


def mask_of(row):
    """A mask of 16×16 pixels with one line."""
    marks = np.zeros((16, 16), np.uint8)
    marks[row] = 255
    return Image.fromarray(marks)
