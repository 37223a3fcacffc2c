"""The command `dip report`: a page on one output, on two side by side, or on a study."""

import webbrowser

from dip.errors import ConfigurationError
from dip.storage import Location
from flows.console.calls import interruptible
from flows.console.display import displayed_count
from flows.parameters import ReportParameters
from flows.report.build import Contents, Report, make_report
from flows.report.comparison import Comparison
from flows.report.one_output import OutputReport
from flows.report.place import check_place, default_place
from flows.report.studied import StudyReport, is_study

GO_ON = "Interrupted. Pictures that are made are kept; the same line makes the others."


def report_on(asked: ReportParameters) -> Report:
    """Make the report on an output, on two, or on a study.

    Raises:
        DipError: it could not be made so.
    """
    output = asked.location(asked.output)
    other, to = (None if url is None else asked.location(url) for url in (asked.other, asked.to))
    if other is not None and to is None:
        raise ConfigurationError("Expected a folder or URL for the comparison of two outputs (--to).")
    with interruptible(GO_ON):
        contents = _contents(output, other, asked.sample)
        folder = default_place(output) if to is None else to
        check_place(folder, contents.places)
        with displayed_count("pictures") as tell:
            return make_report(contents, folder, tell)


def _contents(output: Location, other: Location | None, sample: int | None) -> Contents:
    if other is not None:
        return Comparison((output, other), sample)
    return StudyReport(output) if is_study(output) else OutputReport({"": output}, sample)


def open_page(report: Report) -> None:
    """Show a report in the browser."""
    url = report.url if "://" in report.url else f"file://{report.url}"
    if not webbrowser.open(url):
        print("There is no browser here to open it with.")
