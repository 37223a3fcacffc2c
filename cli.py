"""The command line: parse, call a flow, print. Flows are imported when they are called."""

import json
import os
import sys
from typing import Annotated, Any, NoReturn

import typer

from dip.vocabulary import Damage, Kernel, MaskShape, Preset, Task

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    epilog="Exit codes: 0 all images restored, 1 some failed, 2 the run could not be done.",
)

Source = Annotated[str, typer.Argument(metavar="SRC", help="Folder or URL of the images; never written to.")]
Output = Annotated[
    str, typer.Argument(metavar="OUT", help="Folder or URL of the results: a new one, or an earlier run's.")
]
TaskOption = Annotated[Task, typer.Option("--task", help="What is wrong with the images.")]
ScaleOption = Annotated[
    int, typer.Option("--scale", help="Scale factor of a super-resolution: 2, 3, 4 or 8.")
]
KernelOption = Annotated[Kernel, typer.Option("--kernel", help="Downsampling kernel of a super-resolution.")]
PresetOption = Annotated[
    Preset, typer.Option("--preset", help="A narrow network (fast), or the published one.")
]
SeedOption = Annotated[
    int, typer.Option("--seed", min=0, help="Same seed, image and options give the same bytes.")
]
IterationsOption = Annotated[
    int | None, typer.Option("--max-iterations", metavar="N", min=1, help="At most N iterations per image.")
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
EmbedOption = Annotated[
    bool, typer.Option("--embed", help="Put restored images into the Parquet rows instead of files.")
]


@app.callback()
def prepare() -> None:
    """Restore whole collections of images with Deep Image Prior: no training data, no weights.

    An untrained network is fitted to each damaged image and stops by itself before it learns the
    damage. Try `dip demo` first.
    """
    # A run shows its own progress; Prefect's console log would be written across it.
    os.environ.setdefault("PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL", "CRITICAL")
    os.environ.setdefault("PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS", "120")


@app.command(
    epilog="Examples: `dip restore scans restored --task inpaint --masks scratches`; "
    "`dip restore s3://archive/scans s3://archive/restored --task denoise`"
)
def restore(
    source: Source,
    output: Output,
    task: TaskOption,
    masks: Annotated[
        str | None,
        typer.Option("--masks", metavar="URL", help="Folder or URL of masks, mirroring SRC; for inpainting."),
    ] = None,
    damage: Annotated[
        Damage, typer.Option("--damage", help="The mask value that marks what to repair.")
    ] = "white",
    scale: ScaleOption = 4,
    kernel: KernelOption = "bicubic",
    preset: PresetOption = "fast",
    seed: SeedOption = 0,
    max_iterations: IterationsOption = None,
    device: DeviceOption = "auto",
    workers: WorkersOption = None,
    scheduler: SchedulerOption = None,
    storage_options: StorageOption = None,
    embed: EmbedOption = False,
) -> None:
    """Restore all images below SRC and write them, with a table of results, to OUT.

    OUT/images mirrors SRC as PNG files, OUT/metrics holds one Parquet row per image. The same line
    continues an interrupted run, and restores what has come since a finished one.
    """
    asked = locals()
    from flows.archive import restore_archive
    from flows.parameters import ArchiveParameters

    _run(restore_archive, ArchiveParameters, asked)


@app.command(
    epilog="Examples: `dip evaluate kodak results --task denoise --sigma 25`; "
    "`dip evaluate kodak holes --task inpaint --missing 0.5`"
)
def evaluate(
    source: Source,
    output: Output,
    task: TaskOption,
    sigma: Annotated[float, typer.Option("--sigma", help="Noise level in 8-bit units.")] = 25.0,
    clip: Annotated[bool, typer.Option("--clip", help="Clip noisy images to the range of 8 bits.")] = False,
    missing: Annotated[
        float | None, typer.Option("--missing", help="Share of missing pixels, for inpainting.")
    ] = None,
    mask: Annotated[
        MaskShape | None, typer.Option("--mask", help="Hide a shape instead, for inpainting.")
    ] = None,
    scale: ScaleOption = 4,
    kernel: KernelOption = "bicubic",
    preset: PresetOption = "fast",
    seed: SeedOption = 0,
    max_iterations: IterationsOption = None,
    device: DeviceOption = "auto",
    workers: WorkersOption = None,
    scheduler: SchedulerOption = None,
    storage_options: StorageOption = None,
    embed: EmbedOption = False,
) -> None:
    """Damage the references below SRC, restore them, and measure how well that went.

    Beside what a restoration writes, OUT/degraded holds what each image was restored from.
    """
    asked = locals()
    from flows.benchmark import evaluate_benchmark
    from flows.parameters import BenchmarkParameters

    _run(evaluate_benchmark, BenchmarkParameters, asked)


@app.command(epilog="Example: `dip results restored --failed`")
def results(
    output: Annotated[str, typer.Argument(metavar="OUT", help="Folder or URL of the results.")],
    failed: Annotated[bool, typer.Option("--failed", help="List what is not restored, and why.")] = False,
    storage_options: StorageOption = None,
) -> None:
    """Print the table of results and its means."""
    from dip.errors import DipError
    from dip.storage import Location
    from flows.report import print_failures, print_results

    try:
        location = Location(output, _json_object(storage_options))
        (print_failures if failed else print_results)(location)
    except DipError as error:
        _refuse(error)


@app.command(epilog="Example: `dip demo`")
def demo(
    output: Annotated[str, typer.Argument(metavar="OUT", help="Folder of the results.")] = "dip-demo",
) -> None:
    """Damage, restore and measure a few photographs, and draw a contact sheet of them.

    The photographs come with scikit-image. It takes a few minutes on two cores.
    """
    from flows.demo import restore_demo
    from flows.report import print_demo

    print_demo(_called(restore_demo, output))


def _run(flow: Any, model: Any, asked: dict[str, Any]) -> None:
    """Call a flow with the options of the command line, print what became of it, and exit."""
    from pydantic import ValidationError

    from dip.storage import Location
    from flows.report import print_failures, print_summary

    asked["storage_options"] = _json_object(asked["storage_options"])
    try:
        parameters = model(**asked)
    except ValidationError as error:
        _refuse("; ".join(_sentence(problem) for problem in error.errors()))
    summary = _called(flow, parameters)
    print_summary(summary)
    if summary.failed:
        print_failures(Location(summary.output, asked["storage_options"]), summary.run_id)
        raise typer.Exit(1)


def _sentence(problem: Any) -> str:
    """What is wrong with an option."""
    if not problem["loc"]:
        return str(problem["msg"])
    return f"{problem['loc'][0]}: {problem['msg']}; got {problem['input']!r}"


def _called(flow: Any, argument: Any) -> Any:
    """A flow's result; what a user can have caused ends the program with a sentence."""
    from dip.errors import DipError
    from flows.display import displayed_progress
    from flows.server import prefect_server_expected

    try:
        with displayed_progress(), prefect_server_expected():
            return flow(argument)
    except DipError as error:
        _refuse(error)
    except KeyboardInterrupt:
        typer.echo("Interrupted. What is finished is safe; the same line continues the run.", err=True)
        sys.exit(130)


def _json_object(text: str | None) -> dict[str, Any]:
    try:
        value = json.loads(text or "{}")
    except json.JSONDecodeError as error:
        _refuse(f"Expected --storage-options to be a JSON object; it is no JSON ({error}).")
    if not isinstance(value, dict):
        _refuse("Expected --storage-options to be a JSON object; got another kind of JSON.")
    return value


def _refuse(reason: object) -> NoReturn:
    typer.echo(f"Error: {reason}", err=True)
    sys.exit(2)


def main() -> None:
    """Entry point of the `dip` command."""
    app(prog_name="dip")


if __name__ == "__main__":
    main()
