"""What a derivative says of itself: how it came about, and how far it is from its source."""

from dip.provenance.change import Change, change_between
from dip.provenance.sidecar import describes, encode_sidecar, sidecar_name
from dip.provenance.xmp import with_history

__all__ = ["Change", "change_between", "describes", "encode_sidecar", "sidecar_name", "with_history"]
