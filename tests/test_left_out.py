"""What is left out of a source is counted; names that a disk takes for one are refused."""

import pytest

from dip.errors import ConfigurationError
from dip.images.naming import EXCLUDED, is_excluded, is_image_name
from dip.storage import Location
from flows.runs.inventory import inventory_of
from flows.runs.preconditions import check_twins_apart
from tests.conftest import photograph


def names_in(tmp_path, *names: str) -> Location:
    for name in names:
        path = tmp_path / "in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        photograph("coffee", 8).save(path, "PNG")
    return Location(str(tmp_path / "in"))


def test_what_is_no_image_or_excluded_is_counted_and_listed(tmp_path):
    source = names_in(tmp_path, "a.png", "@eaDir/a.png", "draft/b.png", "readme.txt", ".c.png")
    with inventory_of(source, None, [*EXCLUDED, "draft"]) as inventory:
        assert [entry.image_id for entry in inventory.without_result()] == ["a.png"]
        assert inventory.count_left_out() == 4
        assert inventory.left_out() == [".c.png", "@eaDir/a.png", "draft/b.png", "readme.txt"]


@pytest.mark.parametrize("suffix", ["jfif", "jif", "jpf", "jpx", "j2c", "jpc", "JFIF"])
def test_further_suffixes_name_images(suffix):
    assert is_image_name(f"a.{suffix}")


@pytest.mark.parametrize("glob", ["*_old.png", "box/*", "box", "a_old.png"])
def test_patterns_match_paths_and_their_parts(glob):
    assert is_excluded("box/a_old.png", [glob])
    assert not is_excluded("other/a.png", [glob])


class OneForAll(Location):
    """A location on a disk that takes capitals for small letters, and one accent for another."""

    def exists(self, name: str = "") -> bool:
        import unicodedata

        folded = {unicodedata.normalize("NFC", found).casefold() for found in self.names()}
        return unicodedata.normalize("NFC", name).casefold() in folded


def test_names_that_a_disk_takes_for_one_are_refused(tmp_path):
    source = names_in(tmp_path, "a.png", "A.png", "b.png")
    with inventory_of(source, None) as inventory:
        twins = inventory.twins()
    assert twins == ("A.png", "a.png")
    (tmp_path / "out").mkdir()
    check_twins_apart(Location(str(tmp_path / "out")), twins)
    with pytest.raises(ConfigurationError, match=r"keeps A\.png and a\.png apart"):
        check_twins_apart(OneForAll(str(tmp_path / "out")), twins)
    assert not list((tmp_path / "out").iterdir())
