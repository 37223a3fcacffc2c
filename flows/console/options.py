"""The options that commands share: types of their parameters, and parameters that are given to them."""

import inspect
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Annotated, Any

import typer

from dip.configuration.vocabulary import (
    AskedFormat,
    Damage,
    DataTerm,
    KernelName,
    MaskShape,
    MethodName,
    NetworkName,
    Preset,
    StopRuleName,
    Task,
    Upsampling,
)

Source = Annotated[str, typer.Argument(metavar="SRC", help="Folder or URL of the images; never written to.")]
Output = Annotated[
    str, typer.Argument(metavar="OUT", help="Folder or URL of the results: a new one, or an earlier run's.")
]
TaskOption = Annotated[Task, typer.Option("--task", help="What is wrong with the images.")]
MasksOption = Annotated[
    str | None, typer.Option("--masks", metavar="URL", help="Folder or URL of masks, mirroring SRC, or auto.")
]
GuidesOption = Annotated[
    str | None,
    typer.Option(
        "--guides", metavar="URL", help="Folder or URL of second images, mirroring SRC, for paper-flash."
    ),
]
DamageOption = Annotated[Damage, typer.Option("--damage", help="The mask value that marks what to repair.")]
NoiseFloorOption = Annotated[
    float | None,
    typer.Option(
        "--noise-floor",
        metavar="σ",
        min=0,
        help="Skip images with less noise than this, in 8-bit units, else 0.5.",
    ),
]
ExcludeOption = Annotated[
    list[str] | None,
    typer.Option(
        "--exclude", metavar="GLOB", help="Leave out files and folders of such names; can be repeated."
    ),
]
BagOption = Annotated[
    bool, typer.Option("--bag", help="Make OUT a BagIt bag; its payload, OUT/data, holds the results.")
]
SigmaOption = Annotated[
    float | None, typer.Option("--sigma", help="Gaussian noise in 8-bit units; 25 for a plain denoise.")
]
MissingOption = Annotated[float | None, typer.Option("--missing", help="Share of missing pixels.")]
MaskOption = Annotated[MaskShape | None, typer.Option("--mask", help="Hide a shape instead.")]
ScaleOption = Annotated[
    int | None, typer.Option("--scale", min=2, max=8, help="Scale factor of a super-resolution, else 4.")
]
KernelOption = Annotated[
    KernelName | None,
    typer.Option("--kernel", help="Downsampling kernel of a super-resolution, else bicubic."),
]
MethodOption = Annotated[
    MethodName, typer.Option("--method", help="Deep Image Prior, or what stands beside it.")
]
WeightsOption = Annotated[
    str | None,
    typer.Option("--weights", metavar="FILE", help="TorchScript or ONNX network, for the method trained."),
]
PresetOption = Annotated[
    Preset,
    typer.Option(
        "--preset",
        help="The best measured settings (auto), a narrow network with Adam (fast), or the published ones.",
    ),
]
RestartsOption = Annotated[
    int, typer.Option("--restarts", metavar="N", min=1, help="Average N restorations from different seeds.")
]
UncertaintyOption = Annotated[
    bool, typer.Option("--uncertainty", help="Also write the deviation between the restarts, as TIFF.")
]
ENGINE = "Engine, in place of the preset's"
NetworkOption = Annotated[
    NetworkName | None, typer.Option("--network", rich_help_panel=ENGINE, help="Parameterization g.")
]
WidthOption = Annotated[
    int | None, typer.Option("--width", metavar="N", min=1, rich_help_panel=ENGINE, help="Its channels.")
]
DepthOption = Annotated[
    int | None,
    typer.Option("--depth", metavar="N", min=1, rich_help_panel=ENGINE, help="Its halvings, or blocks."),
]
InputChannelsOption = Annotated[
    int | None,
    typer.Option("--input-channels", metavar="N", min=1, rich_help_panel=ENGINE, help="Channels of z."),
]
InputNoiseOption = Annotated[
    float | None,
    typer.Option("--input-noise", metavar="X", min=0, rich_help_panel=ENGINE, help="Deviation of its noise."),
]
LearningRateOption = Annotated[
    float | None,
    typer.Option("--learning-rate", metavar="X", min=0, rich_help_panel=ENGINE, help="Of the optimizer."),
]
UpsamplingOption = Annotated[
    Upsampling | None, typer.Option("--upsampling", rich_help_panel=ENGINE, help="Its interpolation.")
]
DropoutOption = Annotated[
    float | None,
    typer.Option(
        "--dropout", metavar="P", rich_help_panel=ENGINE, help="Share of its features left out at random."
    ),
]
DataTermOption = Annotated[
    DataTerm | None, typer.Option("--data-term", rich_help_panel=ENGINE, help="Data term E.")
]
TVOption = Annotated[
    float | None,
    typer.Option("--tv", metavar="λ", min=0, rich_help_panel=ENGINE, help="Weight of total variation."),
]
StopOption = Annotated[StopRuleName | None, typer.Option("--stop", rich_help_panel=ENGINE, help="Stop rule.")]
NoiseLevelOption = Annotated[
    float | None,
    typer.Option(
        "--noise-level", metavar="σ", rich_help_panel=ENGINE,
        help="Known noise in 8-bit units, for --stop noise-level.",
    ),
]  # fmt: skip
SeedOption = Annotated[
    int, typer.Option("--seed", min=0, help="Same seed, image and options give the same bytes.")
]
IterationsOption = Annotated[
    int | None,
    typer.Option(
        "--max-iterations",
        metavar="N",
        min=1,
        help="At most N iterations per image, in place of the preset's limit.",
    ),
]
TileOption = Annotated[
    int | None,
    typer.Option("--tile", metavar="PX", min=128, help="Longest side of large images' tiles."),
]
DeviceOption = Annotated[str, typer.Option("--device", help="auto, cpu, cuda or cuda:N.")]
WorkersOption = Annotated[
    int | None,
    typer.Option("--workers", metavar="N", min=1, help="Local worker processes; else one per GPU or core."),
]
SchedulerOption = Annotated[
    str | None,
    typer.Option("--scheduler", metavar="ADDR", help="A running Dask scheduler, such as tcp://host:8786."),
]
StorageOption = Annotated[
    str | None,
    typer.Option(
        "--storage-options",
        metavar="JSON",
        help='fsspec options for URLs, such as {"endpoint_url": "http://host:9000"}; '
        "the usual AWS_ environment variables need none.",
    ),
]
FormatOption = Annotated[
    AskedFormat,
    typer.Option("--format", help="Of restored images; a JPEG, like all that is read only, becomes a PNG."),
]
SuffixOption = Annotated[
    str,
    typer.Option("--suffix", metavar="TEXT", help="Follows the names of restored images: a.tif, aTEXT.tif."),
]
OverwriteOption = Annotated[
    bool,
    typer.Option("--overwrite", help="Replace files of others where results go, instead of refusing to."),
]
EmbedOption = Annotated[
    bool, typer.Option("--embed", help="Put restored images into the Parquet rows instead of files.")
]
TimeLimitOption = Annotated[
    float | None,
    typer.Option("--time-limit", metavar="S", help="Fail an image that takes longer, in seconds."),
]
RetryOption = Annotated[
    bool, typer.Option("--retry-failed", help="On a finished output, try again what has failed.")
]
RetryListOption = Annotated[
    str | None,
    typer.Option("--retry", metavar="FILE", help="On a finished output, restore what FILE names again."),
]
OnlyOption = Annotated[
    str | None,
    typer.Option(
        "--only",
        metavar="FILE",
        help="Restore only what FILE names: decisions.csv of a report, a CSV with image_id, one name a line.",
    ),
]
TakeOverOption = Annotated[
    bool, typer.Option("--take-over", help="Work on OUT although it is locked by another run, which is dead.")
]
RedoOption = Annotated[
    bool, typer.Option("--all", help="On a finished output, restore all images again, in a new run.")
]

