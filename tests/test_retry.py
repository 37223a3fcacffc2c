"""Storage that fails for a while, over HTTP: a real S3 server behind a proxy that spoils its answers."""

import subprocess
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dip.errors import StorageError
from dip.storage import Location, retry
from dip.storage.part_files import parquet_bytes
from tests.conftest import S3, free_port, serving_s3, wait_for, write_photographs
from tests.faulty import ANSWERS, Proxy, proxy
from tests.test_cluster import SLOW, records

CONTENT = bytes(range(256)) * 400
TABLE = pa.table({"number": range(20_000)})
READ_TIMEOUT_S = 0.5


@pytest.fixture(autouse=True)
def _hurried(monkeypatch):
    monkeypatch.setattr(retry, "FIRST_WAIT_S", 0.02)


@pytest.fixture
def faulty(s3) -> Iterator[Proxy]:
    with proxy(s3.endpoint.removeprefix("http://")) as server:
        yield server


def folder_at(endpoint: str, s3: S3, bucket: str = "archive", **options) -> Location:
    """A folder of the server, for a client that has not been there before."""
    return Location(
        f"s3://{bucket}/retry",
        {
            "endpoint_url": endpoint,
            "key": s3.environment["AWS_ACCESS_KEY_ID"],
            "secret": s3.environment["AWS_SECRET_ACCESS_KEY"],
            "config_kwargs": {"read_timeout": READ_TIMEOUT_S, "region_name": "us-east-1"},
            "skip_instance_cache": True,
            **options,
        },
    )


def everything(folder: Location) -> Iterator[bool]:
    """Each thing that is done to a storage, and whether it went well."""
    folder.write("new", CONTENT)
    yield folder.exists("new")
    yield folder.read("new") == CONTENT
    yield list(folder.read_all(["new", "new"])) == [CONTENT] * 2
    yield folder.parse("table", pq.read_table) == TABLE
    yield folder.names() == ["new", "table"]
    yield {found.name for found in folder.find()} == {"new", "table"}
    folder.delete(["new"])
    yield folder.names() == ["table"]


@pytest.mark.parametrize(
    "faults", [tuple(ANSWERS), ("drop", "drop"), ("truncate",), ("delay",)], ids=lambda faults: faults[-1]
)
def test_what_fails_for_a_while_is_done_in_the_end(faulty, s3, faults):
    folder = folder_at(faulty.endpoint, s3)
    folder.write("table", parquet_bytes(TABLE))
    done = everything(folder)
    for _ in range(7):
        faulty.faults.extend(faults)
        assert next(done)


@pytest.mark.parametrize("has_answered", [True, False], ids=["has answered here", "has answered elsewhere"])
def test_server_that_is_away_for_some_seconds_is_waited_for(tmp_path, monkeypatch, has_answered):
    monkeypatch.setattr(retry, "FIRST_WAIT_S", 0.5)
    monkeypatch.setattr(retry, "FIRST_CONTACT_S", 1.0)
    monkeypatch.setattr(retry, "_reached", threading.Event())
    server = partial(serving_s3, tmp_path, free_port(), "key0123456789", "secret0123456789")
    with server() as s3:
        folder = folder_at(s3.endpoint, s3)
        folder.write("kept", CONTENT)
    if not has_answered:
        retry.have_patience(reached=True)
        folder = folder_at(s3.endpoint, s3)
    start = time.monotonic()
    with ThreadPoolExecutor(1) as pool:
        read = pool.submit(folder.read, "kept")
        time.sleep(3)
        with server():
            assert read.result(30) == CONTENT
    assert time.monotonic() - start > 3


@pytest.mark.parametrize(
    ("options", "name", "sentence"),
    [
        ({"secret": "wrong"}, "kept", "access was refused"),
        ({}, "absent", "does not exist"),
        ({"bucket": "nobucket"}, "kept", "does not exist"),
    ],
)
def test_what_does_not_heal_is_said_at_once(faulty, s3, options, name, sentence):
    start = time.monotonic()
    with pytest.raises(StorageError, match=sentence):
        folder_at(faulty.endpoint, s3, **options).read(name)
    with pytest.raises(StorageError, match=sentence):
        folder_at(faulty.endpoint, s3, **{"bucket": "nobucket", **options}).write("new", b"")
    assert time.monotonic() - start < 10  # of 15 s and more that are waited for what may heal
    assert faulty.requests <= 4


def test_patience_ends_and_says_how_long_it_was(faulty, s3, monkeypatch):
    monkeypatch.setattr(retry, "PATIENCE_S", 2.0)
    faulty.faults.extend(["503"] * 1000)
    with pytest.raises(StorageError, match=r"storage failed \(OSError: .*; tried \d+ times in \d s\)"):
        folder_at(faulty.endpoint, s3).read("kept")
    assert 1 < faulty.requests < 10


def test_server_that_never_answered_is_not_waited_for_long(s3, monkeypatch):
    monkeypatch.setattr(retry, "FIRST_CONTACT_S", 0.5)
    with pytest.raises(StorageError, match=r"Could not connect .*; tried \d times"):
        folder_at(f"http://127.0.0.1:{free_port()}", s3).names()


def test_run_that_is_ended_while_its_storage_is_away_does_not_wait_for_it(dip, tmp_path):
    server = partial(serving_s3, tmp_path, free_port(), "key0123456789", "secret0123456789")
    with server() as s3:
        write_photographs(s3.folder / "archive" / "in", 6)
        environment = {**dip.environment, **s3.environment}
        line = dip.command("restore", "s3://archive/in", "s3://archive/out", *SLOW, "--workers", 1)
        run = subprocess.Popen(line, env=environment, stderr=subprocess.PIPE, text=True)
        wait_for(lambda: records(s3.folder / "archive" / "out"), "the first restoration")
    time.sleep(8)  # by now every thread waits for the server
    run.terminate()
    try:
        _, errors = run.communicate(timeout=20)  # schedulers grant ten seconds; CI machines are slow
    finally:
        run.kill()
    assert run.returncode == 130, errors
    assert "the same line continues the run" in errors
    assert "Traceback" not in errors
    with server() as s3:
        again = dip(*line[1:], **s3.environment)
    assert "6 restored, 0 failed" in again.stdout, again.stderr
