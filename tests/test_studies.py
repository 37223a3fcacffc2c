"""Studies: the impedance of networks to noise, snapshots, stops and architectures, through the real flow."""

import io
import json
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image
from prefect.logging import disable_run_logger
from pydantic import ValidationError

from dip.configuration import Configuration, Degradation, Variation
from dip.evaluation.studies import study_called
from dip.evaluation.studies.base import Findings, Trial
from dip.storage import Location
from flows.parameters import StudyParameters
from flows.pictures import plots_of
from flows.study import run_study
from tests.conftest import files_below, photograph, write_photographs
from tests.test_lock import leave, ticket_of_a_dead_process

SMALL = Configuration(
    "denoise", max_iterations=20, variation=Variation(width=8), degradation=Degradation(sigma=25)
)


def findings(folder, study, configuration=SMALL, side_px=40, variants=None, **options):
    (folder / "in").mkdir()
    photograph("astronaut", side_px).save(folder / "in" / "a.png")
    source = Location(str(folder / "in"))
    found = study_called(study)
    return {
        variant: found.run(Trial(study, variant, "a.png", source, configuration, **options))
        for variant in variants or found.variants(configuration)
    }


@pytest.mark.fit
def test_network_resists_noise_and_lets_images_through(tmp_path):
    """The order of the paper's figure 2, as iterations until the loss is down to 0.015."""
    asked = Configuration("denoise", max_iterations=120, degradation=Degradation(sigma=25))
    found = findings(tmp_path, "curves", asked, side_px=48)
    reached = {
        variant: next(row["iteration"] for row in finding.rows["reached"] if row["loss"] == 0.015) or np.inf
        for variant, finding in found.items()
    }
    assert reached["natural"] < reached["natural + noise"] < reached["shuffled"]
    assert reached["natural + noise"] < reached["noise"]
    assert reached["natural"] < np.inf


@pytest.mark.fit
def test_noise_of_curves_is_what_is_asked_for(tmp_path):
    """The last loss of a target follows its noise, and of the others nothing does."""
    lasts = []
    for sigma in (1, 100):
        (tmp_path / str(sigma)).mkdir()
        asked = replace(SMALL, degradation=Degradation(sigma=sigma))
        found = findings(tmp_path / str(sigma), "curves", asked)
        lasts.append({variant: finding.rows["curves"][-1]["loss"] for variant, finding in found.items()})
    little, much = lasts
    assert much.pop("natural + noise") > little.pop("natural + noise") + 0.05
    assert much == little


def test_snapshots_are_taken_with_and_without_a_prior(tmp_path):
    found = findings(tmp_path, "snapshots", snapshots=(0, 10, 20))
    for variant in ("with-prior", "without-prior"):
        pictures = found[variant].pictures
        names = [name for name in pictures if name.endswith(".png")]
        assert names == [f"snapshots/a.png/{variant}-{i:05d}.png" for i in (0, 10, 20)]
        with Image.open(io.BytesIO(pictures[f"snapshots/a.png/{variant}.webp"])) as film:
            assert film.n_frames == 3
            assert film.size == (40, 40)
        assert [row["iteration"] for row in found[variant].rows["snapshots"]] == [0, 10, 20]


@pytest.mark.fit
def test_all_stop_rules_are_watched_and_judged(tmp_path):
    found = findings(tmp_path, "stopping")
    stops = {row["rule"]: row for finding in found.values() for row in finding.rows["stops"]}
    assert set(stops) == {"variance", "noise-level", "fixed", "held-out"}
    for row in stops.values():
        assert 1 <= row["stop_iteration"] <= 20
        assert row["psnr_db"] <= row["psnr_peak_db"] + 0.5
    signals = [row["signal"] for row in found["one-fit"].rows["signals"] if row["rule"] == "variance"]
    assert signals[-1] > 0


def test_without_known_noise_there_is_no_rule_for_it(tmp_path):
    asked = Configuration("inpaint", max_iterations=10, degradation=Degradation(missing=0.5))
    found = findings(tmp_path, "stopping", asked)
    assert [row["rule"] for row in found["one-fit"].rows["stops"]] == ["variance", "fixed"]


