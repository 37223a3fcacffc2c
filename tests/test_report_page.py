"""The page of a report, in a browser, from disk."""

import csv
import io
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from dip.storage import Location
from flows.report.build import make_report
from flows.report.comparison import Comparison
from flows.report.one_output import OutputReport
from flows.runs.chosen import read_chosen
from tests.an_output import evaluated, restored
from tests.browser import browsing
from tests.conftest import photograph, wait_for

HOSTILE = "<img src=x onerror=document.title='owned'>.png"


def report_of(contents, folder) -> str:
    made = make_report(contents, Location(str(folder)), lambda *_: None)
    return f"file://{made.url}"


@pytest.fixture(scope="session")
def page(tmp_path_factory):
    with browsing(tmp_path_factory.mktemp("browser")) as found:
        yield found


@pytest.fixture(scope="session")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("reports")


@pytest.fixture(scope="session")
def archive(folder) -> str:
    """The report on noisy photographs, a blank one, a broken file and one of a hostile name."""
    source = folder / "scans"
    (source / "box").mkdir(parents=True)
    noise = np.random.default_rng(0).normal(0, 20, (64, 64))
    for name in ("astronaut", "box/camera", "coins"):
        levels = np.asarray(photograph(name.split("/")[-1], 64).convert("L")) + noise
        Image.fromarray(levels.clip(0, 255).astype(np.uint8)).save(source / f"{name}.png")
    exif = Image.Exif()
    exif[270] = "<script>document.title='owned'</script>"
    Image.open(source / "coins.png").save(source / HOSTILE, exif=exif)
    info = PngInfo()
    info.add(b"abCD", b"of these pixels alone")
    Image.open(source / "box" / "camera.png").save(source / "box" / "camera.png", pnginfo=info)
    Image.new("L", (64, 64), 128).save(source / "blank.png")
    (source / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n, and then nothing")
    output = restored(source, folder / "restored", task="denoise", method="nlm")
    return report_of(OutputReport({"": output}), folder / "restored" / "report")


@pytest.fixture(scope="session")
def evaluations(folder):
    """Two outputs over the same references: a method that fills, and one that leaves what it gets."""
    source = folder / "references"
    source.mkdir()
    for name in ("astronaut", "chelsea", "coffee"):
        photograph(name, 64).save(source / f"{name}.png")
    return [
        evaluated(source, folder / method, task="inpaint", missing=0.3, method=method)
        for method in ("none", "biharmonic")
    ]


def opened(page, url: str, image_id: str) -> None:
    page.open(f"{url}#image={image_id}")
    page.wait_for("return !document.getElementById('viewer').hidden")


def shown(page) -> str:
    return page.one("#viewer-name").text


def test_gallery_shows_every_image_and_why_one_failed(page, archive):
    page.open(archive)
    assert page.one("h1").text == "restored"
    assert page.one(".lead").text == "4 of 6 images restored, 1 failed, 1 skipped."
    assert len(page.all(".card")) == 6
    page.wait_for("return [...document.querySelectorAll('.card img')].every((i) => i.naturalWidth > 0)")
    assert "the file is damaged" in page.one(".caption.failed").text
    assert page.errors() == []


def test_slider_moves_and_space_flips(page, archive):
    opened(page, archive, "astronaut.png")
    page.picture_is_there()
    clip = "return document.querySelector('.pane.right').style.clipPath"
    assert "50%" in page.run(clip)
    page.run("const s = document.querySelector('.slider'); s.value = 250; s.oninput()")
    assert "25%" in page.run(clip)
    page.press(" ")
    assert "100%" in page.run(clip)
    page.press(" ")
    assert "0px" in page.run(clip) or "0%" in page.run(clip)
    assert page.errors() == []


def test_zoom_reaches_single_pixels_and_difference_is_amplified(page, archive):
    opened(page, archive, "astronaut.png")
    page.picture_is_there()
    page.press("1")
    assert page.one(".scale").text == "1.0×"
    page.press("+", "+", "+", "+")
    assert (
        page.run("return getComputedStyle(document.querySelector('.world img')).imageRendering")
        == "pixelated"
    )
    page.press("x")
    assert page.run("return document.querySelector('.world').style.filter") == "brightness(4)"
    assert page.run("return getComputedStyle(document.querySelector('.over')).mixBlendMode") == "difference"
    page.press("x", "0")
    assert page.errors() == []


def test_arrows_walk_and_escape_leads_back(page, archive):
    opened(page, archive, "astronaut.png")
    first = shown(page)
    page.press("\ue014")
    page.wait_for("return document.querySelector('.place').textContent.startsWith('3 of')")
    assert shown(page) != first
    page.press("\ue012")
    page.wait_for("return document.querySelector('.place').textContent.startsWith('2 of')")
    assert shown(page) == first
    page.press("\ue00c")
    assert not page.one("#viewer").is_displayed()
    assert "#image" not in page.driver.current_url


def test_table_sorts_filters_and_searches(page, archive):
    page.open(archive)
    page.press("t")
    names = ".rows td.image_id"
    assert len(page.texts(names)) == 6
    header = next(b for b in page.all(".rows th button") if b.text.startswith("Change"))
    header.click()
    values = [float(text) for text in page.texts(".rows td.changed") if text]
    assert values == sorted(values, reverse=True)
    assert page.one("th.changed").get_attribute("aria-sort") == "descending"
    page.one("#search").send_keys("box/")
    page.wait_for("return document.querySelectorAll('.rows td.image_id').length === 1")
    assert page.texts(names) == ["box/camera.png"]
    page.one("#search").clear()
    page.one("#search").send_keys(" ")
    page.wait_for("return document.querySelectorAll('.rows td.image_id').length === 6")
    next(chip for chip in page.all(".chip") if chip.text.startswith("Failed")).click()
    assert page.texts(names) == ["broken.png"]
    next(chip for chip in page.all(".chip") if chip.text.startswith("All ")).click()
    page.run(
        "document.getElementById('where-column').value = 'noise_sigma';"
        "const v = document.getElementById('where-value'); v.value = 1; v.oninput()"
    )
    assert "blank.png" not in page.texts(names)
    assert page.errors() == []


def test_notes_are_a_column_a_group_and_in_the_page_of_an_image(page, archive):
    page.open(archive)
    page.press("t")
    [note] = [text for text in page.texts(".rows td.noted") if text]
    assert note.endswith("abCD.")
    next(chip for chip in page.all(".chip") if chip.text.startswith("With notes")).click()
    assert page.texts(".rows td.image_id") == ["box/camera.png"]
    next(chip for chip in page.all(".chip") if chip.text.startswith("All ")).click()
    page.one("#search").send_keys("abcd")
    page.wait_for("return document.querySelectorAll('.rows td.image_id').length === 1")
    opened(page, archive, "box/camera.png")
    page.wait_for("return document.querySelector('.told').textContent.includes('Notes')")
    assert note in page.one(".told").text
    assert page.errors() == []


def test_decisions_are_kept_saved_and_loaded(page, archive):
    opened(page, archive, "astronaut.png")
    page.press("a", "\ue014")
    page.wait_for("return document.querySelector('.place').textContent.startsWith('3 of')")
    page.press("r", "\ue014")
    page.wait_for("return document.querySelector('.place').textContent.startsWith('4 of')")
    page.press("d", "n", 'grey, "soft"', "\ue00c")
    page.open(archive)  # they outlive the page
    assert page.one("#decided").text == "3"
    page.one(".menu summary").click()
    page.one("#save").click()
    saved = page.downloads / "decisions.csv"
    wait_for(saved.exists, "decisions.csv")
    with saved.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["decision"] for row in rows] == ["accepted", "rejected", "again"]
    assert rows[2]["note"] == 'grey, "soft"'
    assert read_chosen(Location(str(saved))) == [rows[2]["image_id"]]
    page.run("localStorage.clear()")
    page.open(archive)
    assert page.one("#decided").text == "0"
    page.one(".menu summary").click()
    page.one("#load").send_keys(str(saved))
    page.wait_for("return document.getElementById('decided').value === '3'")
    assert page.errors() == []


