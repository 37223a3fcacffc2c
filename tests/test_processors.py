"""How many images are worked on at a time: as many as the process may use processors."""

import os

from dask.system import CPU_COUNT

from flows import plan
from flows.parameters import ArchiveParameters
from flows.workers import cluster
from tests.conftest import write_photographs


def test_plan_is_made_on_systems_that_know_no_affinity(tmp_path, monkeypatch):
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    source = write_photographs(tmp_path / "in", 3, 16)
    asked = ArchiveParameters(source=str(source), output="out", task="denoise", method="none")
    assert len(plan.plan_archive(asked).to_restore) == 3


def test_workers_are_as_many_as_dask_counts_processors(monkeypatch):
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    started = []

    class Noted(cluster.SpecCluster):
        def __init__(self, workers, **options):
            started.extend(workers)
            super().__init__(workers={}, **options)

    monkeypatch.setattr(cluster, "SpecCluster", Noted)
    with cluster._local_cluster(None, []):
        assert len(started) == CPU_COUNT
