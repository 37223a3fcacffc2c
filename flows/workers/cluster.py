"""The Dask workers a run is carried by: local processes, or a cluster that runs already."""

import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import cast

import dask.config
from dask.system import CPU_COUNT
from distributed import Client, Nanny, Scheduler, SpecCluster
from distributed.scheduler import DEFAULT_EXTENSIONS as SCHEDULER_EXTENSIONS
from distributed.worker import DEFAULT_EXTENSIONS as WORKER_EXTENSIONS

import dip
from dip.errors import ClusterError, ConfigurationError
from flows.workers.worker import fitness_of_worker

RESOURCE = "GPU"
"""One slot of it carries one restoration. On a machine without a GPU it is a slot of the CPU."""

_KEEP_MEMORY = {
    # Dask has workers hand freed memory back at once; the optimisation asks for the same again at
    # each iteration, and runs twice as slow for it.
    "MALLOC_TRIM_THRESHOLD_": 2**34,
    "MALLOC_MMAP_THRESHOLD_": 2**32,
}


def _without_spans(extensions: Mapping[str, type]) -> dict[str, type]:
    """Dask's extensions but for the one that keeps a note of every job as long as the scheduler lives."""
    return {name: extension for name, extension in extensions.items() if name != "spans"}


_SCHEDULER = {
    # The client is in the scheduler's own process: messages between the two need not be packed.
    "protocol": ["tcp", "inproc"],
    "host": ["127.0.0.1", ""],
    "port": [0, None],
    "dashboard": False,
    "dashboard_address": "127.0.0.1:0",
    "extensions": _without_spans(SCHEDULER_EXTENSIONS),
}


@dataclass(frozen=True)
class Workers:
    """What a run needs to know of its workers.

    Attributes:
        client: the connection to their scheduler.
        device: what the jobs they run call their device.
    """

    client: Client
    device: str


@contextmanager
def workers(scheduler: str | None, count: int | None, device: str) -> Iterator[Workers]:
    """Workers for the time of the block: local ones, or those of a running scheduler.

    Args:
        scheduler: address of a running scheduler, or None for local workers.
        count: local worker processes, if no scheduler is given; None for one per GPU, or per core without a
            GPU.
        device: `auto`, `cpu`, `cuda` or `cuda:N`.

    Raises:
        ClusterError: the scheduler cannot be reached or has no fit workers.
        ConfigurationError: there is no such device.
    """
    with _running(count, device) if scheduler is None else _connected(scheduler, device) as found:
        try:
            yield found
        except KeyboardInterrupt:
            # Connections now end in the middle of a message, which Dask logs with tracebacks.
            for name in ("distributed", "asyncio"):
                logging.getLogger(name).setLevel(logging.CRITICAL)
            raise


def count_slots(client: Client) -> int:
    """How many restorations the workers carry at once."""
    return sum(_slots_of_workers(client))


def _slots_of_workers(client: Client) -> list[int]:
    """How many restorations each worker carries at once."""
    # While it reconnects to a scheduler, a client knows of no workers, not even that there are none.
    found = client.scheduler_info(n_workers=-1).get("workers", {}).values()
    return [min(worker["nthreads"], int(worker["resources"].get(RESOURCE, 0))) for worker in found]


@contextmanager
def _running(count: int | None, device: str) -> Iterator[Workers]:
    gpus = _gpus(device)
    with _local_cluster(count, gpus) as scheduler:
        _, in_process = scheduler.listeners
        with Client(in_process.contact_address, set_as_default=False) as client:
            yield Workers(client, "cuda" if gpus else "cpu")


@contextmanager
def _connected(address: str, device: str) -> Iterator[Workers]:
    try:
        client = Client(address, timeout=15, set_as_default=False)
    except (OSError, ValueError, TimeoutError) as error:
        raise ClusterError(f"Expected a Dask scheduler at {address}; none answers ({error}).") from error
    with client:
        _check_workers(client, address, device)
        yield Workers(client, device)


