"""Local folders and URLs behind one face."""

import pickle
from pathlib import Path

import fsspec
import pytest

from dip.errors import ConfigurationError, StorageError
from dip.storage import Location
from tests.conftest import files_below


def at(folder) -> Location:
    return Location(str(folder))


def test_objects_are_replaced_whole(tmp_path):
    at(tmp_path).write("a/b.txt", b"first")
    at(tmp_path).write("a/b.txt", b"second")
    assert files_below(tmp_path) == {"a/b.txt": b"second"}


def test_failed_write_leaves_what_was_there_and_nothing_else(tmp_path, monkeypatch):
    at(tmp_path).write("a.txt", b"first")
    monkeypatch.setattr(
        Path, "replace", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device"))
    )
    with pytest.raises(StorageError, match=r"Expected to write .*a\.txt.*No space left on device"):
        at(tmp_path).write("a.txt", b"second")
    assert files_below(tmp_path) == {"a.txt": b"first"}


def test_file_that_a_killed_write_left_is_in_no_listing(tmp_path, monkeypatch):
    monkeypatch.setattr(Path, "replace", lambda *_: None)
    monkeypatch.setattr(Path, "unlink", lambda *_, **__: None)
    at(tmp_path).write("a.txt", b"half of i")
    assert [name.endswith(".tmp") for name in files_below(tmp_path)] == [True]
    assert list(at(tmp_path).find()) == []


def test_listing_gives_relative_names_and_sizes_and_follows_no_loop(tmp_path):
    at(tmp_path).write("a/b #1?.png", b"1234")
    at(tmp_path).write("c.png", b"")
    (tmp_path / "a" / "loop").symlink_to(tmp_path)
    found = {file.name: file.size_bytes for file in at(tmp_path).find()}
    assert found == {"a/b #1?.png": 4, "c.png": 0}
    assert [file.name for file in at(tmp_path).find("a")] == ["a/b #1?.png"]
    assert list(at(tmp_path / "nothing").find()) == []


def test_names_are_not_patterns(tmp_path):
    for name in ("[ab]*.txt", "a.txt"):
        at(tmp_path / "{x}").write(name, name.encode())
    location = at(tmp_path / "{x}")
    assert location.read("[ab]*.txt") == b"[ab]*.txt"
    location.delete(["[ab]*.txt"])
    assert location.names() == ["a.txt"]


@pytest.mark.parametrize(
    ("outer", "inner", "contained"),
    [
        ("/data", "/data/out", True),
        ("/data", "/data", True),
        ("/data", "/data/../data/out/", True),
        ("/data", "file:///data/out", True),
        ("/data/in", "/data/in-2", False),
        ("s3://bucket/in", "s3://bucket/in/out", True),
        ("s3://bucket/in", "s3://bucket/input", False),
        ("s3://bucket", "/bucket/in", False),
    ],
)
def test_locations_know_what_lies_in_them(outer, inner, contained):
    assert Location(outer).contains(Location(inner)) is contained


def test_links_do_not_hide_that_locations_overlap(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "in")
    assert at(tmp_path / "in").contains(at(tmp_path / "link" / "out"))


def test_missing_object_is_a_sentence(tmp_path):
    with pytest.raises(StorageError, match=r"Expected to read .*a\.png; it does not exist"):
        at(tmp_path).read("a.png")
    assert not at(tmp_path).exists("a.png")


def test_file_in_the_place_of_a_folder_is_a_sentence(tmp_path, s3):
    (tmp_path / "a.txt").touch()
    (s3.folder / "archive" / "a.txt").touch()
    for location in (at(tmp_path / "a.txt"), s3.location("s3://archive/a.txt")):
        with pytest.raises(StorageError, match=r"Expected a folder; .*/a\.txt is a file"):
            location.names()
        assert location.names("below") == []


def test_unknown_protocol_is_a_sentence():
    with pytest.raises(ConfigurationError, match="Expected a path or a URL that fsspec knows"):
        _ = Location("nosuch://bucket").root


def test_file_systems_that_the_process_shares_are_left_as_they_are():
    options = {"endpoint_url": "http://127.0.0.1:9", "config_kwargs": {"read_timeout": 7}}
    shared = fsspec.filesystem("s3", use_listings_cache=False, **options)
    retries = shared.retries
    ours, again = (Location("s3://bucket/in", options).file_system for _ in range(2))
    assert (shared.retries, shared.config_kwargs) == (retries, {"read_timeout": 7})
    assert (ours.retries, ours.config_kwargs["retries"]["total_max_attempts"]) == (1, 1)
    assert ours.config_kwargs["read_timeout"] == 7
    assert again is ours


def test_location_travels_without_its_connection_and_hides_its_options():
    location = Location("s3://bucket/in", {"key": "k", "secret": "hidden"})
    assert location.root == "bucket/in"
    assert "hidden" not in repr(location)
    again = pickle.loads(pickle.dumps(location))
    assert "_resolved" not in vars(again)
    assert again == location


@pytest.mark.parametrize("name", ["..", "../a", "a/../../b", "a\0b", "/a", "a//b"])
def test_names_stay_below_their_location(tmp_path, name):
    location = at(tmp_path / "out")
    location.write("a/b", b"within")
    actions = (location.read, location.exists, location.names, location.find)
    for action in (*actions, lambda name: location.write(name, b""), lambda name: location.delete([name])):
        with pytest.raises(StorageError, match="Expected a name"):
            action(name)


@pytest.mark.parametrize("url", ["in", "./in", "file://in"])
def test_folder_stays_the_same_for_a_process_with_another_current_folder(tmp_path, monkeypatch, url):
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path)
    sent = pickle.dumps(Location(url))
    monkeypatch.chdir(tmp_path / "elsewhere")
    pickle.loads(sent).write("a.txt", b"")
    assert files_below(tmp_path) == {"in/a.txt": b""}
