"""The words a restoration is asked for with. Importing them costs nothing: no torch."""

from typing import Literal

Task = Literal["denoise", "inpaint", "super-resolution"]
Preset = Literal["fast", "paper"]
Kernel = Literal["bicubic", "lanczos2", "lanczos3"]
MaskShape = Literal["text", "scratches", "box"]
Damage = Literal["white", "black"]
Scale = Literal[2, 3, 4, 8]
