"""The command lines that a page offers can be typed as they stand."""

import shlex

import pytest

import cli
from dip.storage import Location
from flows.report.one_output import OutputReport
from tests.an_output import carried_out
from tests.conftest import write_photographs

DECISIONS = "image_id,decision,note,decided_at\nphoto-01.png,again,,2026-01-01T00:00:00Z\n"


def typed(line: str) -> None:
    """Call a line in this process; runs go without Prefect and workers."""
    program, *words = shlex.split(line.partition(" > ")[0])
    assert program == "dip"
    assert not cli.app(words, standalone_mode=False)  # an exit code, if any


@pytest.mark.parametrize(
    ("begun", "output"),
    [
        ("dip restore in 'restored it' --task super-resolution --scale 2 --max-iterations 3", "restored it"),
        ("dip evaluate in measured --task inpaint --missing 0.3 --seed 3 --max-iterations 3", "measured"),
    ],
)
def test_all_ten_commands_do_what_they_are_offered_for(tmp_path, monkeypatch, begun, output):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(cli, "_run", lambda _, asked: carried_out(asked))
    write_photographs(tmp_path / "in", 2, side_px=24)
    typed(begun)
    (tmp_path / "decisions.csv").write_text(DECISIONS)
    commands = OutputReport({"": Location(output)}).head.commands
    assert len(commands) == 10
    for _, line in commands:
        typed(line)
    assert [path.name for path in (tmp_path / f"{output}-again/images").glob("*.png")] == ["photo-01.png"]
    assert (tmp_path / "compared" / "index.html").exists()
