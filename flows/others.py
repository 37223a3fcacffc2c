"""What lies in an output without being its own."""

from collections.abc import Collection

from dip.errors import ConfigurationError
from dip.storage import Location
from flows.lock import is_lock


def expect_none_of_others(output: Location, own: Collection[str], expected: str, advice: str) -> None:
    """See that an output holds nothing but what is its own, and locks.

    Args:
        output: folder or prefix.
        own: names in it that may be there.
        expected: what the output is to be, in words.
        advice: what to do where it is not, a sentence.

    Raises:
        ConfigurationError: it holds something else.
        StorageError: it cannot be listed.
    """
    others = {name for name in output.names() if name not in own and not is_lock(name)}
    if others:
        raise ConfigurationError(
            f"Expected an output that is {expected}; {output.url} holds {len(others)} other entries, "
            f"such as {min(others)!r}. {advice}"
        )
