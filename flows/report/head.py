"""The head of a page: what was asked, what became of it, and what can be done next."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc

from flows.progress import duration
from flows.report.means import BY, histogram_of, means_of
from flows.report.subject import Subject
from flows.runs.history import Description

Facts = list[tuple[str, str]]
_MEANS = {
    "images": ("Images", "{:,}"),
    "psnr_degraded_db": ("Input, dB", "{:.2f}"),
    "psnr_db": ("Restored, dB", "{:.2f}"),
    "gain_db": ("Gain, dB", "{:+.2f}"),
    "ssim": ("SSIM", "{:.4f}"),
    "mean_absolute_change": ("Change", "{:.2%}"),
    "seconds": ("Seconds an image", "{:.2f}"),
}
MEANS_SHOWN = 50


@dataclass(frozen=True)
class Head:
    """What stands above the images.

    Attributes:
        title: of the page.
        lead: one sentence.
        facts: what was asked, and how long it took.
        means: titles, and the rows of their table.
        commands: what a reader may want next, and the line that does it.
        pair: labels of the two outputs that are compared.
        kind: what the page is on, in a word or two.
        decides: whether images are accepted or rejected on it.
    """

    title: str
    lead: str
    facts: Facts
    means: tuple[list[str], list[list[str]]]
    commands: Facts
    pair: tuple[str, str] | None = None
    kind: str = "Restoration report"
    decides: bool = True


def head_of(subjects: Sequence[Subject], rows: pa.Table, commands: Facts) -> Head:
    """The head of the report on some outputs.

    Args:
        subjects: the outputs.
        rows: of all of them.
        commands: what can be done next.
    """
    name = subjects[0].output.url.rstrip("/").rsplit("/", 1)[-1] if len(subjects) == 1 else "Demo"
    return Head(
        title=name,
        lead=lead_of(counts_of(rows)),
        facts=[*_asked(subjects), *_took(rows)],
        means=means_table(rows),
        commands=commands,
    )


def counts_of(rows: pa.Table) -> dict[str, int]:
    """Images by status; those there are none of, too."""
    found = {entry["values"]: entry["counts"] for entry in pc.value_counts(rows["status"]).to_pylist()}
    return {status: found.get(status, 0) for status in ("restored", "failed", "skipped")}


def lead_of(counts: dict[str, int]) -> str:
    """What became of the images, in a sentence."""
    total = sum(counts.values())
    others = [f"{counts[status]:,} {status}" for status in ("failed", "skipped") if counts[status]]
    images = "image" if total == 1 else "images"
    return ", ".join([f"{counts['restored']:,} of {total:,} {images} restored", *others]) + "."


def means_table(rows: pa.Table) -> tuple[list[str], list[list[str]]]:
    """The means of each group that was asked for the same, columns of nothing left out."""
    means = means_of(rows)
    named = [name for name in BY if means[name].null_count < means.num_rows]
    numbers = [name for name in _MEANS if means[name].null_count < means.num_rows]
    titles = [*(name.capitalize() for name in named), *(_MEANS[name][0] for name in numbers)]
    table = [
        [
            *(row[name] or "" for name in named),
            *("" if row[name] is None else _MEANS[name][1].format(row[name]) for name in numbers),
        ]
        for row in means.slice(0, MEANS_SHOWN).to_pylist()
    ]
    return titles, table


def _asked(subjects: Sequence[Subject]) -> Facts:
    asked = subjects[0].asked
    facts = [
        ("Source", str(asked.get("source", "")).removeprefix("file://") if len(subjects) == 1 else None),
        ("Output", ", ".join(subject.output.url for subject in subjects)),
        ("Masks", asked.get("masks")),
        ("Task", ", ".join(_values(subjects, "task"))),
        ("Method", ", ".join(_values(subjects, "method"))),
        ("Preset", ", ".join(_values(subjects, "preset")) if "dip" in _values(subjects, "method") else None),
        ("Runs", ", ".join(run.run_id for subject in subjects for run in subject.runs[-3:])),
        ("Version", "; ".join(sorted({_version(run) for s in subjects for run in s.runs}))),
        ("Machine", "; ".join(sorted({run.machine or "" for s in subjects for run in s.runs} - {""}))),
    ]
    return [(title, str(value)) for title, value in facts if value]


def _span(first: datetime, last: datetime) -> str:
    """From when to when, to the minute."""
    end = f"{last:%H:%M}" if first.date() == last.date() else f"{last:%Y-%m-%d %H:%M}"
    return f"{first:%Y-%m-%d %H:%M} to {end} UTC"


def _version(run: Description) -> str:
    return run.software_version if run.commit is None else f"{run.software_version}, commit {run.commit}"


def _values(subjects: Sequence[Subject], name: str) -> list[str]:
    return sorted({str(subject.asked.get(name, "?")) for subject in subjects})


def _took(rows: pa.Table) -> Facts:
    """When the images were made, where, and what one cost."""
    restored = rows.filter(pc.equal(rows["status"], "restored"))
    if not restored.num_rows:
        return []
    moments = pc.min_max(restored["started_at"]).as_py()
    work_s: float = pc.sum(restored["seconds"]).as_py() or 0.0
    devices = [str(name) for name in pc.unique(restored["device"]).to_pylist() if name]
    facts = [
        ("Made", _span(moments["min"], moments["max"])),
        ("Work", f"{duration(work_s)} of one worker, {work_s / restored.num_rows:.2f} s an image"),
        ("Devices", ", ".join(devices)),
        ("Gain, least to largest", f"{line} dB" if (line := histogram_of(restored["gain_db"])) else ""),
    ]
    return [fact for fact in facts if fact[1]]
