"""The command line over real workers and a real Prefect server: folders of sound and broken images."""

import json
import subprocess
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
from PIL import Image, ImageOps

from dip.methods.presets import PRESETS
from dip.optimize import cost
from tests.conftest import files_below, photograph, write_photographs
from tests.test_images import claiming, encoded, png_of

FEW = ("--max-iterations", "3")


def rows_of(output: Path) -> list[dict]:
    rows = [
        row
        for part in sorted((output / "metrics").glob("part-*.parquet"))
        for row in pq.read_table(part).to_pylist()
    ]
    return sorted(rows, key=lambda row: row["image_id"])


def write_odd_images(folder: Path) -> dict[str, str]:
    """A folder as archives have them; what should become of each image."""
    photo = photograph("coffee")
    exif = Image.Exif()
    exif[0x0112] = 6
    levels = np.random.default_rng(0).integers(0, 2**16, (40, 30, 1), dtype=np.uint16)
    two_frames = {"save_all": True, "append_images": [photograph("coins")], "duration": 100}
    files = {
        "zero.png": (b"", "failed"),
        "truncated.png": (encoded(photo)[:3000], "failed"),
        "text.jpg": (b"Dear archivist,", "failed"),
        "one pixel.png": (encoded(photo.resize((1, 1))), "restored"),
        "wide/7 by 1000.png": (encoded(photo.resize((1000, 7))), "restored"),
        "palette.png": (encoded(photo.quantize(8)), "restored"),
        "alpha.png": (encoded(photo.convert("RGBA")), "restored"),
        "cmyk.jpg": (encoded(photo.convert("CMYK"), "JPEG"), "failed"),
        "grey 16.png": (png_of(levels, 0), "restored"),
        "turned.jpg": (encoded(photo.crop((0, 0, 48, 20)), "JPEG", exif=exif), "restored"),
        "moving.gif": (encoded(photo, "GIF", **two_frames), "failed"),
        "huge.png": (claiming(60000, 60000), "failed"),
        "same.jpg": (encoded(photo, "JPEG"), "restored"),
        "same.png": (encoded(photograph("coins")), "restored"),
        "same.jpg.png": (encoded(photograph("camera")), "restored"),
        "-rf.png": (encoded(photo), "restored"),
        "a 'quoted' \"name\" #1?.png": (encoded(photo), "restored"),
        "[glob]*{1}.png": (encoded(photo), "restored"),
        "Ελλάδα/写真 №5.png": (encoded(photo), "restored"),
        "line\nbreak.png": (encoded(photo), "restored"),
    }
    for name, (content, _) in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    for name in (".hidden.png", ".cache/thumb.png", "README.txt", "wide/notes.md"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(encoded(photo))
    return {name: status for name, (_, status) in files.items()}


def test_every_image_of_an_odd_folder_has_its_row_and_the_batch_goes_on(dip, tmp_path):
    expected = write_odd_images(tmp_path / "in")
    before = files_below(tmp_path / "in")
    finished = dip("restore", tmp_path / "in", tmp_path / "out", "--task", "denoise", *FEW)
    assert finished.returncode == 1, finished.stderr
    assert "Traceback" not in finished.stdout + finished.stderr
    rows = rows_of(tmp_path / "out")
    assert {row["image_id"]: row["status"] for row in rows} == expected
    for row in rows:
        if row["status"] == "failed":
            assert row["error_message"].startswith("Expected ")
            assert row["image_id"] in row["error_message"]
            assert f"failed: {row['image_id']}" in finished.stdout
        else:
            written = ImageOps.exif_transpose(Image.open(row["output_url"]))
            assert written.size == (row["width_px"], row["height_px"])
    images = files_below(tmp_path / "out" / "images")
    derivatives = {name for name in images if not name.endswith(".json")}
    assert len(derivatives) == list(expected.values()).count("restored")
    assert images.keys() - derivatives == {f"{name}.json" for name in derivatives}
    assert Image.open(tmp_path / "out/images/turned.jpg.png").getexif()[0x0112] == 6
    assert Image.open(tmp_path / "out/images/grey 16.png").mode == "I;16"
    assert Image.open(tmp_path / "out/images/alpha.png").mode == "RGBA"
    assert files_below(tmp_path / "in") == before


def test_same_line_starts_again_over_what_is_new_and_has_nothing_to_do_after(dip, tmp_path):
    write_photographs(tmp_path / "in", 3)
    line = ("restore", tmp_path / "in", tmp_path / "out", "--task", "denoise", *FEW)
    assert dip(*line).returncode == 0
    first = files_below(tmp_path / "out" / "images")
    photograph("rocket", 40).save(tmp_path / "in" / "new.png")
    second = dip(*line)
    assert "1 restored, 0 failed, 0 skipped" in second.stdout
    third = dip(*line)
    assert third.returncode == 0
    assert "Nothing to do" in third.stdout
    rows = rows_of(tmp_path / "out")
    assert [row["image_id"] for row in rows] == ["new.png", "photo-00.png", "photo-01.png", "photo-02.png"]
    assert len({row["run_id"] for row in rows}) == 2
    assert files_below(tmp_path / "out" / "images").items() >= first.items()
    other = dip(*line, "--seed", 1)
    assert other.returncode == 2
    assert "seed was 0 and is 1" in other.stderr


def test_worker_count_and_company_do_not_change_a_byte(dip, tmp_path):
    write_photographs(tmp_path / "in", 4)
    write_photographs(tmp_path / "fewer", 2)
    (tmp_path / "fewer" / "broken.png").write_bytes(b"broken")
    asked = ("--task", "denoise", "--sigma", 25, *FEW)
    dip("evaluate", tmp_path / "in", tmp_path / "one", *asked, "--workers", 1)
    dip("evaluate", tmp_path / "fewer", tmp_path / "two", *asked, "--workers", 2)
    one, two = (files_below(tmp_path / run / "images") for run in ("one", "two"))
    assert len(one) == 8
    assert set(two) == {f"photo-0{i}.png{suffix}" for i in (0, 1) for suffix in ("", ".json")}
    assert all(one[name] == two[name] for name in two)
    (tmp_path / "alone").mkdir()
    (tmp_path / "in" / "photo-03.png").rename(tmp_path / "alone" / "another-name.png")
    dip("evaluate", tmp_path / "alone", tmp_path / "three", *asked)
    alone, in_company = (
        np.asarray(Image.open(tmp_path / run))
        for run in ("three/images/another-name.png", "one/images/photo-03.png")
    )
    assert np.array_equal(alone, in_company)


def test_masks_are_found_by_relative_path_and_missing_ones_skip_their_image(dip, tmp_path):
    write_photographs(tmp_path / "in" / "box 1", 2)
    photograph("rocket").save(tmp_path / "in" / "box 1" / "photo-00.jpg")
    photograph("rocket").save(tmp_path / "in" / "box 1" / "photo-01.jpg")
    photograph("rocket").save(tmp_path / "in" / "alone.jpg")
    (tmp_path / "masks" / "box 1").mkdir(parents=True)
    damage = np.zeros((48, 48), np.uint8)
    damage[20:24] = 255
    for name in ("box 1/photo-00.png", "box 1/photo-00.jpg.png", "box 1/photo-01.png", "alone.png"):
        Image.fromarray(damage).save(tmp_path / "masks" / name)
    finished = dip(
        "restore", tmp_path / "in", tmp_path / "out", "--task", "inpaint", "--masks", tmp_path / "masks", *FEW
    )
    assert finished.returncode == 0, finished.stderr
    statuses = {row["image_id"]: row["status"] for row in rows_of(tmp_path / "out")}
    assert statuses == {
        "alone.jpg": "restored",
        "box 1/photo-00.jpg": "restored",
        "box 1/photo-00.png": "restored",
        "box 1/photo-01.jpg": "skipped",  # photo-01.png is another image's mask
        "box 1/photo-01.png": "restored",
    }


def test_embedded_results_are_an_image_column(dip, tmp_path):
    write_photographs(tmp_path / "in", 2)
    dip(
        "restore",
        tmp_path / "in",
        tmp_path / "out",
        "--task",
        "super-resolution",
        "--scale",
        2,
        "--embed",
        *FEW,
    )
    rows = rows_of(tmp_path / "out")
    assert [row["image"]["path"] for row in rows] == ["photo-00.png", "photo-01.png"]
    assert all(row["image"]["bytes"].startswith(b"\x89PNG") for row in rows)
    assert not (tmp_path / "out" / "images").exists()


def test_results_prints_rows_means_and_failures(dip, tmp_path):
    write_photographs(tmp_path / "in", 2)
    (tmp_path / "in" / "bad\x1b[31m.png").write_bytes(b"bad")
    assert dip("evaluate", tmp_path / "in", tmp_path / "out", "--task", "denoise", *FEW).returncode == 1
    shown = dip("results", tmp_path / "out").stdout
    assert "photo-01.png" in shown
    assert "denoise-rgb" in shown
    failures = dip("results", tmp_path / "out", "--failed").stdout
    assert "failed: bad\\x1b[31m.png: Expected an image" in failures
    assert "\x1b" not in shown + failures
    nothing = dip("results", tmp_path / "in")
    assert nothing.returncode == 2
    assert "there are none" in nothing.stderr


def test_without_a_server_the_run_has_one_of_its_own(dip, tmp_path):
    write_photographs(tmp_path / "in", 1)
    environment = {**dip.environment, "PREFECT_HOME": str(tmp_path / "home")}
    del environment["PREFECT_API_URL"]
    asked = ("--task", "denoise", "--workers", 1, *FEW)
    line = dip.command("restore", tmp_path / "in", tmp_path / "out", *asked)
    finished = subprocess.run(line, env=environment, capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stderr
    assert len(rows_of(tmp_path / "out")) == 1


def test_run_description_tells_what_was_asked(dip, tmp_path):
    write_photographs(tmp_path / "in", 1)
    options = json.dumps({"secret": "do not tell"})
    dip("restore", tmp_path / "in", tmp_path / "out", "--task", "denoise", "--storage-options", options, *FEW)
    [description] = (tmp_path / "out" / "runs").glob("*/run.json")
    assert json.loads(description.read_text())["asked"]["task"] == "denoise"
    assert not any(b"do not tell" in content for content in files_below(tmp_path / "out").values())


def test_plan_says_what_would_be_done_and_does_nothing(dip, tmp_path):
    expected = write_odd_images(tmp_path / "in")
    (tmp_path / "in" / "flat.png").write_bytes(encoded(Image.new("L", (64, 64), 100)))
    before = files_below(tmp_path)
    finished = dip("plan", tmp_path / "in", "--task", "denoise", "--noise-floor", 0.5, *FEW)
    assert finished.returncode == 0, finished.stderr
    would_fail = list(expected.values()).count("failed")
    assert f"{len(expected) + 1} images: " in finished.stdout
    assert f" {would_fail} would fail" in finished.stdout
    assert finished.stdout.count("failed: ") == would_fail
    assert "failed: cmyk.jpg: Expected a grey, RGB or palette image" in finished.stdout
    assert "hours of one cpu worker" in finished.stdout
    assert files_below(tmp_path) == before


def test_time_of_an_iteration_is_that_of_two_images_and_between(monkeypatch):
    took = {64: 0.05, 192: 0.21}
    monkeypatch.setattr(cost, "_seconds", lambda *asked: took[asked[-1]])
    found = cost.iteration_time(PRESETS["untrained"]["any"], 3, torch.device("cpu"))
    assert found.of(1, 64**2) == pytest.approx(0.05)
    assert found.of(10, 10 * 192**2) == pytest.approx(2.1)
    assert found.of(1, 0) == pytest.approx(0.03)


def test_plan_counts_megapixels_of_what_would_be_made(dip, tmp_path):
    write_photographs(tmp_path / "in", 2, side_px=50)
    asked = ("--task", "super-resolution", "--scale", 4, "--method", "none")
    finished = dip("plan", tmp_path / "in", *asked)
    assert "2 images: 2 to restore, 0 would fail, 0 would be skipped. 0.08 megapixels" in finished.stdout
    assert "hours" not in finished.stdout
    nothing = dip("plan", tmp_path / "nowhere", *asked)
    assert (nothing.returncode, nothing.stderr.startswith("Error: Expected a folder")) == (2, True)


def test_failed_images_are_tried_again_if_asked(dip, tmp_path):
    write_photographs(tmp_path / "in", 2)
    sound = (tmp_path / "in" / "photo-01.png").read_bytes()
    (tmp_path / "in" / "photo-01.png").write_bytes(b"broken on the way")
    line = ("restore", tmp_path / "in", tmp_path / "out", "--task", "denoise", *FEW)
    assert dip(*line).returncode == 1
    assert "1 images failed earlier; --retry-failed tries them again." in dip(*line).stdout
    (tmp_path / "in" / "photo-01.png").write_bytes(sound)
    again = dip(*line, "--retry-failed")
    assert (again.returncode, "1 restored, 0 failed" in again.stdout) == (0, True), again.stderr
    assert [row["status"] for row in rows_of(tmp_path / "out")] == ["restored", "failed", "restored"]
    assert "2 restored" in dip("results", tmp_path / "out").stdout
    nothing = dip("results", tmp_path / "out", "--failed").stdout
    assert nothing == "No image has failed, and none was skipped.\n"
