"""Studies of the method itself: what it fits first, what it draws when, and where rules stop it.

One study is one file, and one line in `dip.configuration.registry`.
"""

import pkgutil
from typing import TYPE_CHECKING

from dip.configuration.registry import STUDIES

if TYPE_CHECKING:
    from dip.evaluation.studies.base import Study


def study_called(name: str) -> "Study":
    """The study behind a name of `STUDIES`."""
    study: Study = pkgutil.resolve_name(STUDIES[name])
    return study
