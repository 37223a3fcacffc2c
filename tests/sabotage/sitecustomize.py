"""Every process that has this folder on its PYTHONPATH has another method `none`: it kills, or sleeps.

The name is one of the package's because names cannot be added any more once the package is imported.

With SABOTAGED_IDLING set workers do not even load a method: an image's row is written, and that is all.
"""

import os

from dip.configuration.registry import METHODS, ListedMethod

METHODS["none"] = ListedMethod("sabotaged:sabotaged")

if "SABOTAGED_IDLING" in os.environ:
    import idling

    from flows.workers import cluster, worker

    worker.restore_image = idling.restore_image
    cluster.check_one_at_a_time = lambda slots, address: None  # noqa: ARG005 - who sleeps can do so in threads
