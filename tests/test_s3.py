"""From S3 to S3 over HTTP, with keys."""

import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlparse

from tests.conftest import files_below, write_photographs
from tests.test_archive import FEW, rows_of

DIFFERS = ("run_id", "source_url", "source_version", "output_url", "seconds", "started_at")


def test_s3_gives_what_a_folder_gives(dip, s3, tmp_path):
    write_photographs(tmp_path / "in", 5)
    shutil.copytree(tmp_path / "in", s3.folder / "archive" / "in #1")
    asked = ("--task", "denoise", "--sigma", 25, *FEW)
    local = dip("evaluate", tmp_path / "in", tmp_path / "out", *asked)
    remote = dip("evaluate", "s3://archive/in #1", "s3://archive/out", *asked, **s3.environment)
    assert (local.returncode, remote.returncode) == (0, 0), remote.stderr
    stored = s3.folder / "archive" / "out"
    pairs = list(zip(rows_of(tmp_path / "out"), rows_of(stored), strict=True))
    assert len(pairs) == 5
    for here, there in pairs:
        assert urlparse(there["source_url"], allow_fragments=False).scheme == "s3"
        for column in set(here) - set(DIFFERS):
            assert here[column] == there[column], column
    for folder in ("images", "degraded"):
        assert files_below(tmp_path / "out" / folder) == files_below(stored / folder)
    again = dip("evaluate", "s3://archive/in #1", "s3://archive/out", *asked, **s3.environment)
    assert "Nothing to do" in again.stdout
    assert "photo-04.png" in dip("results", "s3://archive/out", **s3.environment).stdout


def test_storage_options_do_what_the_environment_does(dip, s3, tmp_path):
    write_photographs(s3.folder / "archive" / "few", 1)
    options = (
        f'{{"endpoint_url": "{s3.endpoint}", "key": "{s3.environment["AWS_ACCESS_KEY_ID"]}", '
        f'"secret": "{s3.environment["AWS_SECRET_ACCESS_KEY"]}"}}'
    )
    finished = dip(
        "restore",
        "s3://archive/few",
        tmp_path / "out",
        "--task",
        "denoise",
        "--storage-options",
        options,
        *FEW,
    )
    assert finished.returncode == 0, finished.stderr
    assert len(rows_of(tmp_path / "out")) == 1


def test_part_of_a_large_object_can_be_read(s3):
    content = bytes(range(256)) * 2**13
    (s3.folder / "archive" / "large").mkdir()
    folder = s3.location("s3://archive/large")
    folder.write("object", content)

    def last_bytes(file):
        file.seek(-100, os.SEEK_END)
        return file.read()

    assert folder.parse("object", last_bytes) == content[-100:]


REFUSED = [
    ("s3://archive/in", "{tmp}/out", {"AWS_SECRET_ACCESS_KEY": "wrong"}, "access was refused"),
    ("s3://nobucket/in", "{tmp}/out", {}, "does not exist"),
    ("s3://archive/in", "{tmp}/out", {"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}, "the storage failed"),
    ("{tmp}/in", "s3://nobucket/out", {}, "does not exist"),
    ("{tmp}/in", "s3://archive/out", {"AWS_SECRET_ACCESS_KEY": "wrong"}, "access was refused"),
    ("s3://archive/in", "s3://archive/in/out", {}, "Expected an output apart from the source"),

]  # fmt: skip


def test_storage_that_does_not_serve_is_said_in_a_sentence(dip, s3, tmp_path):
    write_photographs(tmp_path / "in", 1)

    def restore(case):
        source, output, changed, _ = case
        apart = f"{tmp_path}/{REFUSED.index(case)}"  # no two runs on one output
        urls = (source.format(tmp=tmp_path), output.format(tmp=apart))
        return dip("restore", *urls, "--task", "denoise", *FEW, **{**s3.environment, **changed})

    with ThreadPoolExecutor(3) as pool:
        finished = list(pool.map(restore, REFUSED))
    for case, process in zip(REFUSED, finished, strict=True):
        assert process.returncode == 2, case
        assert case[3] in process.stderr, case
        assert "Traceback" not in process.stderr, case
        assert len(process.stderr.strip().splitlines()) == 1, process.stderr
