"""The command line: parse, call a flow, print. Flows are imported when they are called."""

import os
from pathlib import Path
from typing import Annotated, Any

import typer

from flows.console.calls import called, refusals
from flows.console.home import have_a_home
from flows.console.options import with_options
from flows.parameters import (
    ArchiveParameters,
    BatchParameters,
    BenchmarkParameters,
    MasksParameters,
    OutputParameters,
    PlanParameters,
    ReportParameters,
    ResultsParameters,
    StudyParameters,
)

PROPOSE_ON = "Interrupted. Masks that are made are kept; the same line makes the others."
STUDY_AGAIN = "Interrupted. Nothing is kept of a study that has not ended."

NOT_PLANNED = ("seed",)
"""What changes nothing of a plan."""

NOT_STUDIED = (
    "protocol", "poisson", "impulse", "jpeg", "kernel", "method", "weights", "restarts", "tile_px", "depth",
    "upsampling", "dropout", "input_channels", "input_noise", "learning_rate", "data_term", "stop",
    "noise_level", "start", "strength",
)  # fmt: skip
"""What studies vary themselves, or have no use for."""

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
@with_options(ArchiveParameters)
def restore(asked: ArchiveParameters) -> None:
    """Restore all images below SRC and write them, with a table of results, to OUT.

    OUT/images mirrors SRC, OUT/metrics holds one Parquet row per image. The same line continues an
    interrupted run, and restores what has come since a finished one.
    """
    from flows.archive import restore_archive

    _run(restore_archive, asked)


@app.command(
    epilog="Examples: `dip evaluate kodak results --task denoise --sigma 25`; "
    "`dip evaluate kodak holes --task inpaint --missing 0.5`"
)
@with_options(BenchmarkParameters)
def evaluate(asked: BenchmarkParameters) -> None:
    """Damage the references below SRC, restore them, and evaluate how well that went.

    Beside what a restoration writes, OUT/degraded holds what each image was restored from.
    """
    from flows.benchmark import evaluate_benchmark

    _run(evaluate_benchmark, asked)


@app.command(epilog="Example: `dip results restored --failed`")
@with_options(ResultsParameters)
def results(asked: ResultsParameters) -> None:
    """Print the table of results and its means."""
    from flows.console.report import export_results, print_failures, print_means, print_results
    from flows.runs.bag import results_of

    with refusals():
        location = results_of(asked.location(asked.output))
        if asked.by is not None:
            print_means(location, asked.by.split(","), asked.form)
        elif asked.form != "table":
            export_results(location, asked.form, asked.failed)
        else:
            (print_failures if asked.failed else print_results)(location)


@app.command(epilog="Example: `dip plan scans --task denoise`")
@with_options(PlanParameters, without=NOT_PLANNED)
def plan(asked: PlanParameters) -> None:
    """Say what `dip restore` would do with SRC, and how long that might take. Nothing is written.

    Every image is read; a few iterations on this machine tell the time.
    """
    from flows.console.report import print_plan
    from flows.plan import plan_archive

    print_plan(plan_archive(asked), asked.lists_left_out)


@app.command(epilog="Example: `dip masks scans proposed`, then `dip restore … --masks proposed/masks`")
@with_options(MasksParameters)
def masks(asked: MasksParameters) -> None:
    """Propose masks of cracks, scratches, dust and losses, with overlays to look through.

    A mask that is in OUT already is kept. An image without damage gets an empty mask. OUT/masks.csv has a row
    for each image.
    """
    from flows.console.report import print_masks
    from flows.masks import propose_masks

    summary = called(propose_masks, asked, PROPOSE_ON)
    print_masks(summary)
    if summary.failures:
        raise typer.Exit(1)


@app.command(epilog="Example: `dip verify restored`")
@with_options(OutputParameters)
def verify(asked: OutputParameters) -> None:
    """Check restored images and their sidecars against the rows: what is missing, changed or extra.

    Exits with 1 if there is any of it. Embedded images are checked, too; masks, degraded images and
    uncertainties are not.
    """
    from flows.console.report import print_verification
    from flows.runs.bag import results_of
    from flows.runs.verification import verify as verify_output

    location = results_of(asked.location(asked.output))
    verification = verify_output(location)
    print_verification(location, verification)
    if verification.findings:
        raise typer.Exit(1)


@app.command(epilog="Example: `dip premis restored`")
@with_options(OutputParameters)
def premis(asked: OutputParameters) -> None:
    """Tell in PREMIS 3 what was done to each image: OUT/metadata, as Archivematica imports it.

    Nothing that a run wrote changes, and a bag stays valid. The same line goes on with what was interrupted.
    """
    from flows.console.report import print_premis
    from flows.runs.premis import write_premis

    print_premis(write_premis(asked.location(asked.output)))


