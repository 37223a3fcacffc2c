"""The page itself: a template, and the style and scripts that lie beside it."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined

import dip
from dip.storage import Location
from flows.report.columns import Column, described
from flows.report.head import Head
from flows.report.scripts import ROWS_PER_SCRIPT, script
from flows.report.selection import Group

SCRIPTS = (
    "store.js",
    "decisions.js",
    "curve.js",
    "stage.js",
    "viewer.js",
    "table.js",
    "gallery.js",
    "main.js",
)
"""In the order in which they are loaded."""
STYLE, ICON = "report.css", "icon.svg"
FILES = ("index.html", "page", "previews", "rows")
"""All that lies in the folder of a report."""

POLICY = "; ".join(
    [
        "default-src 'none'",
        # `'self'` is the server's; on a disk there is none, and what lies there is `file:`.
        "script-src 'self' file:",
        "style-src 'self' file:",
        "img-src 'self' file:",
        "base-uri 'none'",
        "form-action 'none'",
        # No text becomes markup or code, whatever a script does with it.
        "require-trusted-types-for 'script'",
        "trusted-types dip-scripts",
    ]
)


def write_page(
    head: Head, columns: Sequence[Column], groups: Sequence[Group], counts: tuple[int, int], folder: Location
) -> None:
    """Write the page and what it loads; the page itself comes last.

    Args:
        head: what stands above the images.
        columns: of the rows' scripts.
        groups: of images.
        counts: rows of the output, and rows of the table.
        folder: the report's.

    Raises:
        StorageError: it cannot be written.
    """
    for name in (*SCRIPTS, STYLE, ICON):
        folder.write(f"page/{name}", files(__package__).joinpath("page", name).read_bytes())
    told = {
        "decides": head.decides,
        "columns": described(columns),
        "groups": [{"name": g.name, "title": g.title, "total": len(g.indices)} for g in groups],
        "rows": counts[1],
        "scripts": -(-counts[1] // ROWS_PER_SCRIPT),
    }
    folder.write("page/page.js", script("page", told))
    folder.write("index.html", _rendered(head, counts).encode())


def _rendered(head: Head, counts: tuple[int, int]) -> str:
    environment = Environment(
        loader=PackageLoader("flows.report", "page"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("index.html.jinja").render(
        **asdict(head),
        policy=POLICY,
        scripts=SCRIPTS,
        style=STYLE,
        images=counts[0],
        tabled=counts[1],
        version=dip.__version__,
        made_at=f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
    )
