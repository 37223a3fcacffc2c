"""One image through the engine and the pipeline, in this process."""

import io
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image as PillowImage

from dip.config import Configuration, Variation
from dip.degradations import Degradation
from dip.errors import ConfigurationError
from dip.job import Job
from dip.objective import Objective, Problem
from dip.operators.identity import Identity
from dip.parameterizations import NETWORKS
from dip.pipeline import process
from dip.presets import PRESETS
from dip.restoration import restore
from dip.results import decode_record
from dip.storage import Location
from tests.conftest import files_below, photograph, write_photographs

CPU = torch.device("cpu")
DENOISE = Configuration("denoise", max_iterations=30, degradation=Degradation(sigma=25))


def job(folder, name, configuration, output="out", **options):
    return Job(
        run_id="run",
        image_id=name,
        source=Location(str(folder / "in")),
        output=Location(str(folder / output)),
        record=f"records/{name}.parquet",
        configuration=configuration,
        **options,
    )


def row_of(finished):
    return decode_record(finished.output.read(finished.record)).to_pylist()[0]


def run(folder, name, configuration, output="out", **options):
    finished = job(folder, name, configuration, output, **options)
    process(finished)
    return row_of(finished)


def noisy(y):
    return Problem(y, Identity(), Objective())


def engine(**options):
    return Configuration("denoise", **options).settings


def test_denoising_gains_and_stops_before_it_learns_the_noise(tmp_path):
    (tmp_path / "in").mkdir()
    photograph("coffee", 96).save(tmp_path / "in" / "a.png")
    row = run(tmp_path, "a.png", replace(DENOISE, degradation=Degradation(sigma=50), max_iterations=1000))
    assert row["psnr_db"] > row["psnr_degraded_db"] + 8
    assert row["psnr_db"] > row["psnr_peak_db"] - 0.3
    assert row["curve"][-1]["psnr_db"] < row["psnr_db"] - 1
    assert row["stop_iteration"] < 700


@pytest.mark.parametrize("precision", [torch.float32, torch.bfloat16])
def test_same_seed_gives_the_same_output_whatever_ran_before(precision):
    problem = noisy(torch.rand(1, 3, 40, 50))
    asked = replace(engine(max_iterations=12), precision=precision)
    first = restore(problem, (40, 50), asked, 5, CPU)
    restore(noisy(torch.rand(1, 1, 30, 30)), (30, 30), asked, 6, CPU)
    torch.set_num_threads(2)
    again = restore(problem, (40, 50), asked, 5, CPU)
    other = restore(problem, (40, 50), asked, 6, CPU)
    assert torch.equal(first.output, again.output)
    assert not torch.equal(first.output, other.output)


def test_global_random_state_and_threads_are_left_alone():
    torch.set_num_threads(2)
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    restore(noisy(torch.full((1, 1, 8, 8), 0.5)), (8, 8), engine(max_iterations=2), 0, CPU)
    assert torch.equal(torch.rand(3), expected)
    assert torch.get_num_threads() == 2


def test_result_depends_on_bytes_not_on_names(tmp_path):
    write_photographs(tmp_path / "in", 2)
    (tmp_path / "in" / "copy of it.png").write_bytes((tmp_path / "in" / "photo-00.png").read_bytes())
    rows = [run(tmp_path, name, DENOISE) for name in ("photo-00.png", "photo-01.png", "copy of it.png")]
    assert rows[0]["output_sha256"] == rows[2]["output_sha256"] != rows[1]["output_sha256"]


SHAPES = st.tuples(st.integers(1, 130), st.integers(1, 130))


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    size=SHAPES,
    mode=st.sampled_from(["L", "RGB", "RGBA", "P", "I;16"]),
    task=st.sampled_from(["denoise", "inpaint", "super-resolution"]),
    preset=st.sampled_from(["fast", "paper"]),
    network=st.sampled_from([None, *NETWORKS]),
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
    masks = {"masks": Location(str(tmp_path)), "mask_id": "mask.png"} if task == "inpaint" else {}
    mask = np.zeros(size[::-1], np.uint8)
    mask[0, 0] = 255
    PillowImage.fromarray(mask).save(tmp_path / "mask.png")
    row = run(tmp_path, "a.png", configuration, **masks)
    if task == "inpaint" and size == (1, 1):
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


