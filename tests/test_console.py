"""What is wrong with a line is said in the words of the command line."""

import pytest
from typer.main import get_command

import cli
from flows.console.options import as_typed


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


@pytest.mark.parametrize("name", ["restore", "evaluate", "study", "masks"])
def test_parameters_are_called_what_is_typed_for_them(name):
    for parameter in get_command(cli.app).commands[name].params:
        if parameter.param_type_name == "option" or parameter.name in ("source", "output"):
            assert as_typed(parameter.name) in (*parameter.opts, parameter.metavar)
