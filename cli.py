"""The command line: parse, call a flow, print. Flows are imported when they are called."""

import os
from typing import Annotated, Any

import typer

from dip.configuration.tables import STUDIES
from dip.configuration.vocabulary import ProtocolName, StudyName
from flows.console.calls import called, location_of, parameters_of, refusals
from flows.console.home import have_a_home
from flows.console.options import (
    DamageOption,
    GuidesOption,
    MaskOption,
    MasksOption,
    MissingOption,
    NoiseFloorOption,
    Output,
    SigmaOption,
    Source,
    StorageOption,
    TaskOption,
    with_options,
)

PROPOSE_ON = "Interrupted. Masks that are made are kept; the same line makes the others."

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    epilog="Exit codes: 0 all images restored, 1 some failed, 2 the run could not be done, 130 interrupted.",
)


@app.callback()
def prepare() -> None:
    """Restore whole collections of images with Deep Image Prior: no training data, no weights.

    An untrained network is fitted to each damaged image and stops by itself before it learns the
    damage. Try `dip demo` first.
    """
    # A run shows its own progress; Prefect's console log would be written across it.
    os.environ.setdefault("PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL", "CRITICAL")
    have_a_home()


@app.command(
    epilog="Examples: `dip restore scans restored --task inpaint --masks scratches`; "
    "`dip restore s3://archive/scans s3://archive/restored --task denoise`"
)
@with_options()
def restore(
    source: Source,
    output: Output,
    task: TaskOption,
    masks: MasksOption = None,
    guides: GuidesOption = None,
    damage: DamageOption = "white",
    noise_floor: NoiseFloorOption = None,
    **options: Any,
) -> None:
    """Restore all images below SRC and write them, with a table of results, to OUT.

    OUT/images mirrors SRC, OUT/metrics holds one Parquet row per image. The same line continues an
    interrupted run, and restores what has come since a finished one.
    """
    asked = locals()
    from flows.archive import restore_archive
    from flows.parameters import ArchiveParameters

    _run(restore_archive, ArchiveParameters, asked)


