"""One pass over a manifest: what its images have in common, and the names of its files."""

import hashlib
from dataclasses import dataclass

from dip.job import Job
from dip.storage import Location


@dataclass(frozen=True)
class Earlier:
    """What is left of earlier runs.

    Attributes:
        vanished: results whose image is not in the source any more.
        failed: images that failed, and are not tried again.
    """

    vanished: int = 0
    failed: int = 0


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
