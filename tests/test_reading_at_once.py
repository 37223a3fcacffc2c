"""Several threads read images at a time, as `dip plan` does."""

import subprocess
import sys
import threading
import warnings
from concurrent.futures import ThreadPoolExecutor

import PIL.Image

from dip.images import decode
from tests.conftest import photograph
from tests.test_images import claiming, encoded


def test_reading_leaves_the_filters_of_warnings_as_they_are(monkeypatch):
    """One that begins first and ends first: what it found must not be undone by the other."""
    content, opening = encoded(photograph("camera")), PIL.Image.open
    second_has_begun, first_has_ended = threading.Event(), threading.Event()

    def open_late(file):
        if threading.current_thread() is first:
            assert second_has_begun.wait(60)
        else:
            second_has_begun.set()
            assert first_has_ended.wait(60)
        return opening(file)

    monkeypatch.setattr(PIL.Image, "open", open_late)
    before = list(warnings.filters)
    with ThreadPoolExecutor(1) as one, ThreadPoolExecutor(1) as other:
        first = one.submit(threading.current_thread).result()
        begun_first = one.submit(decode, content, "first.png")
        begun_second = other.submit(decode, content, "second.png")
        begun_first.result(60)
        first_has_ended.set()
        begun_second.result(60)
    assert list(warnings.filters) == before


TOO_LARGE = """
import sys
from dip.errors import ImageTooLargeError
from dip.images import decode

try:
    decode(bytes.fromhex(sys.argv[1]), "large.png")
except ImageTooLargeError as error:
    print(error)
"""


def test_what_pillow_warns_of_is_said_by_an_error_alone():
    content = claiming(10_000, 9_000)
    command = [sys.executable, "-c", TOO_LARGE, content.hex()]
    finished = subprocess.run(command, capture_output=True, text=True, check=True)
    assert finished.stdout.startswith("Expected at most 64 megapixels; got 10000×9000")
    assert finished.stderr == ""
