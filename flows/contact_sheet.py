"""A contact sheet: rows of small pictures with a line of text under each."""

import io
from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont

MARGIN_PX = 12
CAPTION_PX = 28
LEAST_WIDTH_PX = 240
"""A picture is enlarged by whole pixels until a caption fits under it."""


def draw_contact_sheet(rows: Sequence[Sequence[tuple[str, bytes]]]) -> bytes:
    """Draw rows of captioned pictures of about equal size into one PNG.

    Args:
        rows: caption and file of each picture.
    """
    pictures = [[(caption, _picture(file)) for caption, file in row] for row in rows]
    width_px = max(picture.width for row in pictures for _, picture in row) + MARGIN_PX
    height_px = max(picture.height for row in pictures for _, picture in row) + CAPTION_PX
    columns = max(len(row) for row in pictures)
    sheet = Image.new("RGB", (columns * width_px + MARGIN_PX, len(rows) * height_px + MARGIN_PX), "white")
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(14)
    for y, row in enumerate(pictures):
        for x, (caption, picture) in enumerate(row):
            corner = (MARGIN_PX + x * width_px, MARGIN_PX + y * height_px)
            sheet.paste(picture, corner)
            draw.text((corner[0], corner[1] + picture.height + 4), caption, fill="black", font=font)
    buffer = io.BytesIO()
    sheet.save(buffer, format="PNG")
    return buffer.getvalue()


def _picture(file: bytes) -> Image.Image:
    with Image.open(io.BytesIO(file)) as image:
        factor = -(-LEAST_WIDTH_PX // image.width)
        size = (factor * image.width, factor * image.height)
        return image.convert("RGB").resize(size, Image.Resampling.NEAREST)
