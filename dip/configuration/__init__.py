"""What is asked of a restoration, by name and as values. Where it runs and where files lie is not part of it.

A field of these values with a `typer.Option` is an option of the commands and a parameter of the flows, too.

Nothing here brings torch: whoever only hands a configuration on needs none.
"""

from dip.configuration.configuration import Configuration
from dip.configuration.degradation import Degradation
from dip.configuration.procedure import Procedure
from dip.configuration.variation import Variation

__all__ = ["Configuration", "Degradation", "Procedure", "Variation"]
