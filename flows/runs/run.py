"""One pass over a manifest, and its shards: jobs, names of files, and the part file that commits a shard."""

import hashlib
from collections.abc import Set
from dataclasses import dataclass, replace

from dip.errors import StorageError
from dip.pipeline.job import Job
from dip.storage import Location
from dip.storage.part_files import PartFile
from flows.runs.manifest import Entry, read_shard


@dataclass(frozen=True)
class Earlier:
    """What is left of earlier runs.

    Attributes:
        vanished: results whose image is not in the source any more.
        failed: images that failed, and are not tried again.
        left_out: files of the source that are no images, hidden, or excluded.
    """

    vanished: int = 0
    failed: int = 0
    left_out: int = 0


@dataclass(frozen=True)
class Run:
    """One pass over a manifest.

    Attributes:
        template: the job of each image, but for what is the image's own.
        total: images in the manifest.
        shard_size: images per shard.
        committed: shards that have their part file already.
    """

    template: Job
    total: int
    shard_size: int
    committed: frozenset[int] = frozenset()

    @property
    def run_id(self) -> str:
        """Sorts by the time the run was started at."""
        return self.template.run_id

    @property
    def output(self) -> Location:
        """Where the results go."""
        return self.template.output

    @property
    def shards(self) -> int:
        """Number of shards."""
        return -(-self.total // self.shard_size)

    @property
    def open_shards(self) -> list[int]:
        """Shards without a part file."""
        return [shard for shard in range(self.shards) if shard not in self.committed]

    @property
    def manifest(self) -> str:
        """Name of the manifest in the output."""
        return manifest_of(self.run_id)

    @property
    def records(self) -> str:
        """Folder of the records of images whose shard has no part file yet."""
        return f"runs/{self.run_id}/records"

    def record(self, shard: int, image_id: str) -> str:
        """Name of an image's record."""
        return f"{self.records}/{shard:05d}/{hashlib.sha256(image_id.encode()).hexdigest()[:32]}.arrow"

    def shard_of(self, record: str) -> int | None:
        """The shard a record belongs to, by the record's name; None if it is none of ours."""
        folder = record.rsplit("/", 2)[-2]
        return int(folder) if folder.isdecimal() else None

    def part(self, shard: int) -> str:
        """File name of a shard's rows, and of its curves."""
        return f"part-{self.run_id}-{shard:05d}.parquet"

    def images_in(self, shard: int) -> range:
        """Which images of the manifest a shard holds, counted from 0."""
        return range(shard * self.shard_size, min(self.total, (shard + 1) * self.shard_size))


def manifest_of(run_id: str) -> str:
    """Name of a run's manifest in the output."""
    return f"runs/{run_id}/manifest.parquet"


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
