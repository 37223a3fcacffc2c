"""What is asked of a restoration, by name and as values. Where it runs and where files lie is not part of it.

Nothing here brings torch: whoever only hands a configuration on needs none.
"""

from dip.configuration.configuration import Configuration
from dip.configuration.degradation import Degradation
from dip.configuration.variation import Variation

__all__ = ["Configuration", "Degradation", "Variation"]
