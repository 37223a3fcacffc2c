"""What each name stands for. A new operator, network, method or study is one file, and one line here."""

from dataclasses import dataclass


@dataclass(frozen=True)
class ListedOperator:
    """A task in the table, by the operator that belongs to it.

    Attributes:
        operator: its class, `module:name`.
        shrinks: whether measurements are smaller than images, by the scale factor.
        repairs: whether there are holes to fill, so that a mask is needed.
        denoises: whether the noise of observed pixels is to be removed.
        proposes: whether masks are proposed where none are named.
    """

    operator: str
    shrinks: bool = False
    repairs: bool = False
    denoises: bool = False
    proposes: bool = False


OPERATORS = {
    "denoise": ListedOperator("dip.operators.identity:Identity", denoises=True),
    # The mask comes on top, as it may for every task.
    "inpaint": ListedOperator("dip.operators.identity:Identity", repairs=True),
    "inpaint+denoise": ListedOperator("dip.operators.identity:Identity", repairs=True, denoises=True),
    # Worn prints: what a person means who asks for no task in particular.
    "restore": ListedOperator("dip.operators.identity:Identity", repairs=True, denoises=True, proposes=True),
    "super-resolution": ListedOperator("dip.operators.downsampling:Downsampling", shrinks=True),
}
"""A: tasks, with their forward operators."""

NETWORKS = {
    "skip": "dip.parameterizations.skip:Skip",
    "unet": "dip.parameterizations.unet:UNet",
    "resnet": "dip.parameterizations.resnet:ResNet",
    "deep-decoder": "dip.parameterizations.deep_decoder:DeepDecoder",
    "pixels": "dip.parameterizations.pixels:FreePixels",
}
"""g: parameterizations, with their classes."""


@dataclass(frozen=True)
class ListedMethod:
    """A method in the table.

    Attributes:
        function: where it is, `module:name`.
        tasks: what it can do; None for every task.
        optimises: `network` or `pixels`, what it optimises; None where nothing is iterated.
        takes_masks: whether it can be told which pixels are missing.
    """

    function: str
    tasks: tuple[str, ...] | None = None
    optimises: str | None = None
    takes_masks: bool = True


METHODS = {
    "dip": ListedMethod("dip.methods.optimization:optimize", optimises="network"),
    "none": ListedMethod("dip.methods.degraded:degraded_input"),
    "pixels": ListedMethod("dip.methods.optimization:optimize", optimises="pixels"),
    "pixels-tv": ListedMethod("dip.methods.optimization:optimize", optimises="pixels"),
    "tv-chambolle": ListedMethod("dip.methods.classical:tv_chambolle", ("denoise",)),
    "nlm": ListedMethod("dip.methods.classical:non_local_means", ("denoise",)),
    "wavelet": ListedMethod("dip.methods.classical:wavelet", ("denoise",)),
    "biharmonic": ListedMethod("dip.methods.classical:biharmonic", ("inpaint",)),
    "trained": ListedMethod(
        "dip.methods.trained:trained", ("denoise", "super-resolution"), takes_masks=False
    ),
}
"""x*: Deep Image Prior, and what stands beside it in a comparison."""

STUDIES = {
    "curves": "dip.evaluation.studies.curves:CURVES",
    "snapshots": "dip.evaluation.studies.snapshots:SNAPSHOTS",
    "stopping": "dip.evaluation.studies.stopping:STOPPING",
    "architectures": "dip.evaluation.studies.architectures:ARCHITECTURES",
}
"""What can be studied of the method itself."""
