"""Dust and scratches by a film scanner's infrared channel, in which they are dark, and dyes are clear.

Sources: Bergman, US patent 5,266,805, 1993, for the channel; everything else is robust statistics.
"""

from dip.operators.infrared.proposal import Proposal, propose_by_infrared

__all__ = ["Proposal", "propose_by_infrared"]
