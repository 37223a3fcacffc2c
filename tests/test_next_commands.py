"""The command lines that a page offers can be typed as they stand."""

import shlex

import pytest

from dip.storage import Location
from flows.report.one_output import OutputReport
from tests.conftest import write_photographs

DECISIONS = "image_id,decision,note,decided_at\nphoto-01.png,again,,2026-01-01T00:00:00Z\n"


@pytest.mark.parametrize(
    "begun",
    [
        ["restore", "in", "restored it", "--task", "super-resolution", "--scale", "2"],
        ["evaluate", "in", "measured", "--task", "inpaint", "--missing", "0.3", "--seed", "3"],
    ],
)
def test_all_ten_commands_do_what_they_are_offered_for(dip, tmp_path, monkeypatch, begun):
    monkeypatch.chdir(tmp_path)
    write_photographs(tmp_path / "in", 2, side_px=24)
    assert dip(*begun, "--max-iterations", "3").returncode == 0
    (tmp_path / "decisions.csv").write_text(DECISIONS)
    commands = OutputReport({"": Location(begun[2])}).head.commands
    assert len(commands) == 10
    for purpose, line in commands:
        program, *words = shlex.split(line.partition(" > ")[0])
        done = dip(*words)
        assert program == "dip"
        assert done.returncode == 0, (purpose, line, done.stdout, done.stderr)
    assert [path.name for path in (tmp_path / f"{begun[2]}-again" / "images").glob("*.png")] == [
        "photo-01.png"
    ]
    assert (tmp_path / "compared" / "index.html").exists()
