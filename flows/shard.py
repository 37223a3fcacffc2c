"""One shard of a run: its jobs, and its part file, which is the commit."""

from collections.abc import Set
from dataclasses import replace

from dip.errors import StorageError
from dip.job import Job
from dip.part_file import PartFile
from flows.manifest import Entry, read_shard
from flows.run import Run


class Shard:
    """One shard of a run.

    Args:
        run: the run.
        index: of the shard, counted from 0.
        finished: names of the records that exist already.
    """

    def __init__(self, run: Run, index: int, finished: Set[str]) -> None:
        self._run, self._index, self._finished = run, index, finished
        self._entries = read_shard(run.output, run.manifest, index)

    def open_jobs(self) -> list[Job]:
        """The jobs of the images that have no record yet."""
        jobs = [self._job(entry) for entry in self._entries]
        return [job for job in jobs if job.record not in self._finished]

    def commit(self) -> None:
        """Turn the images' records into the shard's part file, which is written last but for their end.

        Raises:
            StorageError: a record cannot be read, or the part file not be written.
        """
        run, part = self._run, PartFile()
        names = [self._job(entry).record for entry in self._entries]
        for name, content in zip(names, run.output.read_all(names), strict=True):
            try:
                part.add(content)
            except StorageError as error:
                raise StorageError(
                    f"{error} Remove {run.output.url_of(name)}: the same line then restores its image again."
                ) from error
        rows, curves = part.finish()
        run.output.write(f"curves/{run.part(self._index)}", curves)
        run.output.write(f"metrics/{run.part(self._index)}", rows)
        run.output.delete(names)

    def _job(self, entry: Entry) -> Job:
        return replace(
            self._run.template,
            image_id=entry.image_id,
            source_version=entry.version,
            mask_id=entry.mask_id,
            mask_version=entry.mask_version,
            record=self._run.record(self._index, entry.image_id),
        )


def shard_label(run: Run, index: int) -> str:
    """What a shard is called for people."""
    images = run.images_in(index)
    return f"{run.template.configuration.task}: images {images.start + 1}-{images.stop} of {run.total}"