SHARED: Mapping[str, tuple[Any, Any]] = MappingProxyType(
    {
        "scale": (ScaleOption, None),
        "kernel": (KernelOption, None),
        "method": (MethodOption, "dip"),
        "weights": (WeightsOption, None),
        "preset": (PresetOption, "auto"),
        "seed": (SeedOption, 0),
        "restarts": (RestartsOption, 1),
        "uncertainty": (UncertaintyOption, False),
        "max_iterations": (IterationsOption, None),
        "tile_px": (TileOption, None),
        "network": (NetworkOption, None),
        "width": (WidthOption, None),
        "depth": (DepthOption, None),
        "upsampling": (UpsamplingOption, None),
        "dropout": (DropoutOption, None),
        "input_channels": (InputChannelsOption, None),
        "input_noise": (InputNoiseOption, None),
        "learning_rate": (LearningRateOption, None),
        "data_term": (DataTermOption, None),
        "tv": (TVOption, None),
        "stop": (StopOption, None),
        "noise_level": (NoiseLevelOption, None),
        "device": (DeviceOption, "auto"),
        "exclude": (ExcludeOption, None),
        "workers": (WorkersOption, None),
        "scheduler": (SchedulerOption, None),
        "storage_options": (StorageOption, None),
        "file_format": (FormatOption, "source"),
        "suffix": (SuffixOption, ""),
        "overwrite": (OverwriteOption, False),
        "embed": (EmbedOption, False),
        "bag": (BagOption, False),
        "time_limit_s": (TimeLimitOption, None),
        "redo_all": (RedoOption, False),
        "retry_failed": (RetryOption, False),
        "retry": (RetryListOption, None),
        "only": (OnlyOption, None),
        "take_over": (TakeOverOption, False),
    }
)
"""Type and default of each option that is given to commands, in the order of their help."""

_TYPED: Mapping[str, str] = MappingProxyType(
    {
        "source": "SRC",
        "output": "OUT",
        "tile_px": "--tile",
        "file_format": "--format",
        "time_limit_s": "--time-limit",
        "redo_all": "--all",
    }
)


def as_typed(name: str) -> str:
    """What is typed for the parameter of a flow: `--time-limit` for `time_limit_s`."""
    return _TYPED.get(name, f"--{name.replace('_', '-')}")


def with_options(*names: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command that takes `**options` the shared options so called, or all of them.

    Typer reads options off a signature, so that each command would have to repeat them there.
    """
    given = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)
        for name, (annotation, default) in SHARED.items()
        if not names or name in names
    ]

    def extend(command: Callable[..., None]) -> Callable[..., None]:
        signature = inspect.signature(command)
        *own, _ = signature.parameters.values()
        command.__signature__ = signature.replace(parameters=[*own, *given])  # type: ignore[attr-defined]
        command.__annotations__ |= {option.name: option.annotation for option in given}
        return command

    return extend
