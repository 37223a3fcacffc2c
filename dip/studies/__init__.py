"""Studies of the method itself: what it fits first, what it draws when, and where rules stop it.

One study is one file, and one line here. Importing the table brings no torch.
"""

import pkgutil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dip.studies.base import Study

STUDIES = {
    "curves": "dip.studies.curves:CURVES",
    "snapshots": "dip.studies.snapshots:SNAPSHOTS",
    "stopping": "dip.studies.stopping:STOPPING",
    "architectures": "dip.studies.architectures:ARCHITECTURES",
}


def study_called(name: str) -> "Study":
    """The study behind a name of `STUDIES`."""
    study: Study = pkgutil.resolve_name(STUDIES[name])
    return study
