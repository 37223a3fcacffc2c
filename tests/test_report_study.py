"""The page of a study: its plots and strips, and what its tables say."""

import pytest

from flows.console.reporting import report_on
from flows.parameters import ReportParameters
from tests.an_output import studied
from tests.browser import browsing
from tests.conftest import write_photographs

PRIORS = ["with-prior", "without-prior"]


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    with browsing(tmp_path_factory.mktemp("browser")) as found:
        yield found


def reported(folder, study: str, **asked) -> str:
    """The address of the page on a study of two photographs."""
    studied(write_photographs(folder / "in", 2, side_px=24), folder / "out", study=study, **asked)
    report = report_on(ReportParameters(output=str(folder / "out")))
    assert report.shown == 2
    return f"file://{report.url}"


def test_snapshots_are_compared_on_the_stage(tmp_path, page):
    url = reported(tmp_path, "snapshots", snapshots=(10, 20))
    page.open(url)
    assert page.one(".kind").text == "STUDY"
    assert page.one(".lead").text == "Snapshots of 2 images: with-prior, without-prior."
    assert [row.split()[0] for row in page.texts(".means tbody tr")] == PRIORS
    assert all(prior in text for text in page.texts(".caption") for prior in PRIORS)
    assert not page.one(".menu").is_displayed()  # there is nothing to decide on
    page.open(f"{url}#image=photo-01.png")
    page.picture_is_there()
    assert page.texts(".tag") == ["without-prior, 20", "with-prior, 20"]
    assert "Iteration 20" in page.one(".told").text
    page.press("a")
    assert page.run("return dip.decisions.size()") == 0
    assert page.errors() == []


@pytest.mark.parametrize("study", ["curves", "stopping", "architectures"])
def test_plot_stands_alone_and_every_variant_is_a_column(tmp_path, page, study):
    url = reported(tmp_path, study, max_iterations=5)
    page.open(f"{url}#image=photo-00.png")
    page.picture_is_there()
    assert page.texts(".tag.left") == ["Plot"]
    assert not page.one(".divider").is_displayed()
    sections = page.texts(".told h3")
    assert len(sections) >= 2
    page.press("\ue00c", "t")
    assert [
        text.removesuffix(", dB") for text in page.texts(".rows th")[1:] if text != "Decision"
    ] == sections
    assert page.errors() == []
