"""An iteration can be recorded and replayed: it waits for nothing, and what it carries stays where it is."""

import gc
import weakref
from contextlib import nullcontext
from dataclasses import replace

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from dip.configuration import Configuration, Degradation, Variation
from dip.errors import DivergenceError
from dip.methods.optimization import problem_of
from dip.methods.presets import settings_for
from dip.operators.simulation import simulated
from dip.optimize import loop
from dip.optimize.fit import restore
from dip.optimize.stopping import FixedRule, HeldOutRule, NoiseLevelRule, VarianceRule

SIZE_PX = (40, 56)
RULES = (VarianceRule(), HeldOutRule(), NoiseLevelRule(0.1), FixedRule())
ASKED = {
    "denoise": Configuration("denoise", degradation=Degradation(sigma=25)),
    "denoise with Adam": Configuration("denoise", preset="fast", degradation=Degradation(sigma=25)),
    "denoise with total variation": Configuration(
        "denoise", variation=Variation(tv=0.1, data_term="huber"), degradation=Degradation(sigma=25)
    ),
    "inpaint": Configuration("inpaint", degradation=Degradation(missing=0.5)),
    "super-resolution": Configuration("super-resolution", scale=2, degradation=Degradation()),
    "pixels": Configuration("denoise", method="pixels", degradation=Degradation(sigma=25)),
}


def fitted(asked, iterations, device="cpu"):
    """A fit of a random image with all rules watching."""
    reference = torch.rand(3, *SIZE_PX, generator=torch.Generator().manual_seed(0)).numpy()
    measurement = simulated(reference, asked, asked.degradation, 0)
    settings = settings_for(asked)
    schedule = replace(settings.schedule, iterations=iterations, rule=HeldOutRule(warm_up=1))
    settings = replace(settings, schedule=schedule)
    problem = problem_of(measurement, settings.objective)
    return restore(problem, SIZE_PX, settings, 0, torch.device(device), further_rules=RULES)


class NoWaiting(TorchDispatchMode):
    """Refuses every operation whose result the host would have to wait for."""

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        assert func is not torch.ops.aten._local_scalar_dense.default, "the host reads a number"
        assert func is not torch.ops.aten.nonzero.default, "the host needs a size"
        return func(*args, **(kwargs or {}))


def test_reading_a_number_is_noticed():
    with NoWaiting(), pytest.raises(AssertionError, match="the host reads a number"):
        float(torch.ones(()))


@pytest.mark.parametrize("name", ASKED)
def test_an_iteration_waits_for_nothing(name, monkeypatch):
    iterate = loop._Optimization.iterate

    def without_waiting(run):
        with NoWaiting():
            iterate(run)

    monkeypatch.setattr(loop._Optimization, "iterate", without_waiting)
    assert fitted(ASKED[name], 3).iterations == 3


def carried(thing, seen):
    """Addresses of all tensors that belong to a thing, and to what it is made of."""
    if id(thing) in seen:
        return {}
    seen.add(id(thing))
    if isinstance(thing, torch.Tensor):
        return {} if thing.grad_fn is not None else {id(thing): thing.data_ptr()}
    parts = thing.values() if isinstance(thing, dict) else thing if isinstance(thing, list | tuple) else None
    if parts is None:
        parts = vars(thing).values() if hasattr(thing, "__dict__") else ()
    return {key: value for part in parts for key, value in carried(part, seen).items()}


@pytest.mark.parametrize("name", ASKED)
def test_what_an_iteration_carries_on_is_changed_in_place(name, monkeypatch):
    iterate, addresses = loop._Optimization.iterate, []

    def noting(run):
        iterate(run)
        fresh = {id(run.tracker.output), id(run.tracker.average), id(run.loss)}
        state = [run.tracker, run.optimizer.state_dict(), list(run.network.parameters())]
        found = carried(state, {id(parameter.grad) for parameter in run.network.parameters()})
        signals = {id(monitor.signal) for monitor in run.tracker.monitors}
        addresses.append({key: at for key, at in found.items() if key not in fresh | signals})

    monkeypatch.setattr(loop._Optimization, "iterate", noting)
    fitted(ASKED[name], 5)
    assert len(addresses[1]) > 10
    assert addresses[1] == addresses[2] == addresses[4]


@pytest.mark.parametrize("raises", [False, True])
def test_nothing_of_a_fit_waits_for_a_garbage_collection(raises, monkeypatch):
    """On a GPU that would be a recording, and with it all features of a network."""
    runs, start = [], loop._Optimization.__init__

    def failing(run, iterations):  # noqa: ARG001 - as the method
        raise DivergenceError("It fell.")

    def noting(run, *arguments):
        start(run, *arguments)
        runs.append(weakref.ref(run))

    fitted(ASKED["denoise"], 2)  # what the first one imports keeps its frames
    monkeypatch.setattr(loop._Optimization, "__init__", noting)
    if raises:
        monkeypatch.setattr(loop._Optimization, "advance", failing)
    gc.disable()
    try:
        with pytest.raises(DivergenceError) if raises else nullcontext():
            fitted(ASKED["denoise"], 2)
        assert [run() for run in runs] == [None]
    finally:
        gc.enable()


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_fits_do_not_add_up_on_a_gpu():
    fitted(ASKED["denoise"], 60, "cuda")
    once = torch.cuda.memory_allocated()
    for _ in range(5):
        fitted(ASKED["denoise"], 60, "cuda")
    assert torch.cuda.memory_allocated() <= once


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("name", ASKED)
def test_a_recorded_fit_is_the_same_as_one_that_is_not_recorded(name, monkeypatch):
    recorded = fitted(ASKED[name], 60, "cuda")
    monkeypatch.setattr(loop._Optimization, "steps", lambda run: run.iterate)
    plain = fitted(ASKED[name], 60, "cuda")
    torch.testing.assert_close(recorded.output, plain.output, atol=1e-3, rtol=0)
    assert [point.loss for point in recorded.curve] == pytest.approx(
        [point.loss for point in plain.curve], 1e-3
    )
