"""All that decides what becomes of an image, as one value that refuses to contradict itself."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any, get_args

from dip.configuration.degradation import Degradation
from dip.configuration.protocols import PROTOCOLS, EvaluationProtocol, protocols_of
from dip.configuration.tables import METHODS, OPERATORS
from dip.configuration.variation import Variation
from dip.configuration.vocabulary import (
    Damage,
    KernelName,
    MethodName,
    Preset,
    ProtocolName,
    Task,
)
from dip.errors import ConfigurationError, check_between, check_one_of

SCALES = range(2, 9)


@dataclass(frozen=True)
class Configuration:
    """All that decides what becomes of an image.

    Attributes:
        task: what is wrong with the images, a name in `dip.configuration.tables.OPERATORS`.
        method: how they are restored, a name in `dip.configuration.tables.METHODS`.
        preset: a name in `dip.methods.presets.PRESETS`.
        variation: what departs from the preset.
        seed: a result depends on it, the image's bytes and the rest of the configuration.
        restarts: fits from different seeds whose images are averaged.
        scale: scale factor of a super-resolution, 2 to 8.
        kernel: downsampling kernel of a super-resolution; None is the protocol's.
        max_iterations: the limit of iterations, in place of the preset's.
        tile_px: longest side of the tiles that a larger image is fitted in; None: as large as a fit may be.
        weights: file of a trained network, for the method `trained`.
        weights_sha256: of that file, where it is known.
        damage: the mask value that marks what is to be repaired.
        protocol: how an evaluation is done; None is the task's first.
        degradation: how references are damaged first; None outside of evaluations.

    Raises:
        ConfigurationError: a value is out of range, or does not go with the task.
    """

    task: Task
    method: MethodName = "dip"
    preset: Preset = "auto"
    variation: Variation = field(default_factory=Variation)
    seed: int = 0
    restarts: int = 1
    scale: int = 4
    kernel: KernelName | None = None
    max_iterations: int | None = None
    tile_px: int | None = None
    weights: str | None = None
    weights_sha256: str | None = None
    damage: Damage = "white"
    protocol: ProtocolName | None = None
    degradation: Degradation | None = None

    def __post_init__(self) -> None:
        check_one_of("a task", self.task, OPERATORS)
        check_one_of("a method", self.method, METHODS)
        check_one_of("a preset", self.preset, get_args(Preset))
        check_one_of("a scale factor", self.scale, SCALES)
        check_one_of("a kernel", self.downsampling_kernel, get_args(KernelName))
        check_one_of("a mask value that means damage,", self.damage, get_args(Damage))
        if self.max_iterations is not None and self.max_iterations < 1:
            raise ConfigurationError(f"Expected at least one iteration; got {self.max_iterations}.")
        check_between("tiles of at least 128 pixels a side", self.tile_px, 128, 2**31)
        if not 0 <= self.seed < 2**63:
            raise ConfigurationError(f"Expected a seed from 0 to 2^63 - 1; got {self.seed}.")
        if self.restarts < 1:
            raise ConfigurationError(f"Expected at least one start; got {self.restarts}.")
        if (self.method == "trained") != (self.weights is not None):
            raise ConfigurationError(
                "Expected the method trained and the file of a network (--weights) to be given together; "
                f"got the method {self.method} and {self.weights or 'no file'}."
            )
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
        return " ".join(f"{name}={value}" for name, value in asked.items() if value is not None)

    def as_dictionary(self) -> dict[str, Any]:
        """All of it by name; of a trained network its checksum, where it is known, and not where it lies."""
        known = asdict(self)
        if self.weights_sha256 is not None:
            del known["weights"]
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
