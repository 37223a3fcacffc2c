"""One image through the pipeline: its row, its files, its masks."""

import io
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image as PillowImage

from dip.configuration import Configuration, Degradation, Variation
from dip.configuration.registry import NETWORKS, OPERATORS
from dip.storage import Location
from tests.conftest import files_below, photograph, write_photographs
from tests.one_image import run

DENOISE = Configuration("denoise", max_iterations=30, degradation=Degradation(sigma=25))
SHAPES = st.tuples(st.integers(1, 130), st.integers(1, 130))


def test_result_depends_on_bytes_not_on_names(tmp_path):
    write_photographs(tmp_path / "in", 2)
    (tmp_path / "in" / "copy of it.png").write_bytes((tmp_path / "in" / "photo-00.png").read_bytes())
    rows = [run(tmp_path, name, DENOISE) for name in ("photo-00.png", "photo-01.png", "copy of it.png")]
    assert rows[0]["output_sha256"] == rows[2]["output_sha256"] != rows[1]["output_sha256"]


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    size=SHAPES,
    mode=st.sampled_from(["L", "RGB", "RGBA", "P", "I;16"]),
    task=st.sampled_from(list(OPERATORS)),
    preset=st.sampled_from(["auto", "fast", "paper"]),
    network=st.sampled_from([None, "skip", "unet", "resnet", "deep-decoder"]),
)
def test_any_size_and_mode_comes_back_in_its_size(tmp_path, size, mode, task, preset, network):
    source = photograph("coffee", 130).resize(size)
    image = (
        PillowImage.fromarray(np.asarray(source.convert("L"), np.uint16) * 257)
        if mode == "I;16"
        else source.convert(mode)
    )
    (tmp_path / "in").mkdir(exist_ok=True)
    image.save(tmp_path / "in" / "a.png")
    PillowImage.new("L", size).save(tmp_path / "mask.png")
    variation = Variation(network=network)
    configuration = Configuration(task, preset=preset, scale=2, max_iterations=1, variation=variation)
    masks = {"masks": Location(str(tmp_path)), "mask_id": "mask.png"} if OPERATORS[task].repairs else {}
    mask = np.zeros(size[::-1], np.uint8)
    mask[0, 0] = 255
    PillowImage.fromarray(mask).save(tmp_path / "mask.png")
    row = run(tmp_path, "a.png", configuration, **masks)
    if masks and size == (1, 1):
        assert row["error_type"] == "MaskError"
        return
    assert row["status"] == "restored", row["error_message"]
    again = PillowImage.open(tmp_path / "out" / "images" / "a.png")
    factor = 2 if task == "super-resolution" else 1
    assert again.size == (size[0] * factor, size[1] * factor)
    assert again.mode == ("RGB" if mode == "P" else mode)
    assert (row["width_px"], row["height_px"]) == again.size


def test_pixels_outside_the_mask_stay_as_they_were_to_the_bit(tmp_path):
    for folder in ("in", "masks"):
        (tmp_path / folder).mkdir()
    photograph("coffee").save(tmp_path / "in" / "a.png")
    damage = np.zeros((48, 48), np.uint8)
    damage[10:20, 5:40] = 255
    PillowImage.fromarray(damage).save(tmp_path / "masks" / "a.png")
    masks = {"masks": Location(str(tmp_path / "masks")), "mask_id": "a.png"}
    run(tmp_path, "a.png", Configuration("inpaint", max_iterations=5), **masks)
    before, after = (np.asarray(PillowImage.open(tmp_path / path / "a.png")) for path in ("in", "out/images"))
    assert np.array_equal(before[damage == 0], after[damage == 0])
    assert not np.array_equal(before[damage > 0], after[damage > 0])


def test_mask_that_marks_nothing_skips_the_image_and_one_that_marks_all_fails_it(tmp_path):
    for folder in ("in", "masks"):
        (tmp_path / folder).mkdir()
    photograph("coffee").save(tmp_path / "in" / "a.png")
    PillowImage.new("L", (48, 48), 255).save(tmp_path / "masks" / "a.png")
    masks = {"masks": Location(str(tmp_path / "masks")), "mask_id": "a.png"}
    assert run(tmp_path, "a.png", Configuration("inpaint", damage="black"), **masks)["status"] == "skipped"
    assert run(tmp_path, "a.png", Configuration("inpaint"), **masks)["status"] == "failed"
    row = run(tmp_path, "a.png", Configuration("inpaint"), masks=masks["masks"])
    assert row["status"] == "skipped"
    assert "there is none (a.png)" in row["error_message"]


