"""How an image is restored: by which method, how long, and from how many starts."""

from dataclasses import dataclass
from typing import Annotated, get_args

import typer

from dip.configuration.registry import METHODS, OPERATORS
from dip.configuration.vocabulary import KernelName, MethodName, Preset, Task
from dip.errors import ConfigurationError, check_between, check_one_of

METHOD = "Method"
"""The panel of its options in a command's help."""

TaskOption = Annotated[Task, typer.Option("--task", help="What is wrong with the images.")]


@dataclass(frozen=True)
class Procedure:
    """What is asked of every restoration. A field is an option of the commands that restore, too.

    Attributes:
        task: what is wrong with the images, a name in `dip.configuration.registry.OPERATORS`.
        scale: scale factor of a super-resolution, 2 to 8; None for the usual one.
        kernel: downsampling kernel of a super-resolution; None is the protocol's.
        method: how they are restored, a name in `dip.configuration.registry.METHODS`.
        weights: file of a trained network, for the method `trained`.
        preset: a name in `dip.methods.presets.PRESETS`.
        start: file of an educated start, in place of the package's, for the preset `educated`.
        strength: how much of a denoising is taken, 0 to 1; the rest is as it was. None for all.
        seed: a result depends on it, the image's bytes and the rest of the configuration.
        restarts: fits from different seeds whose images are averaged.
        max_iterations: the limit of iterations, in place of the preset's.
        tile_px: longest side of the tiles that a larger image is fitted in; None: as large as a fit may be.

    Raises:
        ConfigurationError: a value is out of range, or does not go with another.
    """

    task: TaskOption
    scale: Annotated[
        int | None, typer.Option("--scale", min=2, max=8, help="Scale factor of a super-resolution, else 4.")
    ] = None
    kernel: Annotated[
        KernelName | None,
        typer.Option("--kernel", help="Downsampling kernel of a super-resolution, else bicubic."),
    ] = None
    method: Annotated[
        MethodName,
        typer.Option("--method", rich_help_panel=METHOD, help="Deep Image Prior, or what stands beside it."),
    ] = "dip"
    weights: Annotated[
        str | None,
        typer.Option(
            "--weights",
            metavar="FILE",
            rich_help_panel=METHOD,
            help="TorchScript or ONNX network, for the method trained.",
        ),
    ] = None
    preset: Annotated[
        Preset,
        typer.Option(
            "--preset",
            rich_help_panel=METHOD,
            help="The best measured (auto): a fit from an educated start (educated), or from random weights "
            "(untrained); a narrow network with Adam (fast), or the published ones.",
        ),
    ] = "auto"
    start: Annotated[
        str | None,
        typer.Option(
            "--start", metavar="FILE", rich_help_panel=METHOD, help="A start of yours, made by `dip educate`."
        ),
    ] = None
    strength: Annotated[
        float | None,
        typer.Option(
            "--strength",
            metavar="SHARE",
            rich_help_panel=METHOD,
            help="How much of a denoising to take, from 0 to 1: less than 1 leaves some grain.",
        ),
    ] = None
    seed: Annotated[
        int,
        typer.Option(
            "--seed", min=0, rich_help_panel=METHOD, help="Same seed, image and options give the same bytes."
        ),
    ] = 0
    restarts: Annotated[
        int,
        typer.Option(
            "--restarts",
            metavar="N",
            min=1,
            rich_help_panel=METHOD,
            help="Average N restorations from different seeds.",
        ),
    ] = 1
    max_iterations: Annotated[
        int | None,
        typer.Option(
            "--max-iterations",
            metavar="N",
            min=1,
            rich_help_panel=METHOD,
            help="At most N iterations per image, in place of the preset's limit.",
        ),
    ] = None
    tile_px: Annotated[
        int | None,
        typer.Option(
            "--tile",
            metavar="PX",
            min=128,
            rich_help_panel=METHOD,
            help="Longest side of large images' tiles.",
        ),
    ] = None

    def __post_init__(self) -> None:
        check_one_of("a task", self.task, OPERATORS)
        check_one_of("a method", self.method, METHODS)
        check_one_of("a preset", self.preset, get_args(Preset))
        if self.scale is not None:
            check_one_of("a scale factor", self.scale, range(2, 9))
        if self.kernel is not None:
            check_one_of("a kernel", self.kernel, get_args(KernelName))
        if self.max_iterations is not None and self.max_iterations < 1:
            raise ConfigurationError(f"Expected at least one iteration; got {self.max_iterations}.")
        check_between("tiles of at least 128 pixels a side", self.tile_px, 128, 2**31)
        check_between("a strength from 0 to 1", self.strength, 0, 1)
        if self.strength is not None and not OPERATORS[self.task].denoises:
            raise ConfigurationError(
                f"Expected a strength with a task that denoises; got {self.strength:g} with {self.task}."
            )
        if self.start is not None and (self.method != "dip" or self.preset not in ("auto", "educated")):
            raise ConfigurationError(
                "Expected a start (--start) with the preset auto or educated; "
                f"got it with the method {self.method} and the preset {self.preset}."
            )
        if not 0 <= self.seed < 2**63:
            raise ConfigurationError(f"Expected a seed from 0 to 2^63 - 1; got {self.seed}.")
        if self.restarts < 1:
            raise ConfigurationError(f"Expected at least one start; got {self.restarts}.")
        if (self.method == "trained") != (self.weights is not None):
            raise ConfigurationError(
                "Expected the method trained and the file of a network (--weights) to be given together; "
                f"got the method {self.method} and {self.weights or 'no file'}."
            )
