"""Lists of images: what is restored alone, or again."""

import pytest

from dip.errors import ConfigurationError
from dip.storage import Location
from dip.storage.part_files import read_rows
from flows.parameters import ArchiveParameters
from flows.runs.accounts import open_run
from flows.runs.chosen import read_chosen
from tests.an_output import restored
from tests.conftest import write_photographs

ASKED = {"task": "super-resolution", "method": "none", "scale": 2}


def listed(folder, text: str) -> str:
    file = folder / "list.csv"
    file.write_text(text)
    return str(file)


@pytest.mark.parametrize(
    "text",
    [
        "b.png\n\na.png\nb.png\n",
        "image_id\nb.png\na.png\n",
        "status,image_id\r\nfailed,b.png\r\nfailed,a.png\r\n",
        '\ufeff"image_id","decision","note"\r\n"b.png","again",""\r\n"c.png","rejected",""\r\n"a.png","again","x"\r\n',
    ],
)
def test_list_is_names_or_a_table_of_them(tmp_path, text):
    assert read_chosen(Location(listed(tmp_path, text))) == ["b.png", "a.png"]


def test_list_without_names_is_refused(tmp_path):
    with pytest.raises(ConfigurationError, match="There is none"):
        read_chosen(Location(listed(tmp_path, "image_id,decision\na.png,accepted\n")))


def test_only_listed_images_are_restored(tmp_path):
    source = write_photographs(tmp_path / "in", 3, side_px=16)
    only = listed(tmp_path, "photo-01.png\n")
    output = restored(source, tmp_path / "out", only=only, **ASKED)
    assert read_rows(output)["image_id"].to_pylist() == ["photo-01.png"]
    restored(source, tmp_path / "out", **ASKED)  # the others follow
    assert read_rows(output).num_rows == 3


def test_listed_images_are_restored_again(tmp_path):
    source = write_photographs(tmp_path / "in", 3, side_px=16)
    output = restored(source, tmp_path / "out", **ASKED)
    restored(source, tmp_path / "out", retry=listed(tmp_path, "photo-02.png\n"), **ASKED)
    runs = read_rows(output, ["image_id", "run_id"]).to_pylist()
    first, second = sorted({row["run_id"] for row in runs})
    assert {row["image_id"]: row["run_id"] for row in runs} == {
        "photo-00.png": first,
        "photo-01.png": first,
        "photo-02.png": second,
    }


def test_listed_image_that_is_not_there_is_named(tmp_path):
    source = write_photographs(tmp_path / "in", 1, side_px=16)
    asked = ArchiveParameters(
        source=str(source), output=str(tmp_path / "out"), only=listed(tmp_path, "photo-09.png\n"), **ASKED
    )
    with pytest.raises(ConfigurationError, match=r"1 of its names are not there, such as 'photo-09\.png'"):
        open_run(asked)
