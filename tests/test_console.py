"""What is wrong with a line is said in the words of the command line."""

import pytest


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--uncertainty",), "Error: a deviation needs at least two runs (--runs 2); got 1"),
    ],
)
def test_refusals_speak_of_options(dip, tmp_path, options, sentence):
    refused = dip("evaluate", tmp_path, tmp_path / "out", "--task", "denoise", *options)
    assert refused.returncode == 2
    assert refused.stderr.strip() == sentence
