"""The education of a start: a network learns to take damage off drawn pictures, in sittings that add up."""

import io
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from dip import drawing
from dip.education.examination import FIRST
from dip.education.lessons import DAMAGES, Bytes
from dip.education.marking import Marking
from dip.education.restoring import SHAPES, Restoring
from dip.education.stock import pictures_from
from dip.errors import ConfigurationError
from dip.optimize.device import body_precision
from dip.parameterizations.residual_unet import UNet
from dip.parameterizations.start import Start, network_of

WARM_UP = 300
"""Steps until the learning rate is reached."""

LEARNING_RATE = 8e-4
LAST_PART = 0.5
"""Share of the steps in which the learning rate falls to a hundredth."""

AVERAGE = 0.999
PICTURES_OF_A_SEED = 10**6
"""As many numbers of pictures has a seed to itself."""

MASKS = "masks"
TASKS = (*SHAPES, MASKS)
CROPS = dict.fromkeys(SHAPES, (8, 96)) | {MASKS: (4, 128)}
"""Crops in a batch, and their rows and columns, by task."""


@dataclass(frozen=True)
class Education:
    """What a network is taught, and for how long.

    Attributes:
        task: `denoise`, which teaches holes, too, `super-resolution`, or `masks`.
        steps: batches.
        damages: of `dip.education.lessons.DAMAGES`, what is taught for `denoise`.
        seed: of the first weights, the pictures, the crops and their damage; 0 to 999.
        batch: crops in a batch.
        crop_px: rows and columns of a crop.
        examined_every: steps from one examination, and one saved state, to the next.
        start: checksum of the start that it goes on from; random weights without one.

    Raises:
        ConfigurationError: a value is out of range.
    """

    task: str
    steps: int
    damages: tuple[str, ...] = tuple(DAMAGES)
    seed: int = 0
    batch: int = 8
    crop_px: int = 96
    examined_every: int = 500
    start: str | None = None

    def __post_init__(self) -> None:
        if self.task not in TASKS:
            raise ConfigurationError(f"Expected a task {', '.join(TASKS)}; got {self.task}.")
        if self.steps < 1:
            raise ConfigurationError(f"Expected at least one step; got {self.steps}.")
        if not 0 <= self.seed < FIRST // PICTURES_OF_A_SEED:
            raise ConfigurationError(f"Expected a seed from 0 to 999; got {self.seed}.")
        _ = self.subject

    @property
    def subject(self) -> "Restoring | Marking":
        """What is taught, and how.

        Raises:
            ConfigurationError: a damage is unknown.
        """
        return Marking() if self.task == MASKS else Restoring(self.task, self.damages)

    def learning_rate(self, step: int) -> float:
        """Of a step, counted from 0: it rises, stays, and falls at the end."""
        falling = int(self.steps * (1 - LAST_PART))
        if step < falling:
            return LEARNING_RATE * min(1, (step + 1) / WARM_UP)
        return LEARNING_RATE * max(0.01, 1 - (step - falling) / (self.steps - falling))


@dataclass
class _State:
    """All that a sitting leaves to the next."""

    network: UNet
    average: dict[str, Tensor]
    optimizer: torch.optim.Optimizer
    step: int = 0
    seconds: float = 0.0
    curve: list[dict[str, float]] = field(default_factory=list)

    @classmethod
    def new(cls, education: Education, begins_with: Start | None, device: torch.device) -> "_State":
        torch.manual_seed(education.seed)
        network = network_of(education.subject.shape) if begins_with is None else begins_with.any_network()
        network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        average = {name: weight.clone() for name, weight in network.state_dict().items()}
        optimizer = torch.optim.AdamW(
            network.parameters(), LEARNING_RATE, (0.9, 0.98), weight_decay=1e-4, fused=True
        )
        return cls(network, average, optimizer)

    def encoded(self) -> bytes:
        buffer = io.BytesIO()
        held = {"network": self.network.state_dict(), "optimizer": self.optimizer.state_dict()}
        told = {"step": self.step, "seconds": self.seconds, "curve": self.curve}
        torch.save({**held, "average": self.average, **told}, buffer)
        return buffer.getvalue()

    def restore(self, content: bytes, device: torch.device) -> None:
        held = torch.load(io.BytesIO(content), map_location=device, weights_only=True)
        self.network.load_state_dict(held["network"])
        self.optimizer.load_state_dict(held["optimizer"])
        self.average, self.step, self.curve = held["average"], held["step"], held["curve"]
        self.seconds = held["seconds"]