@app.command(epilog="Example: `dip compact restored`")
@with_options(OutputParameters)
def compact(asked: OutputParameters) -> None:
    """Join the many small Parquet files of finished runs to few large ones, with the same rows."""
    from flows.console.report import print_compaction
    from flows.runs.compaction import join_parts

    location = asked.location(asked.output)
    print_compaction(location, *join_parts(location))


@app.command(epilog="Examples: `dip report restored --open`; `dip report first second --to compared`")
@with_options(ReportParameters)
def report(asked: ReportParameters) -> None:
    """Make a page on which results are looked at, compared and decided on.

    It opens from disk and from any web server. Nothing else of OUT changes; the same line goes on with what
    was interrupted.
    """
    from flows.console.report import print_report
    from flows.console.reporting import open_page, report_on

    made = report_on(asked)
    print_report(made)
    if asked.opens:
        open_page(made)


@app.command(
    epilog="Examples: `dip study curves kodak impedance`; "
    "`dip study stopping kodak stops --task inpaint --missing 0.5`"
)
@with_options(StudyParameters, first=["study"], without=NOT_STUDIED)
def study(asked: StudyParameters) -> None:
    """Study the method itself on the references below SRC; tables and plots go to OUT.

    **curves**: the loss against the iteration, for the image, the image with noise, its pixels shuffled,
    and white noise. **snapshots**: outputs at chosen iterations, with and without the network.
    **stopping**: where the stop rules stop, and what that costs. **architectures**: all networks.
    """
    from flows.console.report import print_study
    from flows.study import run_study

    summary = called(run_study, asked, STUDY_AGAIN)
    print_study(summary)
    if summary.failures:
        raise typer.Exit(1)


@app.command(epilog="Example: `dip draw pictures --count 12`")
def draw(
    output: Annotated[Path, typer.Argument(metavar="OUT", help="Folder that the pictures go to.")],
    count: Annotated[int, typer.Option("--count", min=1, help="How many.")] = 12,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of the first; the others' follow.")] = 0,
    side_px: Annotated[int, typer.Option("--side", metavar="PX", min=16, help="Rows and columns.")] = 256,
) -> None:
    """Draw pictures as starts are educated on: nothing in them was photographed."""
    from flows.education import draw_pictures

    with refusals():
        written = draw_pictures(output, count, seed, side_px)
    typer.echo(f"{len(written)} pictures in {output}")


@app.command(epilog="Example: `dip educate my-start --damage grain,jpeg --start shipped --steps 5000`")
def educate(
    output: Annotated[Path, typer.Argument(metavar="OUT", help="Folder of the start, and of its state.")],
    task: Annotated[str, typer.Option("--task", help="denoise, super-resolution or masks.")] = "denoise",
    damage: Annotated[
        str, typer.Option("--damage", metavar="NAME,…", help="What to teach for denoise.")
    ] = "white,grain,jpeg,holes",
    steps: Annotated[int, typer.Option("--steps", min=1, help="Batches, earlier sittings counted.")] = 20000,
    seed: Annotated[int, typer.Option("--seed", min=0, max=999, help="Of weights and lessons.")] = 0,
    start: Annotated[
        str | None,
        typer.Option("--start", metavar="FILE", help="A start to go on from; `shipped` for the package's."),
    ] = None,
    device: Annotated[str, typer.Option("--device", help="auto, cpu or cuda.")] = "auto",
) -> None:
    """Educate a start on drawn pictures, for `--start`; the same line goes on where it was interrupted.

    Each 500 steps the state is saved, and examined on pictures that were held back.
    """
    from flows.education import educate_start

    def tell(step: int, scores: dict[str, float]) -> None:
        unit = "%" if task == "masks" else "dB"
        told = ", ".join(f"{kind}: {score} {unit}" for kind, score in scores.items())
        typer.echo(f"step {step} of {steps}  {told}")

    with refusals():
        made = educate_start(output, task, tuple(damage.split(",")), steps, seed, device, start, tell)
    typer.echo(f"The start is {made}: dip restore … --start {made}")


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


def _run(flow: Any, asked: BatchParameters) -> None:
    """Call a flow, print what became of it, and exit."""
    from flows.console.report import print_failures, print_summary

    summary = called(flow, asked)
    print_summary(summary)
    if summary.failed:
        print_failures(asked.results, summary.run_id)
        raise typer.Exit(1)


def main() -> None:
    """Entry point of the `dip` command. What a user can have caused ends it with a sentence."""
    with refusals():
        app(prog_name="dip")


if __name__ == "__main__":
    main()
