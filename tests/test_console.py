"""A command's options are the fields of what it asks a flow for, and refusals speak of them."""

from dataclasses import fields

import pytest
from pydantic import ValidationError
from typer.main import get_command

import cli
from dip.configuration import Degradation, Procedure, Variation
from flows.console.options import as_typed, model_of
from flows.parameters import (
    ArchiveParameters,
    BenchmarkParameters,
    MasksParameters,
    OutputParameters,
    PlanParameters,
    ReportParameters,
    ResultsParameters,
    StudyParameters,
)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--uncertainty",), "a deviation needs at least two starts (--restarts 2); got 1"),
        (("--time-limit", "0"), "--time-limit: Input should be greater than 0; got 0.0"),
    ],
)
def test_refusals_speak_of_options(dip, tmp_path, options, sentence):
    refused = dip("evaluate", tmp_path, tmp_path / "out", "--task", "denoise", *options)
    assert refused.returncode == 2
    assert refused.stderr == f"Error: {sentence}\n"


COMMANDS = {
    "restore": (ArchiveParameters, ()),
    "evaluate": (BenchmarkParameters, ()),
    "results": (ResultsParameters, ()),
    "plan": (PlanParameters, cli.NOT_PLANNED),
    "masks": (MasksParameters, ()),
    "verify": (OutputParameters, ()),
    "compact": (OutputParameters, ()),
    "report": (ReportParameters, ()),
    "study": (StudyParameters, cli.NOT_STUDIED),
}


def typed(name: str) -> dict[str, object]:
    """The options and arguments of a command by the names of the fields that they are for."""
    return {parameter.name: parameter for parameter in get_command(cli.app).commands[name].params}


@pytest.mark.parametrize("name", COMMANDS)
def test_options_of_a_command_are_the_fields_of_its_model(name):
    model, left_out = COMMANDS[name]
    assert set(left_out) <= set(model.model_fields)
    assert set(typed(name)) == set(model.model_fields) - set(left_out) - {"shard_size"}


@pytest.mark.parametrize("value", [Procedure, Variation, Degradation])
def test_all_that_the_engine_can_be_asked_for_can_be_typed(value):
    names = {field.name for field in fields(value)}
    assert names <= set(typed("evaluate"))
    if value is not Degradation:
        assert names <= set(typed("restore"))
        assert names <= {*typed("plan"), *cli.NOT_PLANNED}


@pytest.mark.parametrize("name", COMMANDS)
def test_fields_are_called_what_is_typed_for_them(name):
    for parameter in typed(name).values():
        assert as_typed(COMMANDS[name][0], parameter.name) in (*parameter.opts, parameter.metavar)


def test_what_is_typed_reaches_the_engine():
    asked = {
        "scale": 3, "kernel": "box", "preset": "fast", "seed": 7, "restarts": 2, "max_iterations": 9,
        "tile_px": 200, "network": "unet", "width": 5, "depth": 2, "upsampling": "nearest", "dropout": 0.1,
        "input_channels": 4, "input_noise": 0.2, "learning_rate": 0.3, "data_term": "l1", "tv": 0.4,
        "stop": "noise-level", "noise_level": 6.0,
    }  # fmt: skip
    damage = {"poisson": 30.0, "sigma": 5.0, "impulse": 0.5, "jpeg": 40, "missing": 0.25}
    places = {"source": "in", "output": "out", "task": "super-resolution"}
    configuration = model_of(BenchmarkParameters, {**places, **asked, **damage}).configuration
    reached = vars(configuration) | vars(configuration.variation) | vars(configuration.degradation)
    assert asked | damage == {name: reached[name] for name in asked | damage}


def test_text_is_read_where_a_value_has_parts():
    places = {"source": "in", "output": "out"}
    asked = model_of(StudyParameters, {**places, "study": "snapshots", "snapshots": "0,20"})
    assert asked.looked_at == (0, 20)
    assert model_of(ReportParameters, {"output": "out", "sample": "all"}).sample is None
    told = model_of(OutputParameters, {"output": "out", "storage_options": '{"key": "hidden"}'})
    assert told.location("s3://a").options == {"key": "hidden"}
    assert "hidden" not in repr(told)


def test_parameters_of_a_deployment_stay_flat_and_are_explained():
    schema = ArchiveParameters.model_json_schema()
    assert set(schema["properties"]) == set(ArchiveParameters.model_fields)
    assert schema["additionalProperties"] is False
    assert schema["properties"]["tile_px"]["minimum"] == 128
    assert schema["properties"]["tv"]["description"] == "Weight of total variation."


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ({"restarts": 0}, "Expected at least one start; got 0."),
        ({"seed": 2**63}, "Expected a seed from 0 to 2\\^63 - 1"),
        ({"width": 0}, "Expected a width from 1 to 1024; got 0."),
        ({"tile_px": 64}, "Expected tiles of at least 128 pixels a side; got 64."),
    ],
)
def test_values_out_of_range_are_refused_at_the_door_of_a_flow(asked, sentence):
    with pytest.raises(ValidationError, match=sentence):
        ArchiveParameters(source="in", output="out", task="denoise", **asked)
