"""The file beside a derivative that says how it came about."""

import hashlib
import json

from dip.configuration import Configuration
from dip.storage.results import Row

STATEMENT = (
    "This image is an algorithmic derivative: its pixels were computed from the source named here. "
    "It is no master and no substitute for one."
)


def sidecar_name(derivative: str) -> str:
    """Where the sidecar of a derivative lies."""
    return f"{derivative}.json"


def describes(sidecar: bytes, derivative: bytes) -> bool:
    """Whether a sidecar is that of a derivative as it is now."""
    try:
        known = json.loads(sidecar)["derivative"]["sha256"]
    except (ValueError, LookupError, TypeError, RecursionError):  # a file of somebody else's
        return False
    return bool(known == hashlib.sha256(derivative).hexdigest())


def source_in(sidecar: bytes) -> str | None:
    """The name of the image that a sidecar's derivative was made from; None if it does not say."""
    try:
        named = json.loads(sidecar)["source"]["name"]
    except (ValueError, LookupError, TypeError, RecursionError):  # a file of somebody else's
        return None
    return named if isinstance(named, str) else None


def encode_sidecar(row: Row, configuration: Configuration) -> bytes:
    """The sidecar of a restored image, JSON. Neither times nor places are in it: equal work, equal bytes."""
    content: dict[str, object] = {
        "statement": STATEMENT,
        "source": {"name": row.image_id, "sha256": row.source_sha256},
        "derivative": {
            "name": row.output_name,
            "sha256": row.output_sha256,
            "width_px": row.width_px,
            "height_px": row.height_px,
            "channels": row.channels,
            "bit_depth": row.bit_depth,
        },
        "software": {"name": "dip-restoration", "version": row.software_version},
        "configuration": configuration.as_dictionary(),
        "config_hash": row.config_hash,
        "stop": {
            "rule": row.stop_rule,
            "reason": row.stop_reason,
            "iteration": row.stop_iteration,
            "iterations": row.iterations,
        },
        "change": {
            "mean_absolute": row.mean_absolute_change,
            "changed_share": row.changed_share,
            "colour_drift": row.colour_drift,
            "masked_share": row.masked_share,
            "unmasked_pixels_are_the_source's": row.keeps_unmasked,
        },
    }
    if row.pages is not None:
        content["pages"] = row.pages
    return json.dumps(content, indent=2, ensure_ascii=False, default=str).encode()
