"""Whether all that is asked of a restoration goes together, and none of it would be ignored."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from dip.errors import ConfigurationError, expect_one_of
from dip.methods import METHODS
from dip.protocols import PROTOCOLS, protocols_of

if TYPE_CHECKING:
    from dip.config import Configuration


def expect_consistent(configuration: "Configuration") -> None:
    """Refuse what contradicts itself, or would be ignored.

    Raises:
        ConfigurationError: something does.
    """
    _check_protocol(configuration)
    _check_method(configuration)
    _check_use(configuration)


def _check_protocol(configuration: "Configuration") -> None:
    if configuration.protocol is None:
        return
    known = protocols_of(configuration.task)
    if not known:
        raise ConfigurationError(
            f"Expected no protocol for the task {configuration.task}, which has none; "
            f"got {configuration.protocol}."
        )
    expect_one_of(f"a protocol of the task {configuration.task},", configuration.protocol, known)
    crop = PROTOCOLS[configuration.protocol].crop_multiple
    if crop is not None and crop % configuration.scale_factor:
        raise ConfigurationError(
            f"Expected a scale factor that divides {crop} for the protocol {configuration.protocol}; "
            f"got {configuration.scale_factor}."
        )


def _check_method(configuration: "Configuration") -> None:
    """See whether the method can do what is asked."""
    name, listed = configuration.method, METHODS[configuration.method]
    if listed.tasks is not None and configuration.task not in listed.tasks:
        raise ConfigurationError(
            f"Expected the method {name} with the task {' or '.join(listed.tasks)}; got {configuration.task}."
        )
    hides = configuration.degradation is not None and configuration.degradation.hides
    if hides and not listed.takes_masks:
        raise ConfigurationError(f"Expected images without holes for the method {name}; got some to hide.")
    if listed.optimises == "network" and configuration.variation.network == "pixels":
        raise ConfigurationError(
            f"Expected a network for the method {name}; got pixels. They are a method of their own: pixels."
        )
    if name == "pixels" and configuration.variation.stop == "held-out":
        raise ConfigurationError(
            "Expected a stop rule that holds no pixels out for the method pixels, whose pixels would stay "
            "as they were drawn where nothing is fitted to them; got held-out."
        )


def _check_use(configuration: "Configuration") -> None:
    """See whether something of what is asked would have no use."""
    name, listed = configuration.method, METHODS[configuration.method]
    if listed.optimises != "network" and configuration.preset != "auto":
        raise ConfigurationError(
            f"Expected no preset for the method {name}, which has no network; got {configuration.preset}."
        )
    if listed.optimises is None and configuration.variation_text:
        raise ConfigurationError(
            f"Expected nothing to vary for the method {name}, which optimises nothing; "
            f"got {_as_typed(configuration.variation_text.split())}."
        )
    if listed.optimises == "pixels" and configuration.variation.of_network:
        raise ConfigurationError(
            f"Expected nothing of a network for the method {name}, which has none; "
            f"got {_as_typed(configuration.variation.of_network)}."
        )
    if configuration.kernel is not None and configuration.scale_factor == 1:
        raise ConfigurationError(
            f"Expected a downsampling kernel with a super-resolution; got one with {configuration.task}."
        )
    if configuration.kernel is not None and configuration.degradation is None and listed.optimises is None:
        raise ConfigurationError(
            f"Expected no downsampling kernel for the method {name}, which has no equation to put it in; "
            f"got {configuration.kernel}."
        )


def _as_typed(words: Iterable[str]) -> str:
    """Words such as `tile_px=256` as the options they come from: `--tile=256`."""
    return ", ".join(f"--{word.replace('tile_px', 'tile').replace('_', '-')}" for word in words)