def _check_workers(client: Client, address: str, device: str) -> None:
    check_one_at_a_time(_slots_of_workers(client), address)
    try:
        fitness = client.run(fitness_of_worker, device)
    except Exception as error:
        raise ClusterError(
            f"Expected workers with dip-restoration {dip.__version__} installed at {address}; "
            f"one of them answers {type(error).__name__}: {error}."
        ) from error
    others = {version for version, _ in fitness.values() if version != dip.__version__}
    if others:
        raise ClusterError(
            f"Expected workers with dip-restoration {dip.__version__} at {address}; some have "
            f"{', '.join(sorted(others))}. Install the same version on all machines."
        )
    lacking = {worker: reason for worker, (_, reason) in fitness.items() if reason}
    if lacking:
        worker, reason = min(lacking.items())
        raise ConfigurationError(f"{reason} So it is on {len(lacking)} of {len(fitness)} workers ({worker}).")


def check_one_at_a_time(slots: Sequence[int], address: str) -> None:
    """See that workers carry a restoration each, and no more: threads would share torch's random numbers.

    Args:
        slots: how many each of them carries at once.
        address: of their scheduler.

    Raises:
        ClusterError: no worker carries any, or one carries several.
    """
    if not any(slots) or max(slots) > 1:
        found = "one that carries several at a time" if any(slots) else "none"
        raise ClusterError(
            f"Expected workers that offer the resource {RESOURCE} at {address}, one restoration at a time; "
            f"got {found}. Start them with: dask worker {address} --nthreads 1 --resources {RESOURCE}=1"
        )


@contextmanager
def _local_cluster(count: int | None, gpus: list[str]) -> Iterator[Scheduler]:
    logging.getLogger("distributed").setLevel(logging.ERROR)
    processes = count or len(gpus) or CPU_COUNT
    environments = [{"CUDA_VISIBLE_DEVICES": gpus[i % len(gpus)]} if gpus else {} for i in range(processes)]
    # A worker that outlives the scheduler by a moment would log its missed heartbeat with a traceback.
    options = {
        "nthreads": 1,
        # Without a GPU a core's share of the memory; a worker with a GPU has more than its one core's.
        "memory_limit": 1 / processes if gpus else "auto",
        "resources": {RESOURCE: 1},
        "silence_logs": logging.CRITICAL,
        "extensions": _without_spans(WORKER_EXTENSIONS),
    }
    specification = {
        i: {"cls": Nanny, "options": {**options, "env": environment}}
        for i, environment in enumerate(environments)
    }
    with dask.config.set(_settings()):
        cluster = SpecCluster(
            workers=specification,
            scheduler={"cls": Scheduler, "options": _SCHEDULER},
            silence_logs=logging.ERROR,
        )
        try:
            yield cast(Scheduler, cluster.scheduler)
        finally:
            _end(cluster)


def _end(cluster: SpecCluster) -> None:
    """End local workers. On a busy machine that can take long; what they have done is not undone by it."""
    try:
        cluster.close()
    except TimeoutError:
        logging.getLogger(__name__).warning("A worker has not ended in time. It ends with this process.")


def _settings() -> dict[str, object]:
    environment = {**dask.config.get("distributed.nanny.pre-spawn-environ"), **_KEEP_MEMORY}
    return {
        "distributed.nanny.pre-spawn-environ": environment,
        # A crash can be a neighbour's: an image is tried twice among others before it is tried alone.
        "distributed.scheduler.allowed-failures": 1,
        # Workers would look a hundred times a second at what they do, for a dashboard that is not there.
        "distributed.worker.profile.enabled": False,
    }


def _gpus(device: str) -> list[str]:
    """What CUDA_VISIBLE_DEVICES is set to for each GPU that may be used; none for the CPU."""
    import torch

    from dip.optimize.device import resolve_device

    resolved = resolve_device(device)
    if resolved.type == "cpu":
        return []
    visible = os.environ.get("CUDA_VISIBLE_DEVICES", "")
    count = torch.cuda.device_count()  # CUDA leaves names out that it does not know
    names = visible.split(",")[:count] if visible else [str(i) for i in range(count)]
    return names if device in ("auto", "cuda") else [names[resolved.index or 0]]
