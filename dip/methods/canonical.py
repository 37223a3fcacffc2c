"""A configuration, and what its preset means, as a dictionary of plain values, and its hash.

Neither the name of a class nor the place of a module is in it, nor what is not asked for (None). So neither
moves in the code nor options that come later change a hash.
"""

import hashlib
import json
from dataclasses import fields, is_dataclass
from typing import Any

import torch

from dip.configuration import Configuration
from dip.configuration.registry import NETWORKS
from dip.methods.presets import adaptation_for, settings_for
from dip.parameterizations import parameterization_called
from dip.parameterizations.start import shipped_sha256

VERSION = 1
"""Of the dictionary's form. Another one refuses all outputs that have been begun: `config_hash` changes."""


def config_hash(configuration: Configuration) -> str:
    """16 hexadecimal digits that change with a configuration or with what its preset means.

    Raises:
        ConfigurationError: the preset has no settings for the task, or cannot be varied so.
    """
    content = json.dumps(canonical_dictionary(configuration), sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()[:16]


def canonical_dictionary(configuration: Configuration) -> dict[str, Any]:
    """All that a configuration asks for, and the settings of its fit, if there is one, as JSON knows them.

    Raises:
        ConfigurationError: the preset has no settings for the task, or cannot be varied so.
    """
    adaptation = adaptation_for(configuration)
    meaning = {"version": VERSION, "configuration": _plain(configuration.as_dictionary())}
    if adaptation is None:
        return {**meaning, "settings": _plain(settings_for(configuration))}
    sha256 = shipped_sha256(adaptation.start) if configuration.start is None else configuration.start_sha256
    return {**meaning, "settings": _plain(adaptation), "start": sha256}


def _plain(value: object) -> Any:
    """A value as JSON knows it: whole numbers as integers, values without those parts that are None."""
    if is_dataclass(value):
        parts = {field.name: getattr(value, field.name) for field in fields(value)}
        return _plain({"name": _name_of(value), **parts})
    if isinstance(value, dict):
        return {name: _plain(part) for name, part in value.items() if part is not None}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    if isinstance(value, torch.dtype):
        return str(value)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if value is None or isinstance(value, str | int | float):
        return value
    raise TypeError(f"Expected a plain value; got {value!r}. Say in `dip.methods.canonical` what it is.")


def _name_of(value: object) -> str | None:
    """What the results call a stop rule, and the table a network, whatever its class is called."""
    listed = (name for name in NETWORKS if parameterization_called(name) is type(value))
    return getattr(value, "name", None) or next(listed, None)
