"""Which images a finished output still lacks."""

import hashlib
import os

import pyarrow as pa

from dip.storage import Location
from flows.accounting import count_vanished, without_result
from flows.manifest import list_images
from tests.conftest import photograph, write_photographs
from tests.test_archive import FEW, rows_of


def row(folder, name, content=None, version="earlier"):
    content = (folder / name).read_bytes() if content is None else content
    sha256 = hashlib.sha256(content).hexdigest()
    return {"image_id": name, "status": "restored", "source_version": version, "source_sha256": sha256}


def test_images_whose_content_has_no_row_are_open(tmp_path):
    write_photographs(tmp_path / "in", 6, side_px=8)
    source = Location(str(tmp_path / "in"))
    entries = list_images(source, None)
    same, touched, changed, unread, new, failed = entries
    rows = [
        row(tmp_path / "in", same.image_id, b"whatever", same.version),
        row(tmp_path / "in", touched.image_id),
        row(tmp_path / "in", changed.image_id, b"what it was"),
        row(tmp_path / "in", unread.image_id) | {"source_sha256": None, "status": "failed"},
        row(tmp_path / "in", failed.image_id) | {"source_version": None, "status": "failed"},
        row(tmp_path / "in", same.image_id) | {"image_id": "gone.png"},
    ]
    table = pa.Table.from_pylist(rows)
    assert without_result(entries, table, source) == [changed, unread, new]
    assert count_vanished(entries, table) == 1
    assert without_result(entries, table.slice(0, 0), source) == entries


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