def educate(
    education: Education,
    folder: Path,
    device: torch.device,
    tell: Callable[[int, dict[str, float]], None] | None = None,
    begins_with: Start | None = None,
) -> Start:
    """Teach a network, going on where an earlier sitting in the same folder ended.

    Sittings add up: an education that was interrupted ends with the same weights, on the same processor.

    Args:
        education: what is taught.
        folder: where the state between sittings lies, `state.pt`.
        device: where it runs.
        tell: is told the number of steps done and the scores, at each examination.
        begins_with: the start to go on from; random weights without one.

    Raises:
        ConfigurationError: the start is one of another task.

    Source: Barbano et al., *An educated warm start for deep image prior-based micro CT reconstruction*,
    2022, for the idea.
    """
    if begins_with is not None and begins_with.shape != education.subject.shape:
        raise ConfigurationError(
            f"Expected a start of the task {education.task}; got one of another network."
        )
    state, path = _State.new(education, begins_with, device), folder / "state.pt"
    if path.exists():
        state.restore(path.read_bytes(), device)
    precision, subject = body_precision(device, torch.bfloat16), education.subject
    if state.step >= education.steps:
        return _start(state, education, begins_with, precision)
    renewed = state.step // subject.renewed_every
    begun = time.perf_counter() - state.seconds
    with pictures_from(education.seed * PICTURES_OF_A_SEED + renewed) as pictures:
        stock = deque((next(pictures) for _ in range(subject.stock)), maxlen=subject.stock)
        while state.step < education.steps:
            if state.step // subject.renewed_every > renewed:
                renewed += 1
                stock.append(next(pictures))
            random = np.random.default_rng([education.seed, state.step])
            _learn(state, education, random, stock, precision)
            state.step += 1
            if state.step % education.examined_every == 0 or state.step == education.steps:
                scores = subject.examine(_averaged(state, education), precision)
                state.curve.append({"step": state.step, **scores})
                state.seconds = time.perf_counter() - begun
                _replace(path, state.encoded())
                if tell is not None:
                    tell(state.step, scores)
    return _start(state, education, begins_with, precision)


def _learn(
    state: _State,
    education: Education,
    random: np.random.Generator,
    stock: Sequence[Bytes],
    precision: torch.dtype,
) -> None:
    """One step down the subject's loss."""
    loss = education.subject.loss(state.network, random, stock, education.batch, education.crop_px, precision)
    for group in state.optimizer.param_groups:
        group["lr"] = education.learning_rate(state.step)
    state.optimizer.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    torch.nn.utils.clip_grad_norm_(state.network.parameters(), 1.0)
    state.optimizer.step()
    share = 1 - min(AVERAGE, (state.step + 1) / (state.step + 10))
    with torch.no_grad():
        torch._foreach_lerp_(list(state.average.values()), list(state.network.state_dict().values()), share)


def _averaged(state: _State, education: Education) -> UNet:
    network = network_of(education.subject.shape)
    network.load_state_dict({name: weight.cpu() for name, weight in state.average.items()})
    return network.to(memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]


def _start(state: _State, education: Education, begins_with: Start | None, precision: torch.dtype) -> Start:
    """The start with its card, and those of the starts before it, without their curves."""
    before = None if begins_with is None else {**begins_with.card, "curve": None}
    weights = {name: weight.to("cpu", torch.bfloat16) for name, weight in state.average.items()}
    card = {
        **asdict(education),
        "before": before,
        "generator": drawing.VERSION,
        "pictures": education.subject.stock + state.step // education.subject.renewed_every,
        "seconds": round(state.seconds),
        "torch": torch.__version__,
        "processor": torch.backends.cpu.get_cpu_capability(),
        "scores": state.curve[-1],
        "curve": state.curve,
        **education.subject.conclusion(_averaged(state, education), precision),
    }
    return Start(weights, education.subject.shape, card)


def _replace(path: Path, content: bytes) -> None:
    """A file in place of another in one go, so that an interruption leaves one of the two."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_suffix(".part")
    beside.write_bytes(content)
    beside.replace(path)
