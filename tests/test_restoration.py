"""One image through the engine and the pipeline, in this process."""

import io
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image as PillowImage

from dip.config import Configuration, Degradation
from dip.job import Job
from dip.operators import Identity
from dip.pipeline import process, protocol_of
from dip.presets import settings_for
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
    y = torch.rand(1, 3, 40, 50)
    asked = replace(settings_for("fast", "denoise", 12), precision=precision)
    first = restore(y, Identity(), (40, 50), asked, 5, CPU)
    restore(torch.rand(1, 1, 30, 30), Identity(), (30, 30), asked, 6, CPU)
    torch.set_num_threads(2)
    again = restore(y, Identity(), (40, 50), asked, 5, CPU)
    other = restore(y, Identity(), (40, 50), asked, 6, CPU)
    assert torch.equal(first.output, again.output)
    assert not torch.equal(first.output, other.output)


def test_global_random_state_and_threads_are_left_alone():
    torch.set_num_threads(2)
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    restore(torch.full((1, 1, 8, 8), 0.5), Identity(), (8, 8), settings_for("fast", "denoise", 2), 0, CPU)
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
)
def test_any_size_and_mode_comes_back_in_its_size(tmp_path, size, mode, task, preset):
    source = photograph("coffee", 130).resize(size)
    image = (
        PillowImage.fromarray(np.asarray(source.convert("L"), np.uint16) * 257)
        if mode == "I;16"
        else source.convert(mode)
    )
    (tmp_path / "in").mkdir(exist_ok=True)
    image.save(tmp_path / "in" / "a.png")
    PillowImage.new("L", size).save(tmp_path / "mask.png")
    configuration = Configuration(task, preset=preset, scale=2, max_iterations=1)
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
    names = {
        protocol_of(Configuration("denoise", degradation=Degradation(clip=clip))) for clip in (True, False)
    } | {
        protocol_of(Configuration("super-resolution", kernel=kernel, degradation=Degradation()))
        for kernel in ("bicubic", "lanczos2")
    }
    assert len(names) == 4
