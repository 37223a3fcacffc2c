"""All that decides what becomes of an image, as one value that refuses to contradict itself."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any, get_args

from dip.configuration.degradation import Degradation
from dip.configuration.procedure import Procedure
from dip.configuration.protocols import PROTOCOLS, EvaluationProtocol, protocols_of
from dip.configuration.registry import METHODS, OPERATORS
from dip.configuration.variation import Variation
from dip.configuration.vocabulary import Damage, KernelName, ProtocolName
from dip.errors import ConfigurationError, check_one_of

USUAL_SCALE = 4


@dataclass(frozen=True)
class Configuration(Procedure):
    """All that decides what becomes of an image: a procedure, and what goes with it.

    Attributes:
        scale: scale factor of a super-resolution, 2 to 8.
        variation: what departs from the preset.
        weights_sha256: of the trained network's file, where it is known.
        start_sha256: of the file of a start, where it is known.
        damage: the mask value that marks what is to be repaired.
        grain_fill: whether fills get grain like that of their surroundings.
        protocol: how an evaluation is done; None is the task's first.
        degradation: how references are damaged first; None outside of evaluations.

    Raises:
        ConfigurationError: a value is out of range, or does not go with the task.
    """

    scale: int = USUAL_SCALE
    variation: Variation = field(default_factory=Variation)
    weights_sha256: str | None = None
    start_sha256: str | None = None
    damage: Damage = "white"
    grain_fill: bool = True
    protocol: ProtocolName | None = None
    degradation: Degradation | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        check_one_of("a mask value that means damage,", self.damage, get_args(Damage))
        check_consistent(self)
        if self.degradation is not None:
            self.degradation.check(self.task)

    @property
    def scale_factor(self) -> int:
        """How many times larger a restoration is than what it is made from."""
        return self.scale if OPERATORS[self.task].shrinks else 1

    @property
    def protocol_name(self) -> str:
        """The name numbers are recorded under, with the kernel where it is not the protocol's own."""
        own = self.evaluation_protocol.kernel
        if own in (None, self.downsampling_kernel):
            return self._protocol
        return f"{self._protocol}-{self.downsampling_kernel}"

    @property
    def evaluation_protocol(self) -> EvaluationProtocol:
        """The protocol of an evaluation."""
        return PROTOCOLS.get(self._protocol, EvaluationProtocol(self.task))

    @property
    def _protocol(self) -> str:
        if self.protocol is not None:
            return self.protocol
        if self.task == "inpaint" and not self.keeps_observed:
            return "inpaint"
        return (*protocols_of(self.task), self.task)[0]

    @property
    def keeps_observed(self) -> bool:
        """Whether observed pixels come back as they are: in inpainting, unless they are noisy."""
        return self.task == "inpaint" and not (self.degradation and self.degradation.is_noisy)

    @property
    def fills_with_grain(self) -> bool:
        """Whether holes get grain: those that a network fills, outside of evaluations."""
        is_network = METHODS[self.method].optimises == "network"
        return self.grain_fill and is_network and OPERATORS[self.task].repairs and self.degradation is None

    @property
    def downsampling_kernel(self) -> KernelName:
        """The kernel of a super-resolution."""
        if self.kernel is not None:
            return self.kernel
        return self.evaluation_protocol.kernel or "bicubic"

    @property
    def damage_text(self) -> str:
        """How references are damaged, in a few words for the results."""
        scale = [f"scale={self.scale}"] if self.scale_factor > 1 else []
        return " ".join([*scale, *(self.degradation.words if self.degradation else [])])

    @property
    def variation_text(self) -> str:
        """What departs from the preset, in a few words for the results."""
        asked = asdict(self.variation)
        asked |= {"restarts": None if self.restarts == 1 else self.restarts}
        asked |= {"max_iterations": self.max_iterations, "tile_px": self.tile_px}
        asked |= {"strength": self.strength}
        asked |= {"start": self.start_sha256 and self.start_sha256[:16]}
        return " ".join(f"{name}={value}" for name, value in asked.items() if value is not None)

    def as_dictionary(self) -> dict[str, Any]:
        """All of it by name; of networks their checksums, where they are known, and not where they lie."""
        known = asdict(self)
        if self.weights_sha256 is not None:
            del known["weights"]
        if self.start_sha256 is not None:
            del known["start"]
        return known


def check_consistent(configuration: Configuration) -> None:
    """Refuse what contradicts itself, or would be ignored.

    Raises:
        ConfigurationError: something does.
    """
    _check_protocol(configuration)
    _check_method(configuration)
    _check_use(configuration)


def _check_protocol(configuration: Configuration) -> None:
    if configuration.protocol is None:
        return
    known = protocols_of(configuration.task)
    if not known:
        raise ConfigurationError(
            f"Expected no protocol for the task {configuration.task}, which has none; "
            f"got {configuration.protocol}."
        )
    check_one_of(f"a protocol of the task {configuration.task},", configuration.protocol, known)
    crop = PROTOCOLS[configuration.protocol].crop_multiple
    if crop is not None and crop % configuration.scale_factor:
        raise ConfigurationError(
            f"Expected a scale factor that divides {crop} for the protocol {configuration.protocol}; "
            f"got {configuration.scale_factor}."
        )


def _check_method(configuration: Configuration) -> None:
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


def _check_use(configuration: Configuration) -> None:
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
