"""Outputs as a run leaves them, made in this process: no server and no workers."""

from pathlib import Path

from dip.pipeline.stages import process
from dip.storage import Location
from flows.parameters import ArchiveParameters, Batch, BenchmarkParameters, StudyParameters
from flows.runs.accounts import close_run, open_run
from flows.runs.bag import close_bag, open_bag
from flows.runs.run import Shard
from flows.study import _files, _tables, _trials
from flows.workers.worker import run_trial
from tests.conftest import checksums_below


def restored(source: Path, output: Path, **asked: object) -> Location:
    """The output of a restoration."""
    return carried_out(ArchiveParameters(source=str(source), output=str(output), **asked))


def evaluated(source: Path, output: Path, **asked: object) -> Location:
    """The output of an evaluation."""
    return carried_out(BenchmarkParameters(source=str(source), output=str(output), **asked))


def studied(source: Path, output: Path, **asked: object) -> Location:
    """The output of a study."""
    parameters = StudyParameters(source=str(source), output=str(output), **asked)
    findings = [run_trial(trial) for trial in _trials(parameters)]
    for name, content in _files(parameters, _tables(parameters.study, findings), findings).items():
        parameters.location(parameters.output).write(name, content)
    return parameters.location(parameters.output)


def carried_out(batch: Batch) -> Location:
    before = checksums_below(Path(batch.source))
    run, _ = open_run(batch)
    output = batch.location(batch.output)
    if batch.bag:
        open_bag(output)
    if run is None:  # every image has a result already
        return output
    for index in run.open_shards:
        shard = Shard(run, index, set())
        for job in shard.open_jobs():
            process(job)
        shard.commit()
    close_run(run)
    if batch.bag:
        close_bag(output)
    assert checksums_below(Path(batch.source)) == before, "the source was written to"
    return output
