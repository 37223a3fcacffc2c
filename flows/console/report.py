"""Results as tables on the console."""

import sys
from collections.abc import Iterable, Sequence

import pyarrow as pa
import pyarrow.compute as pc
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from dip.configuration.vocabulary import TableFormat
from dip.errors import ConfigurationError
from dip.storage import Location
from dip.storage.part_files import read_parts, read_rows
from dip.storage.results import ROW_SCHEMA
from flows.batch import BatchSummary
from flows.console.exports import NOT_EXPORTED, export
from flows.demo import DemoImage
from flows.masks import MasksSummary
from flows.plan import Plan
from flows.progress import printable
from flows.report import means
from flows.report.build import Report
from flows.runs.accounts import incomplete_runs, no_rows, unfinished
from flows.runs.bag import results_of
from flows.runs.premis import SINGLE, WHOLE, PremisSummary
from flows.runs.verification import Verification
from flows.study import StudySummary

ROWS_SHOWN = 200
PLAIN_WIDTH = 160
_SHOWN = ["image_id", "status", "psnr_degraded_db", "psnr_db", "ssim", "stop_iteration", "seconds"]
_TITLES = ["image", "status", "degraded dB", "restored dB", "SSIM", "stop", "seconds"]


def print_results(output: Location) -> None:
    """Print the rows of an output, and the means of each protocol.

    Raises:
        StorageError: there are no results, or they cannot be read.
    """
    rows = _rows(output, list(dict.fromkeys([*_SHOWN, *means.NEEDED])))
    shown = rows.slice(0, ROWS_SHOWN).select(_SHOWN).to_pylist()
    _print_table(_TITLES, (list(row.values()) for row in shown))
    if rows.num_rows > ROWS_SHOWN:
        print(f"… and {rows.num_rows - ROWS_SHOWN} more rows in {output.url}/metrics")
    _print_means(rows)
    for account in incomplete_runs(output):
        print(
            f"{len(account.open_images)} of {account.total} images of the run {account.run_id} have no row "
            f"(yet): {printable(account.without_row)}. The line that began it continues it."
        )


def print_means(output: Location, by: Sequence[str], form: TableFormat) -> None:
    """Print the means of restored images, by what tells them apart.

    Raises:
        ConfigurationError: there is no such column.
        StorageError: there are no results, or they cannot be read.
    """
    known = [name for name in ROW_SCHEMA.names if name not in NOT_EXPORTED]
    unknown = [name for name in by if name not in known]
    if unknown:
        raise ConfigurationError(f"Expected columns of the rows (--by), such as {means.BY}; got {unknown}.")
    table = means.means_of(_rows(output, list(dict.fromkeys([*by, *means.NEEDED]))), by)
    if form == "table":
        _print_table(table.column_names, (list(row.values()) for row in table.to_pylist()))
    else:
        export(table, form)


def export_results(output: Location, form: TableFormat, failed: bool) -> None:
    """Write all rows, or those of what is not restored, for other programs.

    Raises:
        StorageError: there are no results, or they cannot be read.
    """
    rows = _rows(output, [name for name in ROW_SCHEMA.names if name not in NOT_EXPORTED])
    export(rows.filter(pc.not_equal(rows["status"], "restored")) if failed else rows, form)


def print_failures(output: Location, run_id: str | None = None) -> None:
    """Print what is not restored, and why; of one run, if it is named.

    Raises:
        StorageError: there are no results, or they cannot be read.
    """
    columns = ["image_id", "status", "error_message"]
    # A run has one row of each image: there is no older one to tell it from, so its rows can pass by.
    tables = [_rows(output, columns)] if run_id is None else read_parts(output, columns, run_id)
    count = 0
    for table in tables:
        for row in table.filter(pc.not_equal(table["status"], "restored")).to_pylist():
            print(f"{row['status']}: {printable(row['image_id'])}: {printable(row['error_message'] or '')}")
            count += 1
    if not count:
        print("No image has failed, and none was skipped.")


def print_plan(plan: Plan, lists_left_out: bool) -> None:
    """Print what a run would do, and if asked which files it would leave out."""
    for prospect in plan.prospects:
        if prospect.status != "restored":
            print(f"{prospect.status}: {printable(prospect.image_id)}: {printable(prospect.reason or '')}")
    for name in plan.left_out if lists_left_out else ():
        print(f"left out: {printable(name)}")
    open_images = plan.to_restore
    megapixels = sum(sum(prospect.pixels) for prospect in open_images) / 1e6
    pages = sum(len(prospect.pixels) for prospect in open_images)
    gigabytes = sum(prospect.size_bytes for prospect in open_images) / 1e9
    told_pages = f"{pages} pages in those to restore. " if pages > len(open_images) else ""
    others = {status: sum(p.status == status for p in plan.prospects) for status in ("failed", "skipped")}
    print(
        f"{len(plan.prospects)} images: {len(open_images)} to restore, {others['failed']} would fail, "
        f"{others['skipped']} would be skipped. {told_pages}{megapixels:.2f} megapixels to make, "
        f"{gigabytes:.3f} GB before compression."
    )
    if plan.left_out and not lists_left_out:
        print(f"{len(plan.left_out)} files are left out (--left-out lists them).")
    if plan.device_hours is not None:
        print(
            f"At most about {plan.device_hours:.2f} hours of one {plan.device} worker of this machine "
            f"({plan.iterations} iterations; most images stop sooner)."
        )


