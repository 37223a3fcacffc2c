"""The whole loop: a run makes a page, a reader decides on it, and the next run takes the decisions."""

import csv

import pytest

from tests.browser import browsing
from tests.conftest import wait_for, write_photographs
from tests.test_archive import rows_of
from tests.test_deployments import ask

ASKED = ("--task", "super-resolution", "--method", "none", "--scale", "2")


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    with browsing(tmp_path_factory.mktemp("browser")) as found:
        yield found


@pytest.fixture
def line(tmp_path) -> list:
    """The line of a run over four photographs."""
    return ["restore", write_photographs(tmp_path / "in", 4, side_px=24), tmp_path / "out", *ASKED]


def artifact_of_last_run(environment) -> str:
    newest = ask(environment, "artifacts/filter", sort="CREATED_DESC", limit=1)
    assert newest[0]["key"] == "restoration-summary"
    return newest[0]["data"]


def runs_by_image(output) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for row in rows_of(output):
        found.setdefault(row["image_id"], set()).add(row["run_id"])
    return found


def chosen_on(page, url: str) -> None:
    """Accept the first image, reject the second, have the third done again, by keys; leave the fourth."""
    page.open(f"{url}#image=photo-00.png")
    for number, key in enumerate("ard", 1):
        page.wait_for(f"return document.querySelector('.place').textContent.startsWith('{number} of')")
        page.press(key, "\ue014")
    page.press("\ue00c")


def saved(page, button: str, name: str):
    if not page.one(".panel").is_displayed():
        page.one(".menu summary").click()
    page.one(button).click()
    file = page.downloads / name
    wait_for(file.exists, name)
    return file


def test_run_is_asked_for_a_page_and_takes_what_was_decided_on_it(dip, environment, line, tmp_path, page):
    made = dip(*line, "--report")
    assert made.returncode == 0, made.stderr
    report = tmp_path / "out" / "report" / "index.html"
    assert f"Open {report}" in made.stdout
    assert f"[file://{report}](file://{report})" in artifact_of_last_run(environment)

    chosen_on(page, f"file://{report}")
    decisions = saved(page, "#save", "decisions.csv")
    page.one(".menu summary").click()
    next(chip for chip in page.all(".chip") if chip.text.lower().startswith("rejected")).click()
    rejected = saved(page, "#save-list", "rejected.csv")
    assert list(csv.reader(rejected.open(newline=""))) == [["image_id"], ["photo-01.png"]]
    assert page.errors() == []

    again = dip(*line, "--retry", decisions)
    assert "1 restored, 0 failed" in again.stdout, again.stderr
    assert dip(*line, "--retry", rejected).returncode == 0
    times = {name: len(runs) for name, runs in runs_by_image(tmp_path / "out").items()}
    assert times == {"photo-00.png": 1, "photo-01.png": 2, "photo-02.png": 2, "photo-03.png": 1}

    other = tmp_path / "other"
    only = dip(*line[:2], other, *ASKED[:-1], "3", "--only", decisions)
    assert "1 restored, 0 failed" in only.stdout, only.stderr
    assert [row["image_id"] for row in rows_of(other)] == ["photo-02.png"]


def test_artifact_says_how_a_page_is_made_and_which_one_is_older(dip, environment, line, tmp_path):
    output = tmp_path / "out"
    dip(*line)
    assert f"`dip report {output}` makes one" in artifact_of_last_run(environment)
    assert dip("report", output).returncode == 0
    dip(*line, "--all")
    told = artifact_of_last_run(environment)
    assert f"(file://{output}/report/index.html), from before this run" in told
    finished = dip(*line, "--report")  # every image has a result: the page is made all the same
    assert f"Open {output}/report/index.html" in finished.stdout