def test_image_without_noise_is_left_alone_unless_told_otherwise(tmp_path):
    (tmp_path / "in").mkdir()
    ramp = np.tile(np.arange(64, dtype=np.uint8), (64, 1))
    noise = np.random.default_rng(0).normal(0, 10, ramp.shape)
    PillowImage.fromarray(ramp).save(tmp_path / "in" / "clean.png")
    PillowImage.fromarray((ramp + 80 + noise).astype(np.uint8)).save(tmp_path / "in" / "noisy.png")
    configuration = Configuration("denoise", max_iterations=1)
    PillowImage.new("RGB", (64, 64), (90, 60, 30)).save(tmp_path / "in" / "blank.png")
    for name in ("clean.png", "blank.png"):
        clean = run(tmp_path, name, configuration, noise_floor=0.5)
        assert (clean["status"], clean["error_type"]) == ("skipped", "ImageSkipped")
        assert "--noise-floor" in clean["error_message"]
        assert clean["noise_sigma"] < 0.5
    assert run(tmp_path, "clean.png", configuration)["status"] == "restored"
    noisy = run(tmp_path, "noisy.png", configuration, noise_floor=0.5)
    assert noisy["status"] == "restored"
    assert 8 < noisy["noise_sigma"] < 12


@pytest.mark.parametrize("method", ["dip", "nlm", "wavelet"])
def test_noise_is_estimated_once(tmp_path, monkeypatch, method):
    (tmp_path / "in").mkdir()
    photograph("camera").save(tmp_path / "in" / "grey.png")
    channels = []

    def noting(channel):
        channels.append(channel)
        return 0.1

    monkeypatch.setattr("skimage.restoration.estimate_sigma", noting)
    asked = Configuration("denoise", method=method)
    if method == "dip":
        asked = replace(asked, preset="untrained", max_iterations=1)
    row = run(tmp_path, "grey.png", asked)
    assert (row["status"], row["noise_sigma"], len(channels)) == ("restored", 25.5, 1)