def test_hostile_names_and_metadata_do_nothing(page, archive):
    page.open(archive)
    assert HOSTILE in page.texts(".card .name")
    page.press("t")
    assert HOSTILE in page.texts(".rows td.image_id")
    opened(page, archive, page.run("return encodeURIComponent(arguments[0])", HOSTILE))
    assert shown(page) == HOSTILE
    page.wait_for(
        "return document.querySelector('.told').textContent.includes(\"document.title='owned'</script>\")"
    )
    assert page.driver.title == "restored · restoration report"
    assert page.run("return document.querySelectorAll('img[src=x], .told script').length") == 0
    assert page.errors() == []


def test_policy_is_in_force(page, archive):
    page.open(archive)
    page.run("const s = document.createElement('style'); s.textContent = 'body{}'; document.head.append(s)")
    page.run("const i = new Image(); i.src = 'http://127.0.0.1:9/a.png'")
    refused = page.wait_for("return document.readyState === 'complete'") and page.errors()
    assert sum("Content Security Policy" in message for message in refused) == 2
    with pytest.raises(Exception, match="TrustedHTML"):
        page.run("document.body.innerHTML = '<p>'")
    with pytest.raises(Exception, match="not a script of this report"):
        page.run("return dip.load('http://127.0.0.1:9/a.js')")
    page.errors()


