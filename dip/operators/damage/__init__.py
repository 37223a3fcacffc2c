"""Where a scan looks scratched, dusty or creased, without a reference: pixels to repair."""

from dip.operators.damage.marks import propose_damage

__all__ = ["propose_damage"]
