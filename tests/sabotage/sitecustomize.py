"""Gives every process that has this folder on its PYTHONPATH a method for tests: it kills, or sleeps.

With SABOTAGED_IDLING set workers do not even load a method: an image's row is written, and that is all.
"""

import os

from dip.methods import METHODS, Listed

METHODS["sabotaged"] = Listed("sabotaged:sabotaged")

if "SABOTAGED_IDLING" in os.environ:
    import idling

    from flows import worker

    worker.restore_image = idling.restore_image
