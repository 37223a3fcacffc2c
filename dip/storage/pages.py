"""From the rows of a file's pages to the one row of the file."""

from collections.abc import Sequence

import numpy as np

from dip.storage.results import PAGE, Row

_OF_THE_FIRST = (
    *("height_px", "width_px", "channels", "bit_depth", "tile_px", "device"),
    *("stop_iteration", "stop_rule", "stop_reason"),
)
_MEANS = (
    *("noise_sigma", "noise_size_px", "restored_share"),
    *("mean_absolute_change", "changed_share", "masked_share"),
)
"""Over the pages' pixels."""
_SUMS = ("tiles", "iterations")


def tell_of_pages(row: Row, pages: Sequence[Row]) -> None:
    """Have the row of a file tell of its pages.

    Sizes and stops are the first restored page's, as its curve is; tiles and iterations are sums;
    `colour_drift` is the largest, and every other measure is the mean over all pixels. Of a page that was
    skipped, nothing changed.

    Args:
        row: of the file.
        pages: a row of each page, restored or skipped; one at least is restored.
    """
    restored = [page for page in pages if page.status == "restored"]
    for name in _OF_THE_FIRST:
        setattr(row, name, getattr(restored[0], name))
    for name in _MEANS:
        setattr(row, name, _mean(pages, name))
    for name in _SUMS:
        known = [value for page in pages if (value := getattr(page, name)) is not None]
        setattr(row, name, sum(known) if known else None)
    row.colour_drift = max((p.colour_drift for p in pages if p.colour_drift is not None), default=None)
    kept = [page.keeps_unmasked for page in pages if page.keeps_unmasked is not None]
    row.keeps_unmasked = all(kept) if kept else None
    row.notes = list(dict.fromkeys(note for page in pages for note in page.notes or ()))
    row.pages = [
        {"page": number, **{field.name: getattr(page, field.name) for field in list(PAGE)[1:]}}
        for number, page in enumerate(pages, 1)
    ]


def _mean(pages: Sequence[Row], name: str) -> float | None:
    """Over the pixels of the pages where it is known."""
    known = [page for page in pages if getattr(page, name) is not None]
    if not known:
        return None
    sizes = [(page.height_px or 0) * (page.width_px or 0) for page in known]
    return float(np.average([getattr(page, name) for page in known], weights=sizes))
