"""What the page says of one image beside its pictures: numbers, metadata, checksums, the curve, commands."""

import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import PIL.Image
from PIL.ExifTags import TAGS

from dip.images import Metadata
from flows.report.commands import commands_for
from flows.report.layers import Layers
from flows.report.subject import Subject

Facts = list[tuple[str, str]]
LONGEST_VALUE = 300
_TOLD_BEFORE = {282, 283, 296, 700, 33723, 34675}
"""Tags that are the resolution, or packets of which the size is told."""
_MEASURED = {
    "psnr_degraded_db": ("PSNR of the input", "{:.2f} dB"),
    "psnr_db": ("PSNR restored", "{:.2f} dB"),
    "psnr_peak_db": ("PSNR at the peak of the run", "{:.2f} dB"),
    "ssim": ("SSIM", "{:.4f}"),
    "protocol": ("Protocol", "{}"),
    "mean_absolute_change": ("Mean change", "{:.2%}"),
    "changed_share": ("Pixels changed", "{:.1%}"),
    "colour_drift": ("Colour drift", "{:.2%}"),
    "masked_share": ("Masked", "{:.2%}"),
    "keeps_unmasked": ("Unmasked pixels are the source's", "{}"),
    "noise_sigma": ("Noise of the source, estimated", "σ {:.1f} of 255"),
    "degradation": ("Degraded with", "{}"),
}
_OF_A_PAGE = ("mean_absolute_change", "changed_share", "masked_share", "noise_sigma")
_HOW = {
    "method": ("Method", "{}"),
    "preset": ("Preset", "{}"),
    "variation": ("Departs from it in", "{}"),
    "seed": ("Seed", "{}"),
    "tiles": ("Tiles", "{}"),
    "iterations": ("Iterations", "{}"),
    "stop_iteration": ("Answer of iteration", "{}"),
    "stop_rule": ("Stop rule", "{}"),
    "stop_reason": ("Stopped because of", "{}"),
    "seconds": ("Time", "{:.1f} s"),
    "device": ("Device", "{}"),
    "software_version": ("Version", "{}"),
    "started_at": ("Started", "{:%Y-%m-%d %H:%M:%S} UTC"),
    "run_id": ("Run", "{}"),
}
_FILES = {
    "source_url": ("Source", "{}"),
    "source_sha256": ("SHA-256 of the source", "{}"),
    "mask_sha256": ("SHA-256 of the mask", "{}"),
    "output_url": ("Restored image", "{}"),
    "output_sha256": ("SHA-256 of the restored image", "{}"),
    "sidecar_sha256": ("SHA-256 of its sidecar", "{}"),
    "config_hash": ("Hash of the configuration", "{}"),
}


def facts_of(subject: Subject, row: Mapping[str, Any], layers: Layers) -> list[dict[str, Any]]:
    """Titled lists of what is known of an image; empty ones are left out."""
    sections = {
        "Why it is not restored": [(row["error_type"] or "", row["error_message"])],
        "Not shown": [("", sentence) for sentence in layers.missing],
        "Numbers": [*_size(row), *_worded(row, _MEASURED)],
        "Pages": [(f"Page {page['page']}", _told_of(page)) for page in row["pages"] or ()],
        "How": _worded(row, _HOW),
        "Notes": [("", note) for note in row["notes"] or ()],
        "Metadata": list(_metadata(layers)),
        "Files and checksums": _worded(row, _FILES),
        "Again": commands_for(subject, row["image_id"]),
    }
    known = {title: [fact for fact in facts if fact[1]] for title, facts in sections.items()}
    return [{"title": title, "facts": facts} for title, facts in known.items() if facts]


def curve_of(points: Sequence[Mapping[str, Any]], row: Mapping[str, Any]) -> dict[str, Any] | None:
    """The curve of a fit for the page's scripts, with where it stopped and why."""
    if len(points) < 2:
        return None
    columns = {name: [point[name] for point in points] for name in ("iteration", "loss", "psnr_db")}
    return {**columns, "stop": row["stop_iteration"], "rule": row["stop_rule"], "reason": row["stop_reason"]}


def _worded(row: Mapping[str, Any], words: Mapping[str, tuple[str, str]]) -> Facts:
    return [(title, form.format(row[name])) for name, (title, form) in words.items() if row[name] is not None]


def _told_of(page: Mapping[str, Any]) -> str:
    """A page in a line."""
    facts = [*_size(page), *_worded(page, {name: _MEASURED[name] for name in _OF_A_PAGE})]
    told = [f"{title.lower()} {value}" if title != "Size" else value for title, value in facts]
    return "; ".join([*told, *filter(None, [page["error_message"]])])


def _size(row: Mapping[str, Any]) -> Facts:
    if row["width_px"] is None:
        return []
    kind = "grey" if row["channels"] == 1 else "colour"
    return [("Size", f"{row['width_px']}×{row['height_px']} px, {kind}, {row['bit_depth']} bits")]


def _metadata(layers: Layers) -> Iterator[tuple[str, str]]:
    """What the source carries, and what of it the restored image does; nothing where there are not both."""
    before, after = layers.found.get("before"), layers.found.get("after")
    if before is None or after is None or "reference" in layers.found:
        return
    was, now = _carried(before.metadata), _carried(after.metadata)
    for name, value in was.items():
        if now.get(name) == value:
            yield name, f"{value} (kept)"
        else:
            yield name, f"{value} (now {now[name]})" if name in now else f"{value} (not kept)"
    for name in now.keys() - was.keys():
        yield name, f"{now[name]} (added)"


def _carried(metadata: Metadata) -> dict[str, str]:
    """Metadata as text: the tags one by one, packets by their size."""
    packets = {
        "Colour profile": metadata.icc_profile,
        "XMP": metadata.xmp,
        "IPTC": metadata.iptc,
    }
    sizes = {name: f"{len(packet)} bytes" for name, packet in packets.items() if packet}
    if metadata.dpi is not None:
        sizes["Resolution"] = "×".join(f"{side:g}" for side in metadata.dpi) + " per inch"
    return sizes | dict(_tags(metadata.exif))


def _tags(exif: bytes | None) -> Iterator[tuple[str, str]]:
    tags = PIL.Image.Exif()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # damaged tags are kept as they are
            tags.load(exif or b"")
            others = {tag: value for tag, value in tags.items() if tag not in _TOLD_BEFORE}
            known = {TAGS.get(tag, f"Tag {tag}"): _told(value) for tag, value in others.items()}
    except (SyntaxError, ValueError, TypeError, ZeroDivisionError):
        known = {"Tags": "too damaged to be shown"}
    yield from known.items()


def _told(value: object) -> str:
    if isinstance(value, bytes):
        return f"{len(value)} bytes"
    text = str(value)
    return text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]}…"
