"""Listings of folders and prefixes, whatever their length."""

import os
from dataclasses import replace

import pytest

from dip.errors import StorageError
from dip.storage import Location, retry
from tests.faulty import proxy
from tests.test_retry import folder_at

COUNT = 2300
"""Over two pages of S3's thousand keys."""


@pytest.fixture
def long_folder(s3):
    folder = s3.folder / "archive" / "long"
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(COUNT):
        (folder / f"{number:05d}.png").touch()
    return folder


def test_page_that_fails_is_asked_for_again_and_the_others_are_not(s3, long_folder, monkeypatch):
    monkeypatch.setattr(retry, "FIRST_WAIT_S", 0.02)
    with proxy(s3.endpoint.removeprefix("http://")) as faulty:
        faulty.faults.extend(["", "503", "drop", "", "truncate"])
        found = [
            found.name for found in replace(folder_at(faulty.endpoint, s3), url="s3://archive/long").find()
        ]
        assert sorted(found) == sorted(path.name for path in long_folder.iterdir())
        assert faulty.requests == 3 + 3


def test_listing_of_s3_is_that_of_the_folder(s3):
    folder = s3.folder / "archive" / "listed"
    for name in ("a/b/1.png", "a/2 #?.png", "3.png", "ab/4.png"):
        s3.location("s3://archive/listed").write(name, name.encode())
    for location in (Location(str(folder)), s3.location("s3://archive/listed")):
        assert {found.name: found.size_bytes for found in location.find()} == {
            "a/b/1.png": 9,
            "a/2 #?.png": 10,
            "3.png": 5,
            "ab/4.png": 8,
        }
        assert {found.name: found.version for found in location.find()} == {
            name: location.version(name) for name in ("a/b/1.png", "a/2 #?.png", "3.png", "ab/4.png")
        }
        assert {found.name for found in location.find("a")} == {"a/b/1.png", "a/2 #?.png"}
        assert [found.name for found in location.below("3.png").find()] == [""]
        assert list(location.find("nothing")) == []
    assert {found.name.split("/")[0] for found in s3.location("s3://archive").find()} >= {"listed"}


def test_version_of_a_link_is_that_of_its_file(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "file.png").write_bytes(b"1234")
    (tmp_path / "in" / "link.png").symlink_to(tmp_path / "file.png")
    (tmp_path / "in" / "broken.png").symlink_to(tmp_path / "nowhere.png")
    source = Location(str(tmp_path / "in"))
    before = {found.name: found for found in source.find()}
    assert before["link.png"].size_bytes == 4
    os.utime(tmp_path / "file.png", (1, 1))
    after = {found.name: found for found in source.find()}
    assert after["link.png"].version != before["link.png"].version
    assert after["broken.png"] == before["broken.png"]


def test_folder_that_may_not_be_read_is_said_and_not_left_out(tmp_path, monkeypatch):
    closed, scandir = tmp_path / "closed", os.scandir
    closed.mkdir()

    def refuse(folder):  # permissions do not keep root out, whom tests may run as
        if folder == str(closed):
            raise PermissionError(13, "Permission denied", folder)
        return scandir(folder)

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(StorageError, match="access was refused"):
        list(Location(str(tmp_path)).find())
