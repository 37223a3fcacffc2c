"""The Prefect server a run reports to: the one that is configured, or a temporary one."""

from collections.abc import Iterator
from contextlib import contextmanager

import httpx
from prefect.settings import get_current_settings

from dip.errors import ConfigurationError

_PREFECT_SAYS = ("Failed to reach API", "Timed out while attempting to connect")


@contextmanager
def prefect_server_expected() -> Iterator[None]:
    """Say it in a sentence if the server cannot be reached.

    Raises:
        ConfigurationError: Prefect could not reach its server within the block.
    """
    try:
        yield
    except (httpx.TransportError, RuntimeError) as error:
        if isinstance(error, RuntimeError) and not str(error).startswith(_PREFECT_SAYS):
            raise
        url = get_current_settings().api.url
        where = f"at PREFECT_API_URL={url}" if url else "to start for the time of the run"
        raise ConfigurationError(
            f"Expected a Prefect server {where}; it does not answer ({error})."
        ) from error
