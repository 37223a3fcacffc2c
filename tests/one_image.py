"""One image through the pipeline, in this process."""

import pyarrow as pa

from dip.pipeline.job import Job
from dip.pipeline.stages import process
from dip.storage import Location


def job(folder, name, configuration, output="out", **options):
    return Job(
        run_id="run",
        image_id=name,
        source=Location(str(folder / "in")),
        output=Location(str(folder / output)),
        record=f"records/{name.replace('..', 'up')}.arrow",
        configuration=configuration,
        **options,
    )


def row_of(finished):
    with pa.ipc.open_stream(finished.output.read(finished.record)) as record:
        return record.read_all().to_pylist()[0]


def run(folder, name, configuration, output="out", **options):
    finished = job(folder, name, configuration, output, **options)
    process(finished)
    return row_of(finished)
