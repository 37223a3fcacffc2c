"""What a run would do, and about how long it would take; nothing is written."""

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from dask.system import CPU_COUNT

from dip.configuration import Configuration
from dip.pipeline.job import Job
from dip.storage import Location
from dip.storage.results import Row
from flows.parameters import PlanParameters
from flows.runs.inventory import inventory_of
from flows.runs.preconditions import check_sound_input

NOWHERE = Location(os.devnull)
"""The output of jobs that are only looked at."""


@dataclass(frozen=True)
class Prospect:
    """What would become of one image.

    Attributes:
        status: `restored`, `failed` or `skipped`, as far as the image itself tells.
        reason: why it would not be restored.
        pixels: of each restored page; most images have one.
        size_bytes: of the restored image's pixels, uncompressed.
    """

    image_id: str
    status: str
    reason: str | None
    pixels: tuple[int, ...]
    size_bytes: int


@dataclass(frozen=True)
class Plan:
    """What would become of a source.

    Attributes:
        prospects: one per image, in the order of their names.
        iterations: most that a page takes, all restarts together; None for a method without any.
        device: where the time was measured.
        device_hours: about what the images take with so many iterations; None for a method without any.
        left_out: files of the source that are no images, hidden, or excluded.
    """

    prospects: Sequence[Prospect]
    iterations: int | None
    device: str
    device_hours: float | None
    left_out: Sequence[str] = ()

    @property
    def to_restore(self) -> list[Prospect]:
        """The images that would be restored."""
        return [prospect for prospect in self.prospects if prospect.status == "restored"]


def plan_archive(parameters: PlanParameters) -> Plan:
    """Read every image, see what would be refused or skipped, and estimate the rest on this machine.

    Raises:
        ConfigurationError: the run could not be started so.
        StorageError: source or masks cannot be listed.
    """
    configuration = parameters.configuration
    check_sound_input(parameters)
    source = parameters.location(parameters.source)
    masks = parameters.masks_location
    with inventory_of(source, masks, parameters.left_out, parameters.infrared_suffixes) as inventory:
        entries, left_out = list(inventory.without_result()), inventory.left_out()
    looked_at = Job(
        "plan",
        "",
        source,
        NOWHERE,
        "",
        configuration,
        masks=source if parameters.uses_infrared else masks,
        proposes_masks=parameters.proposes_masks,
        mask_threshold=parameters.least_probability,
        infrared=parameters.uses_infrared,
        guides=parameters.guides_location,
        noise_floor=parameters.least_noise,
    )
    jobs = [replace(looked_at, image_id=entry.image_id, mask_id=entry.mask_id) for entry in entries]
    estimated = _estimated(list(_prospects(jobs)), configuration, parameters.device)
    return replace(estimated, left_out=left_out)


def _prospects(jobs: Sequence[Job]) -> Iterator[Prospect]:
    from dip.pipeline.stages import inspect  # which brings torch

    with ThreadPoolExecutor(CPU_COUNT) as pool:
        for row in pool.map(inspect, jobs):
            yield _prospect(row, jobs[0].configuration.scale_factor ** 2)


def _prospect(row: Row, factor: int) -> Prospect:
    pages = [vars(row)] if row.pages is None else row.pages
    pixels = [(page["height_px"] or 0) * (page["width_px"] or 0) * factor for page in pages]
    bits = [(page["channels"] or 0) * (page["bit_depth"] or 0) for page in pages]
    size_bytes = sum(count * each // 8 for count, each in zip(pixels, bits, strict=True))
    return Prospect(row.image_id, row.status, row.error_message, tuple(pixels), size_bytes)


def _estimated(prospects: Sequence[Prospect], configuration: Configuration, device_name: str) -> Plan:
    from dip.methods.estimate import estimated_seconds  # which brings torch
    from dip.optimize.device import resolve_device

    device = resolve_device(device_name)
    pixels = [count for each in prospects if each.status == "restored" for count in each.pixels]
    estimate = estimated_seconds(configuration, pixels, device)
    if estimate is None:
        return Plan(prospects, None, device.type, None)
    iterations, seconds = estimate
    return Plan(prospects, iterations, device.type, seconds / 3600)