def test_architectures_are_all_the_networks(tmp_path):
    asked = Configuration("denoise", max_iterations=5, degradation=Degradation(sigma=25))
    found = findings(tmp_path, "architectures", asked)
    rows = {variant: finding.rows["architectures"][0] for variant, finding in found.items()}
    presets = {
        "skip": "untrained",
        "unet": "fast",
        "resnet": "fast",
        "deep-decoder": "fast",
        "pixels": "none",
    }
    assert {variant: row["preset"] for variant, row in rows.items()} == presets
    assert set(rows) == {"skip", "unet", "resnet", "deep-decoder", "pixels"}
    assert rows["pixels"]["parameters"] == 3 * 40 * 40
    assert rows["deep-decoder"]["parameters"] == 100_224


def test_parameters_are_those_of_the_network_that_was_fitted(tmp_path):
    """A large image with much noise is fitted with a narrower network than one with less."""
    (tmp_path / "in").mkdir()
    photograph("astronaut", 384).convert("L").save(tmp_path / "in" / "a.png")
    source, study = Location(str(tmp_path / "in")), study_called("architectures")
    parameters = []
    for width in (None, 32):
        asked = replace(SMALL, max_iterations=1, variation=Variation(width=width))
        asked = replace(asked, degradation=Degradation(sigma=50))
        (row,) = study.run(Trial("architectures", "skip", "a.png", source, asked)).rows["architectures"]
        parameters.append(row["parameters"])
    assert parameters[0] == parameters[1]


@pytest.mark.parametrize(
    ("study", "option", "files"),
    [
        (
            "curves",
            ("--max-iterations", 10),
            {"curves.parquet", "reached.parquet", "photo-00.png-curves.png"},
        ),
        (
            "stopping",
            ("--max-iterations", 10),
            {"psnr.parquet", "signals.parquet", "stops.parquet", "photo-00.png-stopping.png"},
        ),
        (
            "architectures",
            ("--max-iterations", 3),
            {"architectures.parquet", "photo-00.png-architectures.png"},
        ),
        (
            "snapshots",
            ("--snapshots", "0,20,40"),
            {"snapshots.parquet", "photo-00.png-snapshots.png", "snapshots"},
        ),
    ],
)
def test_study_command_leaves_tables_and_plots(dip, tmp_path, study, option, files):
    source = write_photographs(tmp_path / "in", 1, 32)
    (source / "broken.png").write_bytes(b"no image")
    leave(Location(str(tmp_path / "out")), ticket_of_a_dead_process())  # a study that was killed
    finished = dip("study", study, source, tmp_path / "out", *option)
    assert finished.returncode == 1, finished.stderr
    assert "broken.png" in finished.stdout
    assert "no known image format" in finished.stdout
    assert {*files, "study.json"} <= {path.name for path in (tmp_path / "out").iterdir()}
    described = json.loads((tmp_path / "out" / "study.json").read_text())
    assert (described["study"], described["degradation"]) == (study, "sigma=25.0")
    table = pq.read_table(next((tmp_path / "out").glob("*.parquet")))
    assert set(table["image_id"].to_pylist()) == {"photo-00.png"}
    for plot in (tmp_path / "out").glob("*.png"):
        with Image.open(plot) as image:
            assert min(image.size) > 100
    again = dip("study", study, source, tmp_path / "out")
    assert again.returncode == 2
    assert "an output that is new or empty" in again.stderr


def test_study_that_finds_nothing_writes_nothing(dip, tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "broken.png").write_bytes(b"no image")
    for study in ("stopping", "curves"):  # the second is not refused
        finished = dip("study", study, tmp_path / "in", tmp_path / "out")
        assert finished.returncode == 1, finished.stderr
        assert "no known image format" in finished.stdout
        assert "Nothing was found, nothing written." in finished.stdout
        assert not files_below(tmp_path / "out")


