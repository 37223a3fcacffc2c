"""Results for other programs, and means by what tells images apart."""

import csv
import io
import json

import pytest
from PIL import Image

from dip.errors import ConfigurationError
from dip.storage.part_files import read_rows
from flows.console.report import export_results, print_means, print_results
from flows.report.means import histogram_of
from tests.an_output import evaluated
from tests.conftest import photograph


@pytest.fixture(scope="session")
def output(tmp_path_factory):
    folder = tmp_path_factory.mktemp("formats")
    (folder / "in").mkdir()
    for name in ("coffee", "coins"):
        photograph(name, 32).save(folder / "in" / f"{name}.png")
    Image.new("L", (32, 32), 128).save(folder / "in" / "a|b.png")
    (folder / "in" / "broken.png").write_bytes(b"broken")
    return evaluated(folder / "in", folder / "out", task="inpaint", missing=0.3, method="biharmonic")


def test_rows_leave_as_csv(output, capsys):
    export_results(output, "csv", failed=False)
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [row["image_id"] for row in rows] == ["a|b.png", "broken.png", "coffee.png", "coins.png"]
    assert rows[0]["psnr_db"] == "inf"
    assert float(rows[2]["psnr_db"]) > float(rows[2]["psnr_degraded_db"])


def test_rows_that_are_not_restored_leave_as_json(output, capsys):
    export_results(output, "json", failed=True)
    [row] = json.loads(capsys.readouterr().out)
    assert (row["image_id"], row["error_type"]) == ("broken.png", "UnreadableImageError")


def test_means_leave_as_markdown_by_what_is_asked(output, capsys):
    print_means(output, ["task", "method"], "markdown")
    title, line, row = capsys.readouterr().out.splitlines()
    assert title.startswith("| task | method | images | psnr_degraded_db |")
    assert set(line) == set("| -")
    assert row.startswith("| inpaint | biharmonic | 3 |")


def test_means_by_something_unknown_are_refused(output):
    with pytest.raises(ConfigurationError, match="colour"):
        print_means(output, ["colour"], "table")


def test_gains_are_shown_in_a_line(output, capsys):
    print_results(output)
    shown = capsys.readouterr().out
    [line] = [line for line in shown.splitlines() if line.startswith("gain in dB")]
    assert "█" in line
    assert "inf" not in line


def test_histogram_of_equal_values_is_left_out(output):
    assert histogram_of(read_rows(output)["seed"]) == ""
