"""The command `dip report`: a page on one output, or on two side by side."""

import webbrowser

from dip.errors import ConfigurationError
from dip.storage import Location
from flows.console.calls import interruptible, refusals
from flows.console.display import displayed_count
from flows.report.build import Report, make_report
from flows.report.comparison import Comparison
from flows.report.one_output import OutputReport
from flows.report.place import check_place, default_place

GO_ON = "Interrupted. Pictures that are made are kept; the same line makes the others."


def report_on(output: Location, other: Location | None, to: Location | None, sample: int | None) -> Report:
    """Make the report on an output, or on two; what a user can have caused ends the program."""
    with interruptible(GO_ON), refusals():
        if other is not None and to is None:
            raise ConfigurationError("Expected a folder or URL for the comparison of two outputs (--to).")
        contents = (
            OutputReport({"": output}, sample) if other is None else Comparison((output, other), sample)
        )
        folder = default_place(output) if to is None else to
        check_place(folder, contents.subjects)
        with displayed_count("pictures") as tell:
            return make_report(contents, folder, tell)


def sample_size(text: str) -> int | None:
    """How many images are chosen at random; None for all.

    Raises:
        ConfigurationError: it is neither a number nor `all`.
    """
    if text == "all":
        return None
    if not text.isdecimal():
        raise ConfigurationError(f"Expected --sample to be a number of images, or all; got {text!r}.")
    return int(text)


def open_page(report: Report) -> None:
    """Show a report in the browser."""
    url = report.url if "://" in report.url else f"file://{report.url}"
    if not webbrowser.open(url):
        print("There is no browser here to open it with.")
