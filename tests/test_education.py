import io
import pickle

import numpy as np
import pytest
import torch

from dip.education import examination, marking, stock
from dip.education.lessons import draw_lesson
from dip.education.marking import Marking
from dip.education.restoring import Restoring
from dip.education.training import Education, educate
from dip.errors import ConfigurationError
from dip.operators.filling import filled
from dip.parameterizations.residual_unet import ResidualUNet
from dip.parameterizations.start import Start, decoded_start, shipped_start

CPU = torch.device("cpu")
TINY = {"steps": 4, "batch": 1, "crop_px": 48, "examined_every": 2}


class InterruptionError(Exception):
    pass


@pytest.fixture(autouse=True)
def little_to_draw(monkeypatch):
    for subject in (Restoring, Marking):
        monkeypatch.setattr(subject, "stock", 2)
    monkeypatch.setattr(stock, "AHEAD", 1)
    monkeypatch.setattr(examination, "COUNT", 1)
    torch.set_num_threads(1)


def interrupt(*_):
    raise InterruptionError


def test_education_that_was_interrupted_ends_with_the_same_bytes(tmp_path):
    education = Education("denoise", **TINY)
    whole = educate(education, tmp_path / "whole", CPU)
    with pytest.raises(InterruptionError):
        educate(education, tmp_path / "parts", CPU, interrupt)
    again = educate(education, tmp_path / "parts", CPU)
    assert all(torch.equal(whole.weights[name], again.weights[name]) for name in whole.weights)
    assert whole.card["scores"] == again.card["scores"]
    assert [point["step"] for point in again.card["curve"]] == [2, 4]


def test_education_of_masks_that_was_interrupted_ends_with_the_same_bytes(tmp_path, monkeypatch):
    for name, value in {"EXAMINED": 3, "EXAMINED_PX": 64, "EXAMINED_PICTURES": 1}.items():
        monkeypatch.setattr(marking, name, value)
    education = Education("masks", 2, (), batch=2, crop_px=48, examined_every=1)
    whole = educate(education, tmp_path / "whole", CPU)
    with pytest.raises(InterruptionError):
        educate(education, tmp_path / "parts", CPU, interrupt)
    again = educate(education, tmp_path / "parts", CPU)
    assert all(torch.equal(whole.weights[name], again.weights[name]) for name in whole.weights)
    assert whole.card["calibration"] == again.card["calibration"]
    assert set(again.card["scores"]) == {"step", "precision", "recall", "clean"}
    assert decoded_start(again.encoded(), "masks.pt").detector()(torch.rand(1, 3, 20, 20)).shape[1] == 6


def test_education_goes_on_from_a_start(tmp_path):
    taught = educate(Education("denoise", **TINY), tmp_path / "first", CPU)
    further = Education("denoise", **{**TINY, "steps": 1}, seed=1, start="checksum")
    again = educate(further, tmp_path / "second", CPU, begins_with=taught)
    assert again.card["start"] == "checksum"
    assert again.card["before"]["steps"] == taught.card["steps"]
    moved = [(again.weights[name] - weight).float().abs().max() for name, weight in taught.weights.items()]
    assert 0 < max(moved) < 1e-3


def test_education_goes_on_from_starts_of_its_own_task_alone(tmp_path):
    with pytest.raises(ConfigurationError, match="Expected a start of the task denoise"):
        educate(Education("denoise", **TINY), tmp_path, CPU, begins_with=shipped_start("super-resolution"))


def test_education_lowers_the_error(tmp_path):
    start = educate(
        Education("super-resolution", **{**TINY, "steps": 24, "examined_every": 12}), tmp_path, CPU
    )
    first, last = (point["enlarged"] for point in start.card["curve"])
    assert last > first


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"task": "inpaint", "steps": 1}, "Expected a task"),
        ({"task": "denoise", "steps": 0}, "at least one step"),
        ({"task": "denoise", "steps": 1, "damages": ("rain",)}, "got rain"),
        ({"task": "denoise", "steps": 1, "damages": ()}, "got none"),
        ({"task": "denoise", "steps": 1, "seed": 1000}, "a seed from 0 to 999"),
    ],
)
def test_education_that_cannot_be_is_refused(options, words):
    with pytest.raises(ConfigurationError, match=words):
        Education(**options)


def test_lessons_have_the_damages_that_are_asked_for():
    pictures = [np.full((3, 64, 64), 100, np.uint8)]
    whole = draw_lesson("denoise", ("white",), np.random.default_rng(0), pictures, 16, 48)
    assert whole.observed.all()
    assert (whole.y - whole.clean).std() > 0.01
    holes = draw_lesson("denoise", ("holes",), np.random.default_rng(0), pictures, 16, 48)
    assert not holes.observed.all()
    assert torch.equal(
        holes.y[holes.observed.expand_as(holes.y) > 0], holes.clean[holes.observed.expand_as(holes.y) > 0]
    )


def test_start_comes_back_from_its_file():
    network = ResidualUNet((8, 16), blocks=1)
    weights = {name: weight.bfloat16() for name, weight in network.state_dict().items()}
    start = Start(weights, {"widths": (8, 16), "blocks": 1, "shuffle": 2}, {"steps": 3})
    again = decoded_start(start.encoded(), "a.pt")
    assert again.card == {"steps": 3}
    image, observed = torch.rand(1, 3, 21, 30), torch.ones(1, 1, 21, 30)
    assert torch.equal(start.network()(image, observed), again.network()(image, observed))


class Program:
    def __reduce__(self):
        return print, ("a start must run no program",)


@pytest.mark.parametrize("content", [b"", b"no start", pickle.dumps(Program())])
def test_file_that_is_no_start_is_refused_and_runs_no_program(content, capsys):
    with pytest.raises(ConfigurationError, match=r"Expected a start made by `dip educate`; got scan\.pt"):
        decoded_start(content, "scan.pt")
    assert capsys.readouterr().out == ""


def test_start_of_another_network_is_refused():
    buffer = io.BytesIO()
    torch.save({"weights": {}, "shape": {"widths": [8], "blocks": 1, "shuffle": 2}, "card": "{}"}, buffer)
    with pytest.raises(ConfigurationError, match="which is none"):
        decoded_start(buffer.getvalue(), "other.pt")


@pytest.mark.parametrize("name", ["denoise", "super-resolution"])
def test_starts_of_the_package_say_how_they_were_educated(name):
    assert {"task", "steps", "seed", "generator", "scores"} <= set(shipped_start(name).card)


def test_holes_are_filled_from_what_lies_near_and_the_rest_stays():
    y = torch.zeros(1, 1, 16, 16)
    y[..., 8:] = 1
    observed = torch.ones_like(y)
    observed[..., 3:5, 3:5] = 0
    observed[..., 10:13, 10:13] = 0
    made = filled(torch.where(observed > 0, y, torch.tensor(7.0)), observed)
    assert torch.allclose(made, y, atol=1e-6)


def test_image_without_an_observed_pixel_is_filled_with_grey():
    made = filled(torch.ones(1, 3, 5, 7), torch.zeros(1, 1, 5, 7))
    assert torch.equal(made, torch.full((1, 3, 5, 7), 0.5))
