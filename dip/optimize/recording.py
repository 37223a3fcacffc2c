"""An iteration recorded as a CUDA graph: the host launches one thing where it launched hundreds."""

from collections.abc import Callable, Sequence

import torch

WARM_UP = 3


class Recorded:
    """A step that is taken a few times as it is, then recorded, and replayed from there on.

    What the step carries from call to call must be on the GPU and be changed in place, and it must not wait
    for the GPU. Whoever exchanges one of its tensors for another makes a new recording.

    Args:
        step: takes no argument and returns nothing.
        generators: of random numbers that the step draws, beside torch's own.
    """

    def __init__(self, step: Callable[[], None], generators: Sequence[torch.Generator]) -> None:
        self._step, self._generators = step, generators
        self._stream = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        self._graph: torch.cuda.CUDAGraph | None = None
        self._steps = 0

    def __call__(self) -> None:
        """Take the step."""
        self._steps += 1
        if self._steps <= WARM_UP:
            self._take_aside()
            return
        if self._graph is None:
            self._graph = self._record()
        self._graph.replay()

    def close(self) -> None:
        """Give the memory of the recording back."""
        if self._graph is not None:
            self._graph.reset()

    def _take_aside(self) -> None:
        """Take it as it is, on the stream that it is recorded on: libraries allocate what they need there."""
        self._stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(self._stream):
            self._step()
        torch.cuda.current_stream().wait_stream(self._stream)

    def _record(self) -> torch.cuda.CUDAGraph:
        graph = torch.cuda.CUDAGraph()
        for generator in self._generators:
            graph.register_generator_state(generator)
        # Other threads may ask for memory meanwhile. A recording of theirs would break this one.
        with torch.cuda.graph(graph, stream=self._stream, capture_error_mode="thread_local"):
            self._step()
        return graph
