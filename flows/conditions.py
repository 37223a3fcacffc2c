"""What must hold before a run writes: locations apart, an output that is free, the same terms as before."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from dip.config import Configuration
from dip.errors import ConfigurationError
from dip.storage import Location
from flows.lock import is_lock
from flows.parameters import PROPOSED, Batch


def expect_feasible(parameters: Batch) -> None:
    """Refuse what cannot be done whatever source and output hold, before anything is written.

    Raises:
        ConfigurationError: source and output overlap, or the configuration contradicts itself.
    """
    expect_apart(parameters.results, parameters.location(parameters.source), "source")
    for role, location in (("masks", parameters.masks_location), ("guides", parameters.guides_location)):
        if location is not None:
            expect_apart(parameters.results, location, role)
    expect_guides_where_needed(parameters.configuration, parameters.guides_location)


def expect_guides_where_needed(configuration: Configuration, guides: Location | None) -> None:
    """See that a network that draws from second images has them, and no other.

    Raises:
        ConfigurationError: it has not, or the configuration contradicts itself.
    """
    settings = configuration.settings
    needs = settings is not None and settings.network_input == "guide"
    if needs and guides is None:
        raise ConfigurationError(
            f"Expected second images for the preset {configuration.preset}, whose network draws from them; "
            "got none. Say where they are with `dip restore … --guides`."
        )
    if guides is not None and not needs:
        raise ConfigurationError(
            "Expected a preset whose network draws from second images (--guides), paper-flash; "
            f"got {configuration.preset}."
        )


def expect_apart(output: Location, other: Location, role: str) -> None:
    """See that an output and what it is made from do not lie in one another.

    Raises:
        ConfigurationError: they do.
    """
    if other.contains(output) or output.contains(other):
        raise ConfigurationError(
            f"Expected an output apart from the {role}; {output.url} and {other.url} lie in one another. "
            "Choose another output."
        )


def expect_unused(output: Location) -> None:
    """See that an output without runs holds nothing of somebody else's.

    Raises:
        ConfigurationError: it does.
        StorageError: it cannot be listed.
    """
    others = {name for name in output.names() if name != "runs" and not is_lock(name)}
    if others:
        raise ConfigurationError(
            f"Expected an output that is new, empty or made by an earlier run; {output.url} holds "
            f"{len(others)} other entries, such as {min(others)!r}. Choose another output, or say "
            "--overwrite to replace files of the same names."
        )


def terms_of(parameters: Batch) -> dict[str, Any]:
    """What two runs over one output must agree on, as JSON knows it."""
    masks, guides = parameters.masks_location, parameters.guides_location
    return {
        "source": parameters.location(parameters.source).canonical_url,
        "masks": PROPOSED if parameters.proposes_masks else masks and masks.canonical_url,
        "guides": guides and guides.canonical_url,
        "format": parameters.file_format,
        "suffix": parameters.suffix,
        "noise_floor": parameters.noise_floor,
        "embed": parameters.embed,
        "uncertainty": parameters.uncertainty,
        **asdict(parameters.configuration),
        # What a preset means can change between versions, while its name does not.
        "meaning of the preset": parameters.configuration.hash,
    }


def expect_same_terms(stored: Mapping[str, Any], asked: Mapping[str, Any], run_id: str) -> None:
    """See that what is asked is what an output's earlier run was asked.

    Raises:
        ConfigurationError: it is something else.
    """
    was, now = _flat(stored), _flat(asked)
    differing = [name for name in sorted(was | now) if was.get(name) != now.get(name)]
    if len(differing) > 1:  # the others say it better
        differing = [name for name in differing if name != "meaning of the preset"]
    if differing:
        changes = "; ".join(f"{name} was {was.get(name)!r} and is {now.get(name)!r}" for name in differing)
        raise ConfigurationError(
            f"Expected the configuration of the output's earlier run {run_id}; {changes}. "
            "Repeat the earlier line, or choose another output."
        )


def _flat(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values with those of nested groups among them."""
    flat: dict[str, Any] = {}
    for name, value in values.items():
        flat |= value if isinstance(value, dict) else {name: value}
    return flat