def test_file_names_are_no_formulas_in_plots(dip, tmp_path):
    (tmp_path / "in").mkdir()
    photograph("astronaut", 32).save(tmp_path / "in" / "cost_$5_$6.png")
    finished = dip("study", "curves", tmp_path / "in", tmp_path / "out", "--max-iterations", 3)
    assert finished.returncode == 0, finished.stderr
    assert {"cost_$5_$6.png-curves.png", "study.json"} <= files_below(tmp_path / "out").keys()


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("restored", [(30.0, np.inf), (np.inf, np.inf)])
def test_infinite_psnr_can_be_drawn(restored):
    """Of images that come out exactly, such as black ones."""
    columns = {
        "image_id": ["a.png", "a.png"],
        "variant": ["skip", "unet"],
        "psnr_degraded_db": [np.inf, np.inf],
        "psnr_db": restored,
        "psnr_peak_db": restored,
    }
    found = Findings(Trial("architectures", "skip", "a.png", Location("in"), SMALL))
    plots = plots_of("architectures", {"architectures": pa.table(columns)}, [found])
    with Image.open(io.BytesIO(plots["a.png-architectures.png"])) as plot:
        assert min(plot.size) > 100


def test_nothing_is_written_of_a_study_that_cannot_be_drawn(cluster, tmp_path, monkeypatch):
    def fail(*_):
        raise ValueError("no plot")

    monkeypatch.setattr("flows.study.plots_of", fail)
    source, output = write_photographs(tmp_path / "in", 1, 32), tmp_path / "out"
    asked = StudyParameters(
        source=str(source), output=str(output), task="denoise", study="curves", max_iterations=3,
        scheduler=cluster,
    )  # fmt: skip
    with disable_run_logger(), pytest.raises(ValueError, match="no plot"):
        run_study.fn(asked)
    assert not files_below(output)


def test_study_does_not_write_into_its_source(dip, tmp_path):
    source = write_photographs(tmp_path / "in", 1, 32)
    refused = dip("study", "curves", source, source / "out")
    assert refused.returncode == 2
    assert "an output apart from the source" in refused.stderr
    assert files_below(source).keys() == {"photo-00.png"}


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--workers", 1, "--device", "cuda:9"), "cuda:9"),
        (("--workers", 1, "--scheduler", "tcp://127.0.0.1:9"), "either a number of local workers"),
    ],
)
def test_study_that_gets_no_workers_leaves_no_folder(dip, tmp_path, options, sentence):
    refused = dip("study", "curves", write_photographs(tmp_path / "in", 1, 32), tmp_path / "out", *options)
    assert refused.returncode == 2
    assert sentence in refused.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (
            ("--task", "inpaint", "--missing", 0.5, "--preset", "paper-hole"),
            "unet cannot: Expected a network with 2 input channels",
        ),
        (("--preset", "paper-flash"), "Expected second images for the preset paper-flash"),
    ],
)
def test_preset_that_some_networks_cannot_take_is_refused_at_once(dip, tmp_path, options, sentence):
    source = write_photographs(tmp_path / "in", 1, 32)
    refused = dip("study", "architectures", source, tmp_path / "out", *options)
    assert refused.returncode == 2
    assert sentence in refused.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--task", "inpaint"), "Expected the study curves with the task denoise; got inpaint."),
        (("--missing", 0.5), "to hide nothing; got sigma=25.0 missing=0.5."),
    ],
)
def test_curves_have_no_use_for_holes(dip, tmp_path, options, sentence):
    refused = dip("study", "curves", tmp_path, tmp_path / "out", *options)
    assert refused.returncode == 2
    assert sentence in refused.stderr


def test_snapshots_are_of_one_study(dip, tmp_path):
    refused = dip("study", "curves", tmp_path, tmp_path / "out", "--snapshots", "0,100")
    assert refused.returncode == 2
    assert refused.stderr == "Error: --snapshots goes with the study snapshots, not with curves\n"


@pytest.mark.parametrize("text", ["a,b", "", "0,,300", "1.5"])
def test_snapshots_that_are_no_numbers_are_refused_in_one_sentence(dip, tmp_path, text):
    refused = dip("study", "snapshots", tmp_path, tmp_path / "out", "--snapshots", text)
    assert refused.returncode == 2
    assert refused.stderr == (
        "Error: --snapshots: expected whole numbers with commas between them, such as 0,300,900; "
        f"got {text!r}\n"
    )


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"snapshots": (0,)}, "at least one of them above 0"),
        ({"snapshots": (0, 7)}, "multiples of a common step"),
        ({"max_iterations": 100}, "say themselves how many"),
    ],
)
def test_snapshots_that_cannot_be_taken_are_refused(options, sentence):
    with pytest.raises(ValidationError, match=sentence):
        StudyParameters(source="in", output="out", task="denoise", study="snapshots", **options)
