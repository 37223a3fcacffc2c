"""Dataset-scale image restoration with Deep Image Prior.

One equation: x* = g(θ*, z), θ* = argmin over θ of E(A g(θ, z), y). `dip.images` holds y, `dip.operators` A,
`dip.parameterizations` g and z, `dip.objective` E, `dip.optimize` the argmin, `dip.methods` x*;
`dip.pipeline` takes one image through the five stages read, degrade, restore, evaluate, write.
Each room imports only those that stand before it: see the contracts in pyproject.toml.
"""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("dip-restoration")
except PackageNotFoundError:  # run from a checkout that was never installed
    __version__ = "0+unknown"
