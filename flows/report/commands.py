"""The command lines that a reader of the report may want next."""

import shlex
from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import Any

from dip.configuration import Configuration
from dip.configuration.vocabulary import USUAL_THRESHOLD
from dip.images.noise import SKIP_BELOW
from dip.storage import Location
from flows.report.subject import Subject

_OPTIONS = {"tile_px": "--tile"}
_PARTS = ("variation", "degradation")
_DEFAULTS = {field.name: field.default for field in fields(Configuration)}
_BESIDE = {
    "format": "source",
    "suffix": "",
    "embed": False,
    "uncertainty": False,
    "noise_floor": SKIP_BELOW,
    "mask_threshold": USUAL_THRESHOLD,
}
_NOT_OPTIONS = ("task", "source", "weights_sha256", "meaning of the preset", "detector")


def commands_of(subject: Subject) -> list[tuple[str, str]]:
    """What can be done with an output: what it is for, and the line."""
    output, other = _quoted(subject.output.url), _quoted(f"{subject.output.url}-again")
    again = line_of(subject, other, {"preset": "paper"})
    return [
        ("See why images are not restored", f"dip results {output} --failed"),
        ("Read the means, by preset", f"dip results {output} --by task,preset"),
        ("Take all rows to a spreadsheet", f"dip results {output} --format csv > results.csv"),
        ("Check every file against its row", f"dip verify {output}"),
        ("Restore what has come since", line_of(subject, output)),
        ("Try again what has failed", f"{line_of(subject, output)} --retry-failed"),
        ("Restore with another preset what you marked “again”", f"{again} --only decisions.csv"),
        ("Set two outputs side by side", f"dip report {output} {other} --to compared"),
        ("Show every image here", f"dip report {output} --sample all"),
        ("Join the Parquet files", f"dip compact {output}"),
    ]


def commands_for(subject: Subject, image_id: str) -> list[tuple[str, str]]:
    """How one image is restored again, with other settings, into another output."""
    if not subject.asked:
        return []
    preset = "fast" if subject.asked.get("preset") == "paper" else "paper"
    other = _quoted(f"{subject.output.url}-{preset}")
    listed = f"printf '%s\\n' {_quoted(image_id)} > one.txt"
    return [
        ("List it", listed),
        (f"With the preset {preset}", f"{line_of(subject, other, {'preset': preset})} --only one.txt"),
    ]


def comparison_commands(first: Subject, second: Subject) -> list[tuple[str, str]]:
    """What can be done with two outputs."""
    urls = [_quoted(subject.output.url) for subject in (first, second)]
    return [
        ("Show every image here", f"dip report {urls[0]} {urls[1]} --to compared --sample all"),
        *(
            (f"Look at {subject.label} alone", f"dip report {subject.output.url}")
            for subject in (first, second)
        ),
        *((f"Means of {subject.label}", f"dip results {subject.output.url}") for subject in (first, second)),
    ]


def study_commands(output: Location, asked: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What can be done with a study.

    Args:
        output: the study's.
        asked: its description.
    """
    words = f"{asked['degradation'] or ''} {asked['variation'] or ''}".split()
    pairs = (word.partition("=") for word in words)
    options = [_word(name, True if value == "True" else value) for name, _, value in pairs]
    source, again = _quoted(asked["source"].removeprefix("file://")), _quoted(f"{output.url}-again")
    line = ["dip study", asked["study"], source, again, "--task", asked["task"], *options]
    return [
        ("Study it again", " ".join(line)),
        ("Make this page anew", f"dip report {_quoted(output.url)}"),
    ]


def line_of(subject: Subject, output: str, changes: Mapping[str, Any] | None = None) -> str:
    """The line that began an output, with some options changed.

    Args:
        subject: the output.
        output: where the results of the line go, quoted.
        changes: values of options that are other ones.
    """
    asked = {**subject.asked, **(changes or {})}
    if changes and "preset" in changes:
        asked["method"] = "dip"
    if subject.is_evaluation:
        del asked["noise_floor"]
    command = "evaluate" if subject.is_evaluation else "restore"
    source = _quoted(str(asked.get("source", "SRC")).removeprefix("file://"))
    words = [f"dip {command} {source} {output} --task {asked.get('task', '…')}", *_words(asked)]
    return " ".join(words)


def _words(asked: Mapping[str, Any]) -> Iterator[str]:
    for name, value in asked.items():
        if name in _NOT_OPTIONS or value is None:
            continue
        if name in _PARTS:
            yield from _words(value)
        elif value != _BESIDE.get(name, _DEFAULTS.get(name)):
            yield _word(name, value)


def _word(name: str, value: Any) -> str:
    option = _OPTIONS.get(name, f"--{'no-' if value is False else ''}{name.replace('_', '-')}")
    return option if isinstance(value, bool) else f"{option} {_quoted(str(value).removeprefix('file://'))}"


def _quoted(word: str) -> str:
    return shlex.quote(word)