def test_failed_image_becomes_a_row_without_metrics(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.png").write_bytes(b"")
    row = run(tmp_path, "a.png", DENOISE)
    assert row["status"] == "failed"
    assert row["error_type"] == "UnreadableImageError"
    assert row["psnr_db"] is row["output_url"] is row["iterations"] is None
    assert row["source_sha256"]


def test_name_that_leads_out_of_the_source_is_a_failed_image(tmp_path):
    write_photographs(tmp_path / "in", 1)
    row = run(tmp_path, "../in/photo-00.png", DENOISE)
    assert (row["status"], row["error_type"]) == ("failed", "StorageError")
    assert "which leads elsewhere" in row["error_message"]


def test_embedded_image_is_in_the_row_and_nowhere_else(tmp_path):
    write_photographs(tmp_path / "in", 1)
    row = run(tmp_path, "photo-00.png", DENOISE, embed=True)
    assert row["output_url"] is None
    assert row["image"]["path"] == "photo-00.png"
    assert PillowImage.open(io.BytesIO(row["image"]["bytes"])).size == (48, 48)
    assert not (tmp_path / "out" / "images").exists()


def test_source_is_never_touched(tmp_path):
    write_photographs(tmp_path / "in", 2)
    before = files_below(tmp_path / "in")
    run(tmp_path, "photo-00.png", DENOISE)
    assert files_below(tmp_path / "in") == before


def test_curve_has_the_psnr_of_an_evaluation_alone(tmp_path):
    write_photographs(tmp_path / "in", 1)
    asked = replace(DENOISE, preset="untrained")
    with_reference = run(tmp_path, "photo-00.png", asked)
    without = run(tmp_path, "photo-00.png", replace(asked, degradation=None), output="other")
    assert with_reference["curve"][-1]["psnr_db"] == pytest.approx(with_reference["psnr_peak_db"])
    assert without["curve"][-1]["psnr_db"] is None
    assert without["psnr_db"] is without["protocol"] is None


@pytest.mark.fit
def test_inpainting_is_read_in_three_ways(tmp_path):
    write_photographs(tmp_path / "in", 1)
    asked = Configuration("inpaint", max_iterations=60, degradation=Degradation(missing=0.5))
    row = run(tmp_path, "photo-00.png", asked)
    readings = {reading["protocol"]: reading for reading in row["readings"]}
    assert list(readings) == ["inpaint-pasted", "inpaint", "inpaint-hole"]
    assert row["protocol"] == "inpaint-pasted"
    assert row["psnr_db"] == readings["inpaint-pasted"]["psnr_db"]
    # Half of the pixels carry all of the error: 3 dB between the hole alone and the whole.
    gap = readings["inpaint-pasted"]["psnr_db"] - readings["inpaint-hole"]["psnr_db"]
    assert gap == pytest.approx(3.0, abs=0.3)
    assert readings["inpaint"]["psnr_db"] < readings["inpaint-pasted"]["psnr_db"]
    assert row["degradation"] == "missing=0.5"
    whole = run(tmp_path, "photo-00.png", replace(asked, protocol="inpaint"), output="whole")
    assert whole["psnr_db"] == readings["inpaint"]["psnr_db"]


@pytest.mark.fit
def test_noisy_observed_pixels_are_not_kept(tmp_path):
    write_photographs(tmp_path / "in", 1)
    degradation = Degradation(sigma=25, missing=0.3)
    row = run(tmp_path, "photo-00.png", Configuration("inpaint", max_iterations=30, degradation=degradation))
    assert row["protocol"] == "inpaint"
    assert row["degradation"] == "sigma=25 missing=0.3"
    restored, degraded = (
        np.asarray(PillowImage.open(tmp_path / "out" / folder / "photo-00.png"), int)
        for folder in ("images", "degraded")
    )
    observed = degraded.any(axis=2)
    assert (restored[observed] == degraded[observed]).mean() < 0.2


def test_masks_of_a_super_resolution_say_what_to_leave_out(tmp_path):
    for folder in ("in", "masks"):
        (tmp_path / folder).mkdir()
    photograph("coffee", 24).save(tmp_path / "in" / "a.png")
    damage = np.zeros((24, 24), np.uint8)
    damage[5:9, 3:20] = 255
    asked = Configuration("super-resolution", scale=2, max_iterations=2)
    masks = {"masks": Location(str(tmp_path / "masks")), "mask_id": "a.png"}
    for mask in (damage, np.zeros_like(damage)):
        PillowImage.fromarray(mask).save(tmp_path / "masks" / "a.png")
        row = run(tmp_path, "a.png", asked, **masks)
        assert (row["status"], row["width_px"]) == ("restored", 48)
    assert run(tmp_path, "a.png", asked, masks=masks["masks"])["status"] == "restored"


@pytest.mark.parametrize("missing", [0.01, 0.99])
def test_image_too_small_to_hide_a_part_of_it_fails(tmp_path, missing):
    (tmp_path / "in").mkdir()
    photograph("coffee", 1).save(tmp_path / "in" / "a.png")
    row = run(tmp_path, "a.png", Configuration("inpaint", degradation=Degradation(missing=missing)))
    assert "large enough to hide a part of it" in row["error_message"]


def test_uncertainty_is_nothing_where_pixels_are_kept(tmp_path):
    write_photographs(tmp_path / "in", 1)
    asked = Configuration("inpaint", max_iterations=20, restarts=2, degradation=Degradation(mask="box"))
    run(tmp_path, "photo-00.png", asked, uncertainty=True)
    with PillowImage.open(tmp_path / "out" / "uncertainty" / "photo-00.png.tif") as image:
        deviation = np.asarray(image)
    with PillowImage.open(tmp_path / "out" / "masks" / "photo-00.png") as image:
        hole = np.asarray(image) > 0
    assert np.all(deviation[~hole] == 0)
    assert np.all(deviation[hole] > 0)


@pytest.mark.parametrize("method", ["none", "tv-chambolle", "nlm", "wavelet"])
def test_methods_beside_it_make_the_same_rows(tmp_path, method):
    write_photographs(tmp_path / "in", 1)
    asked = Configuration("denoise", method=method, degradation=Degradation(sigma=25))
    row = run(tmp_path, "photo-00.png", asked)
    assert (row["status"], row["method"], row["preset"]) == ("restored", method, "none")
    assert row["protocol"] == "denoise-rgb"
    assert row["iterations"] is row["stop_rule"] is row["psnr_peak_db"] is None
    assert row["psnr_db"] > row["psnr_degraded_db"]


NETWORK_OF_ONE_FILE = """
from dataclasses import dataclass

from torch import nn


@dataclass(frozen=True)
class Pointwise:
    width: int = 8

    def canvas_px(self, height_px, width_px):
        return height_px, width_px

    def input_shape(self, canvas_px):
        return (self.width, *canvas_px)

    def network(self, output_channels, canvas_px):
        return nn.Sequential(nn.Conv2d(self.width, output_channels, 1), nn.Sigmoid())
"""


def test_new_network_is_one_file_and_one_line(tmp_path, monkeypatch):
    (tmp_path / "pointwise.py").write_text(NETWORK_OF_ONE_FILE)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(NETWORKS, "pointwise", "pointwise:Pointwise")
    write_photographs(tmp_path / "in", 1)
    asked = replace(DENOISE, variation=Variation(network="pointwise", width=5))
    row = run(tmp_path, "photo-00.png", asked)
    assert row["status"] == "restored"
    assert row["variation"] == "network=pointwise width=5 max_iterations=30"
