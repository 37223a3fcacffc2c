"""What is asked of a restoration, as values. Where it runs and where files lie is not part of it."""

import hashlib
import json
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any, get_args

from dip.consistency import expect_consistent
from dip.degradations import Degradation
from dip.errors import ConfigurationError, expect_between, expect_one_of
from dip.methods import METHODS
from dip.operators import OPERATORS
from dip.parameterizations import NETWORKS
from dip.protocols import PROTOCOLS, Protocol, protocols_of
from dip.vocabulary import (
    Damage,
    DataTerm,
    Kernel,
    Method,
    Network,
    Preset,
    ProtocolName,
    StopRuleName,
    Task,
    Upsampling,
)

if TYPE_CHECKING:
    from dip.presets import Settings

SCALES = range(2, 9)
TINY = 1e-9


@dataclass(frozen=True)
class Variation:
    """What departs from a preset's settings; None leaves the preset's.

    Attributes:
        network: a name in `dip.parameterizations.NETWORKS`.
        width: channels of the network.
        depth: how many times the network halves the resolution, or a ResNet's number of blocks.
        upsampling: interpolation of the network's up path.
        dropout: share of the features that the network leaves out at random.
        input_channels: channels of the network's input z.
        input_noise: standard deviation of what is added to z at each iteration.
        learning_rate: of the optimizer.
        data_term: E, `squared`, `huber` or `l1`.
        tv: λ, the weight of total variation.
        stop: the stop rule: `variance`, `held-out`, `noise-level` or `fixed`.
        noise_level: σ of the noise in 8-bit units, for the rule `noise-level`.

    Raises:
        ConfigurationError: a value is out of range.
    """

    network: Network | None = None
    width: int | None = None
    depth: int | None = None
    upsampling: Upsampling | None = None
    dropout: float | None = None
    input_channels: int | None = None
    input_noise: float | None = None
    learning_rate: float | None = None
    data_term: DataTerm | None = None
    tv: float | None = None
    stop: StopRuleName | None = None
    noise_level: float | None = None

    def __post_init__(self) -> None:
        for what, value, allowed in [
            ("a network", self.network, tuple(NETWORKS)),
            ("an interpolation", self.upsampling, get_args(Upsampling)),
            ("a data term", self.data_term, get_args(DataTerm)),
            ("a stop rule", self.stop, get_args(StopRuleName)),
        ]:
            if value is not None:
                expect_one_of(what, value, allowed)
        expect_between("a width from 1 to 1024", self.width, 1, 1024)
        # 8 halvings need a canvas of 512 pixels a side, whatever the image's size.
        expect_between("a depth from 1 to 8", self.depth, 1, 8)
        expect_between("a dropout from 0 to 0.9", self.dropout, 0, 0.9)
        expect_between("1 to 1024 input channels", self.input_channels, 1, 1024)
        expect_between("an input noise from 0 to 10", self.input_noise, 0, 10)
        expect_between("a learning rate above 0, up to 10", self.learning_rate, TINY, 10)
        expect_between("a weight of total variation from 0 to 1000", self.tv, 0, 1000)
        expect_between("a noise level σ in (0, 255]", self.noise_level, TINY, 255)
        if (self.stop == "noise-level") != (self.noise_level is not None):
            raise ConfigurationError(
                "Expected the stop rule noise-level and a noise level to be given together; "
                f"got the rule {self.stop} and the noise level {self.noise_level}."
            )

    @property
    def of_network(self) -> dict[str, object]:
        """What is asked of the network, by name."""
        names = ("network", "width", "depth", "upsampling", "dropout", "input_channels", "input_noise")
        return {name: getattr(self, name) for name in names if getattr(self, name) is not None}

    def without_network(self) -> "Variation":
        """The rest, for a method that has no network."""
        return replace(self, **dict.fromkeys(self.of_network))