def test_failed_image_becomes_a_row_without_metrics(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.png").write_bytes(b"")
    row = run(tmp_path, "a.png", DENOISE)
    assert row["status"] == "failed"
    assert row["error_type"] == "UnreadableImageError"
    assert row["psnr_db"] is row["output_url"] is row["iterations"] is None
    assert row["source_sha256"]


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
    with_reference = run(tmp_path, "photo-00.png", DENOISE)
    without = run(tmp_path, "photo-00.png", replace(DENOISE, degradation=None), output="other")
    assert with_reference["curve"][-1]["psnr_db"] == pytest.approx(with_reference["psnr_peak_db"])
    assert without["curve"][-1]["psnr_db"] is None
    assert without["psnr_db"] is without["protocol"] is None


def test_protocols_are_told_apart():
    asked = [
        Configuration("denoise", protocol=name, degradation=Degradation(sigma=25))
        for name in (None, "denoise-rgb-clipped")
    ] + [
        Configuration("super-resolution", kernel=kernel, protocol=name, degradation=Degradation())
        for kernel, name in ((None, None), ("lanczos2", None), (None, "dip-paper"), ("box", "dip-paper"))
    ]
    assert [configuration.protocol_name for configuration in asked] == [
        "denoise-rgb",
        "denoise-rgb-clipped",
        "sr-y-shave",
        "sr-y-shave-lanczos2",
        "dip-paper",
        "dip-paper-box",
    ]
    with pytest.raises(ConfigurationError, match="a protocol of the task inpaint, of inpaint-pasted"):
        Configuration("inpaint", protocol="sr-y-shave")


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


@pytest.mark.parametrize("task", ["denoise", "super-resolution"])
def test_pixels_without_a_prior_give_back_what_was_measured(tmp_path, task):
    """The lecture's point: without a network in between, the fit is the noise."""
    write_photographs(tmp_path / "in", 1)
    asked = Configuration(
        task,
        method="pixels",
        scale=2,
        protocol="denoise-rgb-clipped" if task == "denoise" else None,
        degradation=Degradation(sigma=25) if task == "denoise" else Degradation(),
    )
    row = run(tmp_path, "photo-00.png", asked)
    assert row["stop_reason"] == "iteration-limit"
    if task == "denoise":
        assert row["psnr_db"] == pytest.approx(row["psnr_degraded_db"], abs=0.1)
    else:
        assert row["psnr_db"] < row["psnr_degraded_db"]


def test_total_variation_denoises_pixels(tmp_path):
    write_photographs(tmp_path / "in", 1, 96)
    asked = Configuration("denoise", method="pixels-tv", degradation=Degradation(sigma=25))
    row = run(tmp_path, "photo-00.png", asked)
    assert row["psnr_db"] > row["psnr_degraded_db"] + 3


def test_outliers_pull_a_squared_error_and_leave_an_absolute_one(tmp_path):
    write_photographs(tmp_path / "in", 1)
    asked = Configuration("denoise", max_iterations=250, degradation=Degradation(impulse=0.2))
    squared, huber, absolute = (
        run(tmp_path, "photo-00.png", replace(asked, variation=Variation(data_term=name)), output=name)
        for name in ("squared", "huber", "l1")
    )
    assert absolute["psnr_db"] > squared["psnr_db"] + 2
    assert huber["psnr_db"] > squared["psnr_db"] + 1


def test_average_of_runs_is_better_than_one_and_its_deviation_is_written(tmp_path):
    write_photographs(tmp_path / "in", 1)
    asked = replace(DENOISE, max_iterations=250)
    one, other = (run(tmp_path, "photo-00.png", asked, output=f"one-{i}") for i in range(2))
    three = run(tmp_path, "photo-00.png", replace(asked, runs=3), output="three", uncertainty=True)
    assert one["output_sha256"] == other["output_sha256"]
    assert three["psnr_db"] > one["psnr_db"] + 0.2
    assert three["iterations"] > 2 * one["iterations"]
    with PillowImage.open(tmp_path / "three" / "uncertainty" / "photo-00.png.tif") as image:
        deviation = np.asarray(image)
    assert deviation.dtype == np.float32
    assert deviation.shape == (48, 48)
    assert 0.001 < deviation.mean() < 0.1


@pytest.mark.parametrize("stop", ["variance", "held-out", "noise-level", "fixed"])
def test_row_says_which_rule_stopped_and_why(tmp_path, stop):
    write_photographs(tmp_path / "in", 1)
    level = 25 if stop == "noise-level" else None
    variation = Variation(stop=stop, noise_level=level)
    row = run(tmp_path, "photo-00.png", replace(DENOISE, variation=variation, max_iterations=350))
    assert row["stop_rule"] == stop
    reasons = {"noise-level": "noise-level-reached"}
    assert row["stop_reason"] == reasons.get(stop, "iteration-limit")
    assert row["psnr_db"] > row["psnr_degraded_db"] + (0 if stop == "fixed" else 2)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"stop": "noise-level"}, "noise level"),
        ({"noise_level": 5.0}, "noise level"),
        ({"tv": -1.0}, "total variation"),
        ({"width": 0}, "a width of at least 1"),
        ({"network": "vgg"}, "a network of skip"),
        ({"data_term": "l3"}, "a data term of squared"),
    ],
)
def test_variation_that_makes_no_sense_is_refused(options, sentence):
    with pytest.raises(ConfigurationError, match=sentence):
        Variation(**options)


def test_what_a_network_lacks_cannot_be_varied():
    with pytest.raises(
        ConfigurationError, match="what the network ResNet has: blocks, input_channels, width; got scales"
    ):
        _ = engine(variation=Variation(network="resnet", scales=3))
    with pytest.raises(ConfigurationError, match="preset paper-jpeg with the task denoise; got inpaint"):
        _ = Configuration("inpaint", preset="paper-jpeg").settings


def test_variation_reaches_the_settings():
    varied = engine(variation=Variation(network="unet", width=8, scales=2, tv=0.1, data_term="huber"))
    assert (varied.parameterization.width, varied.parameterization.scales) == (8, 2)
    assert varied.objective == Objective("huber", 0.1)
    assert engine(max_iterations=10).schedule.iterations == 10
    assert engine(max_iterations=10**6) == PRESETS["fast"]["denoise"]
    eight = Configuration("super-resolution", preset="paper", scale=8).settings
    assert (eight.input_noise, eight.schedule.iterations) == (0.05, 4000)


def test_hash_changes_with_all_that_decides_the_result():
    base = Configuration("denoise")
    others = [
        replace(base, method="pixels"),
        replace(base, variation=Variation(stop="fixed")),
        replace(base, variation=Variation(tv=0.1)),
        replace(base, runs=2),
        replace(base, seed=1),
    ]
    hashes = {configuration.hash for configuration in (base, *others)}
    assert len(hashes) == 1 + len(others)
