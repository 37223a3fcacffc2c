"""What must hold before a run writes: locations apart, an output that is free, the same terms as before."""

import secrets
import unicodedata
from collections.abc import Collection, Mapping
from typing import Any

from dip.configuration import Configuration
from dip.errors import ConfigurationError
from dip.storage import Location
from flows.parameters import PROPOSED, Batch, RestorationParameters
from flows.runs.lock import is_lock
from flows.runs.source import check_exists, check_images


def check_feasible(parameters: Batch) -> None:
    """Refuse what cannot be done whatever the output holds, before anything is written.

    Raises:
        ConfigurationError: locations overlap, the configuration contradicts itself, or there is no such
            device or trained network on this machine.
        StorageError: source, masks or guides are not there, or there is no image in the source.
    """
    check_apart(parameters.results, parameters.location(parameters.source), "source")
    for role, location in _beside_the_source(parameters):
        check_apart(parameters.results, location, role)
    check_sound_input(parameters)
    if parameters.scheduler is None and parameters.device.startswith("cuda"):
        from dip.optimize.device import resolve_device  # which brings torch

        resolve_device(parameters.device)


def check_sound_input(parameters: Batch | RestorationParameters) -> None:
    """See that there is something to restore, and all that is needed for it.

    Raises:
        ConfigurationError: locations overlap, guides do not go with the preset, or the file of a network
            or start holds none.
        StorageError: source, masks or guides are not there, or there is no image in the source.
    """
    source, configuration = parameters.location(parameters.source), parameters.configuration
    check_guides_where_needed(configuration, parameters.guides_location)
    check_images(source, parameters.left_out)
    for role, location in _beside_the_source(parameters):
        check_apart(location, source, "source", role)
        check_exists(location, role)
    if configuration.weights is not None:
        from dip.methods.trained import network_in  # which brings torch

        network_in(configuration.weights, configuration.weights_sha256)
    if configuration.start is not None:
        from dip.methods.educated import start_of  # which brings torch

        start_of(configuration)


def _beside_the_source(parameters: Batch | RestorationParameters) -> list[tuple[str, Location]]:
    """Where masks and guides are, as far as there are any, under their roles."""
    locations = {"masks": parameters.masks_location, "guides": parameters.guides_location}
    return [(role, location) for role, location in locations.items() if location is not None]


def check_twins_apart(output: Location, twins: tuple[str, str] | None) -> None:
    """See that an output keeps two names apart that differ in capitals, or in how accents are written.

    Raises:
        ConfigurationError: it does not, and there are such.
        StorageError: it cannot be written.
    """
    if twins is None or not output.is_local:
        return
    probe = f".dip-{secrets.token_hex(8)}"
    written, small = f"{probe}-\u00c9", f"{probe}-\u00e9"
    output.write(written, b"")
    others = [small, *(unicodedata.normalize("NFD", name) for name in (written, small))]
    is_one = any(output.exists(name) for name in others)
    output.delete([written])
    if is_one:
        raise ConfigurationError(
            f"Expected an output that keeps {twins[0]} and {twins[1]} apart; {output.url} takes them for "
            "one. Rename one of the two images, or choose an output on another disk."
        )


def check_guides_where_needed(configuration: Configuration, guides: Location | None) -> None:
    """See that a network that draws from second images has them, and no other.

    Raises:
        ConfigurationError: it has not, or the configuration contradicts itself.
    """
    from dip.methods.presets import settings_for  # which brings torch

    settings = settings_for(configuration)
    needs = settings is not None and settings.network_input == "guide"
    if needs and guides is None:
        raise ConfigurationError(
            f"Expected second images for the preset {configuration.preset}, whose network draws from them; "
            "got none. Say where they are with `dip restore … --guides`."
        )
    if guides is not None and not needs:
        raise ConfigurationError(
            "Expected a network that draws from second images (--guides), that of the preset paper-flash; "
            f"got the method {configuration.method} with the preset {configuration.preset}."
        )


def check_apart(location: Location, other: Location, role: str, what: str = "an output") -> None:
    """See that an output, or something else, and what it belongs to do not lie in one another.

    Raises:
        ConfigurationError: they do.
    """
    if other.contains(location) or location.contains(other):
        raise ConfigurationError(
            f"Expected {what} apart from the {role}; {location.url} and {other.url} lie in one another. "
            "Choose another place for one of them."
        )


def check_unused(output: Location) -> None:
    """See that an output without runs holds nothing of somebody else's.

    Raises:
        ConfigurationError: it does.
        StorageError: it cannot be listed.
    """
    advice = "Choose another output, or say --overwrite to replace files of the same names."
    check_no_foreign_entries(output, ["runs"], "new, empty or made by an earlier run", advice)


def terms_of(parameters: Batch) -> dict[str, Any]:
    """What two runs over one output must agree on, as JSON knows it."""
    from dip.methods.canonical import config_hash  # which brings torch

    masks, guides = parameters.masks_location, parameters.guides_location
    return {
        "source": parameters.location(parameters.source).canonical_url,
        "masks": (parameters.masks or PROPOSED)
        if parameters.proposes_masks
        else masks and masks.canonical_url,
        **(
            _terms_of_proposals(parameters)
            if parameters.proposes_masks and not parameters.uses_infrared
            else {}
        ),
        "infrared_suffix": parameters.infrared_suffix,
        "guides": guides and guides.canonical_url,
        "format": parameters.file_format,
        "suffix": parameters.suffix,
        "noise_floor": parameters.least_noise,
        "embed": parameters.embed,
        "uncertainty": parameters.uncertainty,
        **parameters.configuration.as_dictionary(),
        # What a preset means can change between versions, while its name does not.
        "meaning of the preset": config_hash(parameters.configuration),
    }


def _terms_of_proposals(parameters: Batch) -> dict[str, Any]:
    """From which probability masks are proposed, and by which detector."""
    from dip.parameterizations.start import shipped_sha256

    return {"mask_threshold": parameters.least_probability, "detector": shipped_sha256("masks")[:16]}


def check_same_terms(stored: Mapping[str, Any], asked: Mapping[str, Any], run_id: str) -> None:
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


def check_no_foreign_entries(output: Location, own: Collection[str], expected: str, advice: str) -> None:
    """See that an output holds nothing but what is its own, and locks.

    Args:
        output: folder or prefix.
        own: names in it that may be there.
        expected: what the output is to be, in words.
        advice: what to do where it is not, a sentence.

    Raises:
        ConfigurationError: it holds something else.
        StorageError: it cannot be listed.
    """
    others = {name for name in output.names() if name not in own and not is_lock(name)}
    if others:
        raise ConfigurationError(
            f"Expected an output that is {expected}; {output.url} holds {len(others)} other entries, "
            f"such as {min(others)!r}. {advice}"
        )