def test_comparison_sets_two_outputs_side_by_side(page, evaluations, folder):
    url = report_of(Comparison(tuple(evaluations)), folder / "compared")
    page.open(url)
    assert page.one("h1").text == "none and biharmonic"
    assert "biharmonic has the higher PSNR in 3 of 3 images" in page.one(".lead").text
    assert all("PSNR difference" in text for text in page.texts(".caption"))
    opened(page, url, "coffee.png")
    page.picture_is_there()
    assert page.texts(".tag") == ["none", "biharmonic"]
    assert page.run("return [...document.querySelector('.pair select').options].map((o) => o.value)") == [
        "before", "after", "reference", "after-b",
    ]  # fmt: skip
    page.press("m")
    assert page.run("return getComputedStyle(document.querySelector('.mask')).display") == "block"
    page.press("m")
    assert page.errors() == []


def test_page_fits_a_small_screen(page, archive):
    try:
        page.size(390, 844, "dark")
        page.open(archive)
        width = "return document.documentElement.scrollWidth"
        assert page.run(width) <= 390
        opened(page, archive, "astronaut.png")
        page.picture_is_there()
        assert page.run("return document.querySelector('.viewer').scrollWidth") <= 390
        assert page.run("return getComputedStyle(document.body).color") == "rgb(236, 236, 234)"
    finally:
        page.size(1440, 900)


AXE = """
const done = arguments[arguments.length - 1];
const worded = ({ id, nodes }) => `${id}: ${nodes[0].html}`;
axe.run().then((found) => done([found.passes.length, found.violations.map(worded)]));
"""


def violations(page) -> list[str]:
    """What breaks the rules of axe on the page as it is now."""
    page.run(files("axe_core_python").joinpath("axe.min.js").read_text())
    passed, broken = page.driver.execute_async_script(AXE)
    assert passed > 10
    return broken


@pytest.mark.parametrize("colours", ["light", "dark"])
def test_page_keeps_the_rules_of_accessibility(page, archive, colours):
    try:
        page.size(1440, 900, colours)
        page.open(archive)
        assert violations(page) == []
        page.press("t")
        assert violations(page) == []
        opened(page, archive, "astronaut.png")
        page.picture_is_there()
        page.press("a")
        assert violations(page) == []
    finally:
        page.size(1440, 900)


def test_list_of_shown_images_is_saved(page, archive):
    page.open(archive)
    next(chip for chip in page.all(".chip") if chip.text.startswith("Skipped")).click()
    page.one(".menu summary").click()
    page.one("#save-list").click()
    saved = page.downloads / "images.csv"
    wait_for(saved.exists, "images.csv")
    assert list(csv.reader(io.StringIO(saved.read_text()))) == [["image_id"], ["blank.png"]]
