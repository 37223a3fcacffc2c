"""Where a scan is damaged, without a reference: a proposal, for a person to look through."""

from dip.detection.proposal import Proposal, check_share, pieces_of, propose_damage

__all__ = ["Proposal", "check_share", "pieces_of", "propose_damage"]