@app.command(
    epilog="Examples: `dip evaluate kodak results --task denoise --sigma 25`; "
    "`dip evaluate kodak holes --task inpaint --missing 0.5`"
)
@with_options()
def evaluate(
    source: Source,
    output: Output,
    task: TaskOption,
    protocol: Annotated[
        ProtocolName | None, typer.Option("--protocol", help="How it is done, else the task's usual one.")
    ] = None,
    sigma: SigmaOption = None,
    poisson: Annotated[
        float | None, typer.Option("--poisson", metavar="N", help="Shot noise of N photons per bright pixel.")
    ] = None,
    impulse: Annotated[
        float | None,
        typer.Option("--impulse", metavar="SHARE", help="Share of values made black or white."),
    ] = None,
    jpeg: Annotated[
        int | None, typer.Option("--jpeg", metavar="QUALITY", help="Artifacts of a JPEG compression.")
    ] = None,
    missing: MissingOption = None,
    mask: MaskOption = None,
    **options: Any,
) -> None:
    """Damage the references below SRC, restore them, and evaluate how well that went.

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
    from flows.console.report import print_failures, print_results
    from flows.runs.bag import results_of

    with refusals():
        location = results_of(location_of(output, storage_options))
        (print_failures if failed else print_results)(location)


PLAN_OPTIONS = (
    "scale", "kernel", "method", "weights", "preset", "restarts", "max_iterations", "tile_px", "network",
    "width", "depth", "upsampling", "dropout", "input_channels", "input_noise", "learning_rate", "data_term",
    "tv", "stop", "noise_level", "device", "storage_options", "exclude",
)  # fmt: skip


@app.command(epilog="Example: `dip plan scans --task denoise`")
@with_options(*PLAN_OPTIONS)
def plan(
    source: Source,
    task: TaskOption,
    masks: MasksOption = None,
    guides: GuidesOption = None,
    damage: DamageOption = "white",
    noise_floor: NoiseFloorOption = None,
    left_out: Annotated[bool, typer.Option("--left-out", help="List the files that are left out.")] = False,
    **options: Any,
) -> None:
    """Say what `dip restore` would do with SRC, and how long that might take. Nothing is written.

    Every image is read; a few iterations on this machine tell the time.
    """
    asked = locals() | {"output": os.devnull}
    del asked["left_out"]
    from flows.console.report import print_plan
    from flows.parameters import ArchiveParameters
    from flows.plan import plan_archive

    with refusals():
        print_plan(plan_archive(parameters_of(ArchiveParameters, asked)), left_out)


@app.command(epilog="Example: `dip masks scans proposed`, then `dip restore … --masks proposed/masks`")
@with_options("exclude", "workers", "scheduler", "storage_options")
def masks(source: Source, output: Output, **options: Any) -> None:
    """Propose masks of scratches and dust on worn scans, with overlays to look through.

    A mask that is in OUT already is kept. An image without much damage gets an empty mask.
    """
    asked = locals()
    from flows.console.report import print_masks
    from flows.masks import propose_masks
    from flows.method_parameters import WorkParameters

    summary = called(propose_masks, parameters_of(WorkParameters, asked), PROPOSE_ON)
    print_masks(summary)
    if summary.failures:
        raise typer.Exit(1)


@app.command(epilog="Example: `dip verify restored`")
def verify(
    output: Annotated[str, typer.Argument(metavar="OUT", help="Folder or URL of the results.")],
    storage_options: StorageOption = None,
) -> None:
    """Check restored images and their sidecars against the rows: what is missing, changed or extra.

    Exits with 1 if there is any of it. Embedded images are checked, too; masks, degraded images and
    uncertainties are not.
    """
    from flows.console.report import print_verification
    from flows.runs.bag import results_of
    from flows.runs.verification import verify as verify_output

    with refusals():
        location = results_of(location_of(output, storage_options))
        verification = verify_output(location)
    print_verification(location, verification)
    if verification.findings:
        raise typer.Exit(1)


@app.command(epilog="Example: `dip compact restored`")
def compact(
    output: Annotated[str, typer.Argument(metavar="OUT", help="Folder or URL of the results.")],
    storage_options: StorageOption = None,
) -> None:
    """Join the many small Parquet files of finished runs to few large ones, with the same rows."""
    from flows.console.report import print_compaction
    from flows.runs.compaction import join_parts

    with refusals():
        location = location_of(output, storage_options)
        print_compaction(location, *join_parts(location))


@app.command(epilog="Examples: `dip report restored --open`; `dip report first second --to compared`")
def report(
    output: Annotated[str, typer.Argument(metavar="OUT", help="Folder or URL of the results.")],
    other: Annotated[
        str | None, typer.Argument(metavar="OTHER", help="Results over the same source, to compare with.")
    ] = None,
    to: Annotated[
        str | None, typer.Option("--to", metavar="URL", help="Where the report goes, else OUT/report.")
    ] = None,
    sample: Annotated[
        str, typer.Option("--sample", metavar="N", help="Images shown that nothing is wrong with, or all.")
    ] = "200",
    opens: Annotated[bool, typer.Option("--open", help="Show it in the browser.")] = False,
    storage_options: StorageOption = None,
) -> None:
    """Make a page on which results are looked at, compared and decided on.

    It opens from disk and from any web server. Nothing else of OUT changes; the same line goes on with what
    was interrupted.
    """
    from flows.console.report import print_report
    from flows.console.reporting import open_page, report_on, sample_size

    with refusals():
        size = sample_size(sample)
        first = location_of(output, storage_options)
        second, place = (None if url is None else location_of(url, storage_options) for url in (other, to))
    made = report_on(first, second, place, size)
    print_report(made)
    if opens:
        open_page(made)


STUDY_OPTIONS = (
    "scale", "preset", "seed", "max_iterations", "network", "width", "tv",
    "device", "workers", "scheduler", "storage_options", "take_over",
)  # fmt: skip


@app.command(
    epilog="Examples: `dip study curves kodak impedance`; "
    "`dip study stopping kodak stops --task inpaint --missing 0.5`"
)
@with_options(*STUDY_OPTIONS)
def study(
    study: Annotated[StudyName, typer.Argument(metavar="STUDY", help=f"One of {', '.join(STUDIES)}.")],
    source: Source,
    output: Output,
    task: TaskOption = "denoise",
    sigma: SigmaOption = None,
    missing: MissingOption = None,
    mask: MaskOption = None,
    snapshots: Annotated[
        str | None,
        typer.Option(
            "--snapshots",
            metavar="N,N,…",
            help="Iterations to look at, for snapshots; else 0,300,900,1900.",
        ),
    ] = None,
    **options: Any,
) -> None:
    """Study the method itself on the references below SRC; tables and plots go to OUT.

    **curves**: the loss against the iteration, for the image, the image with noise, its pixels shuffled,
    and white noise. **snapshots**: outputs at chosen iterations, with and without the network.
    **stopping**: where the stop rules stop, and what that costs. **architectures**: all networks.
    """
    asked = locals()
    from flows.console.report import print_study
    from flows.study import StudyParameters, run_study

    parameters = parameters_of(StudyParameters, asked)
    summary = called(run_study, parameters, "Interrupted. Nothing is kept of a study that has not ended.")
    print_study(summary)
    if summary.failures:
        raise typer.Exit(1)


@app.command(epilog="Example: `dip demo`")
def demo(
    output: Annotated[str, typer.Argument(metavar="OUT", help="Folder of the results.")] = "dip-demo",
) -> None:
    """Damage, restore and evaluate a few photographs, and draw a contact sheet of them.

    The photographs come with scikit-image. It takes a few minutes on two cores.
    """
    from flows.console.report import print_demo
    from flows.demo import restore_demo

    print_demo(called(restore_demo, output))


def _run(flow: Any, model: Any, asked: dict[str, Any]) -> None:
    """Call a flow with the options of the command line, print what became of it, and exit."""
    from flows.console.report import print_failures, print_summary

    parameters = parameters_of(model, asked)
    summary = called(flow, parameters)
    print_summary(summary)
    if summary.failed:
        print_failures(parameters.results, summary.run_id)
        raise typer.Exit(1)


def main() -> None:
    """Entry point of the `dip` command."""
    app(prog_name="dip")


if __name__ == "__main__":
    main()
