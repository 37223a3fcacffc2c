"""Where things lie: folders and object stores, and the rows, part files and sidecars that are kept there."""

from dip.storage.location import Location

__all__ = ["Location"]