def print_masks(summary: MasksSummary) -> None:
    """Print what became of proposed masks."""
    for outcome in summary.failures:
        print(f"failed: {printable(outcome.image_id)}: {printable(outcome.error_message or '')}")
    print(
        f"{summary.proposed} masks proposed, {summary.empty} images without visible damage, "
        f"{len(summary.failures)} failed, {summary.kept} masks kept that were there. "
        f"Look through {summary.output}/overlays before you use {summary.output}/masks"
    )


def print_verification(output: Location, verification: Verification) -> None:
    """Print what is wrong with an output's restored images, and what was looked at."""
    for finding in verification.findings:
        print(f"{finding.problem}: {printable(finding.name)}")
    checked = [f"{verification.files} files of {output.url}/images"]
    if verification.embedded:
        checked.append(f"{verification.embedded} images embedded in {output.url}/metrics")
    findings = verification.findings
    verdict = f"{len(findings)} problems" if findings else "all as they were written"
    print(f"{' and '.join(checked)}: {verdict}.")


def print_premis(summary: PremisSummary) -> None:
    """Print what was told in PREMIS."""
    print(
        f"{summary.written} documents written, {summary.kept} kept that were there: "
        f"{summary.output.url}/{SINGLE}. One of all: {summary.output.url}/{WHOLE}"
    )


def print_compaction(output: Location, before: int, after: int) -> None:
    """Print what became of an output's part files.

    Raises:
        StorageError: the output cannot be read.
    """
    print(f"{before} files of rows and curves became {after}. {unfinished(results_of(output))}".rstrip())


def print_summary(summary: BatchSummary) -> None:
    """Print what became of a run."""
    if summary.vanished:
        print(f"{summary.vanished} images with a result are not in the source any more.")
    if summary.left_out:
        print(f"{summary.left_out} files are left out (dip plan … --left-out lists them).")
    if summary.failed_earlier:
        print(f"{summary.failed_earlier} images failed earlier; --retry-failed tries them again.")
    if summary.run_id is None:
        print(f"Nothing to do: every image has a result in {summary.output}.")
    else:
        counts = f"{summary.restored} restored, {summary.failed} failed, {summary.skipped} skipped"
        print(f"{counts}. Results: {summary.output} (dip results shows them)")
    if summary.report is not None:
        print(f"Open {summary.report}")


def print_demo(images: Sequence[DemoImage]) -> None:
    """Print the demo's table."""
    titles = ["image", "damage", "degraded dB", "restored dB", "gain dB", "biharmonic fill dB", "seconds"]
    rows = (
        [
            i.name,
            i.damage,
            i.psnr_degraded_db,
            i.psnr_db,
            i.psnr_db - i.psnr_degraded_db,
            i.psnr_fill_db,
            i.seconds,
        ]
        for i in images
    )
    _print_table(titles, rows)
    if images:
        print(f"Look at {images[0].contact_sheet}, and open {images[0].report}")


def print_report(report: Report) -> None:
    """Print what became of a report."""
    parts = [f"{report.images} images", f"{report.shown} with pictures, {report.made} of them new"]
    if report.tabled < report.images:
        parts.insert(1, f"{report.tabled} in the table")
    print(f"{', '.join(parts)}. Open {report.url}")


def print_study(summary: StudySummary) -> None:
    """Print what a study found, and what it did not."""
    shown = summary.shown.slice(0, ROWS_SHOWN)
    if shown.num_rows:
        _print_table(shown.column_names, (list(row.values()) for row in shown.to_pylist()))
    for label, reason in summary.failures:
        print(f"failed: {printable(label)}: {printable(reason)}")
    print(f"Tables and plots: {summary.output}" if shown.num_rows else "Nothing was found, nothing written.")


def _rows(output: Location, columns: list[str]) -> pa.Table:
    rows = read_rows(output, columns)
    if not rows.num_rows:
        raise no_rows(output)
    return rows


def _print_means(rows: pa.Table) -> None:
    table = means.means_of(rows)
    named = [name for name in table.column_names if table[name].null_count < table.num_rows]
    if table.num_rows:
        _print_table(named, (list(row.values()) for row in table.select(named).to_pylist()))
    histogram = means.histogram_of(pc.subtract(rows["psnr_db"], rows["psnr_degraded_db"]))
    if histogram:
        print(f"gain in dB, least to largest: {histogram}")
    counts = pc.value_counts(rows["status"]).to_pylist()
    print(", ".join(f"{entry['counts']} {entry['values']}" for entry in counts))


def _print_table(titles: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    table = Table(*(Column(title, overflow="fold") for title in titles))
    for row in rows:
        table.add_row(*(Text(_cell(value)) for value in row))
    # In a pipe or a file there is no edge to fold a line at.
    Console(width=None if sys.stdout.isatty() else PLAIN_WIDTH).print(table)


def _cell(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.2f}" if abs(value) >= 1 else f"{value:.4f}"
    return "" if value is None else printable(str(value))
