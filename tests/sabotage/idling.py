"""A restoration that takes no work, and as long as it is told to."""

import os
import random
import time

from dip.pipeline.job import Job, Outcome, new_row
from dip.storage.results import encode_record

MEAN_S = float(os.environ.get("SABOTAGED_IDLING", "0"))


def restore_image(job: Job) -> Outcome:
    """Write the row of an image that is not even read. Takes half to one and a half times the mean."""
    row, start = new_row(job), time.perf_counter()
    time.sleep(random.uniform(0.5, 1.5) * MEAN_S)
    row.status, row.source_sha256 = "restored", "0" * 64
    row.seconds = time.perf_counter() - start
    job.output.write(job.record, encode_record(row))
    return Outcome(job.image_id, row.status)
