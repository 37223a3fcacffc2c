"""Names from outside, fit for a terminal or a log."""


def printable(text: str) -> str:
    """A text without what could steer a terminal."""
    return "".join(letter if letter.isprintable() else f"\\x{ord(letter):02x}" for letter in text)