@dataclass(frozen=True)
class Configuration:
    """All that decides what becomes of an image.

    Attributes:
        task: what is wrong with the images, a name in `dip.operators.OPERATORS`.
        method: how they are restored, a name in `dip.methods.METHODS`.
        preset: a name in `dip.presets.PRESETS`.
        variation: what departs from the preset.
        seed: a result depends on it, the image's bytes and the rest of the configuration.
        runs: restorations from different seeds that are averaged.
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
    method: Method = "dip"
    preset: Preset = "auto"
    variation: Variation = field(default_factory=Variation)
    seed: int = 0
    runs: int = 1
    scale: int = 4
    kernel: Kernel | None = None
    max_iterations: int | None = None
    tile_px: int | None = None
    weights: str | None = None
    weights_sha256: str | None = None
    damage: Damage = "white"
    protocol: ProtocolName | None = None
    degradation: Degradation | None = None

    def __post_init__(self) -> None:
        expect_one_of("a task", self.task, OPERATORS)
        expect_one_of("a method", self.method, METHODS)
        expect_one_of("a preset", self.preset, get_args(Preset))
        expect_one_of("a scale factor", self.scale, SCALES)
        expect_one_of("a kernel", self.downsampling_kernel, get_args(Kernel))
        expect_one_of("a mask value that means damage,", self.damage, get_args(Damage))
        if self.max_iterations is not None and self.max_iterations < 1:
            raise ConfigurationError(f"Expected at least one iteration; got {self.max_iterations}.")
        expect_between("tiles of at least 128 pixels a side", self.tile_px, 128, 2**31)
        if not 0 <= self.seed < 2**63:
            raise ConfigurationError(f"Expected a seed from 0 to 2^63 - 1; got {self.seed}.")
        if self.runs < 1:
            raise ConfigurationError(f"Expected at least one run; got {self.runs}.")
        if (self.method == "trained") != (self.weights is not None):
            raise ConfigurationError(
                "Expected the method trained and the file of a network (--weights) to be given together; "
                f"got the method {self.method} and {self.weights or 'no file'}."
            )
        expect_consistent(self)
        if self.degradation is not None:
            self.degradation.check(self.task)

    @property
    def scale_factor(self) -> int:
        """How many times larger a restoration is than what it is made from."""
        return self.scale if OPERATORS[self.task].shrinks else 1

    @property
    def protocol_name(self) -> str:
        """The name numbers are recorded under, with the kernel where it is not the protocol's own."""
        own = self.judging.kernel
        if own in (None, self.downsampling_kernel):
            return self._protocol
        return f"{self._protocol}-{self.downsampling_kernel}"

    @property
    def judging(self) -> Protocol:
        """The protocol of an evaluation."""
        return PROTOCOLS.get(self._protocol, Protocol(self.task))

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
    def downsampling_kernel(self) -> Kernel:
        """The kernel of a super-resolution."""
        if self.kernel is not None:
            return self.kernel
        return self.judging.kernel or "bicubic"

    @property
    def damage_text(self) -> str:
        """How references are damaged, in a few words for the results."""
        scale = [f"scale={self.scale}"] if self.scale_factor > 1 else []
        return " ".join([*scale, *(self.degradation.words if self.degradation else [])])

    @property
    def variation_text(self) -> str:
        """What departs from the preset, in a few words for the results."""
        asked = asdict(self.variation)
        asked |= {"runs": None if self.runs == 1 else self.runs}
        asked |= {"max_iterations": self.max_iterations, "tile_px": self.tile_px}
        return " ".join(f"{name}={value}" for name, value in asked.items() if value is not None)

    @property
    def settings(self) -> "Settings | None":
        """The settings of the optimisation: the preset's for the task, varied; None where none is done.

        Raises:
            ConfigurationError: the preset has none for the task, or cannot be varied so.
        """
        # Imported here, so that whoever only hands configurations on needs no torch.
        from dip.presets import settings_for

        return settings_for(self)

    @property
    def effective_preset(self) -> str:
        """The preset that is used: `fast` where `auto` does not suit the network, `none` without one."""
        from dip.presets import preset_of

        return preset_of(self) if self.method == "dip" else "none"

    @property
    def values(self) -> dict[str, Any]:
        """All of it by name; of a trained network its checksum, where it is known, and not where it lies."""
        known = asdict(self)
        if self.weights_sha256 is not None:
            del known["weights"]
        return known

    @property
    def hash(self) -> str:
        """16 hexadecimal digits that change with the configuration or with what its preset means."""
        meaning = {**self.values, "settings": repr(self.settings)}
        return hashlib.sha256(json.dumps(meaning, sort_keys=True, default=str).encode()).hexdigest()[:16]
