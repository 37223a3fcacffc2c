"""Lists of images that a person has made: of all that is to be done, what is to be done now, or again."""

import csv
import io

from dip.errors import ConfigurationError
from dip.storage import Location

NAME, DECISION, AGAIN = "image_id", "decision", "again"


def read_chosen(file: Location) -> list[str]:
    """The images that a file names, each once, in its order.

    It is a table (CSV) with a column `image_id`, as `dip results --format csv` and the page of a report
    save it, or a text with one name a line. Of a table with a column `decision`, only what is marked
    `again` is meant.

    Raises:
        ConfigurationError: it names no image.
        StorageError: it cannot be read.
    """
    text = file.read("").decode("utf-8-sig", errors="replace")
    names = _in_table(text) if _is_table(text) else [line.strip() for line in text.splitlines()]
    chosen = list(dict.fromkeys(name for name in names if name))
    if not chosen:
        raise ConfigurationError(
            f"Expected names of images in {file.url}: a table with the column {NAME}, or one name a line. "
            f"Of a table with the column {DECISION}, only what is marked {AGAIN} counts. There is none."
        )
    return chosen


def _is_table(text: str) -> bool:
    header = next(csv.reader(io.StringIO(text)), [])
    return NAME in header


def _in_table(text: str) -> list[str]:
    rows = csv.DictReader(io.StringIO(text, newline=""))
    return [row[NAME] or "" for row in rows if row.get(DECISION, AGAIN) == AGAIN]
