"""Pictures that a program draws: what starts are educated on. No photograph is involved."""

from dip.drawing.picture import VERSION as VERSION
from dip.drawing.picture import draw_picture as draw_picture
