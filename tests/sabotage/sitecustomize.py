"""Gives every process that has this folder on its PYTHONPATH a method for tests: it kills, or sleeps."""

from dip.methods import METHODS, Listed

METHODS["sabotaged"] = Listed("sabotaged:sabotaged")
