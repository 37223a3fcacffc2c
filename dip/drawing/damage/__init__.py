"""Damage that a program draws on a picture: cracks, scratches, dust, losses and stains, with their mask."""

from dip.drawing.damage.worn import KINDS, WornPrint, scanned, worn

__all__ = ["KINDS", "WornPrint", "scanned", "worn"]
