"""What a restoration refuses, each in a sentence, before anything is written."""

import shutil
from pathlib import Path

from tests.conftest import write_photographs

REFUSED = [
    (("in", "in/out", "--task", "denoise"), "Expected an output apart from the source"),
    (("in/sub", "in", "--task", "denoise"), "Expected an output apart from the source"),
    (("in", "out", "--task", "inpaint"), "needs masks"),
    (("in", "out", "--task", "denoise", "--masks", "in"), "masks go with inpainting and super-resolution"),
    (("nowhere", "out", "--task", "denoise"), "does not exist"),
    (("in/photo-00.png", "out", "--task", "denoise"), "is a single file"),
    (("texts", "out", "--task", "denoise"), "found none among 1 files"),
    (("in", "texts", "--task", "denoise"), "holds 1 other entries, such as 'a.txt'"),
    (("in", "texts/a.txt", "--task", "denoise"), "texts/a.txt is a file"),
    (("in", "out", "--task", "super-resolution", "--scale", "9"), "scale"),
    (("in", "out", "--task", "super-resolution", "--method", "nlm"), "the method nlm with the task denoise"),
    (("in", "out", "--task", "super-resolution", "--preset", "paper-jpeg"), "preset paper-jpeg with"),
    (("in", "out", "--task", "denoise", "--method", "trained"), "--weights"),
    (("in", "out", "--task", "denoise", "--preset", "paper-flash"), "Expected second images for the preset"),
    (("in", "out", "--task", "denoise", "--guides", "apart"), "got the method dip with the preset auto"),
    (("in", "out", "--task", "denoise", "--preset", "paper-flash", "--guides", "."), "apart from the guides"),
    (("in", "out", "--task", "denoise", "--method", "trained", "--weights", "no.pt"), "file of a network"),
    (("in", "out", "--task", "denoise", "--uncertainty"), "--restarts 2"),
    (("in", "out", "--task", "denoise", "--device", "cuda:9", "--workers", "1"), "cuda:9"),
    (("in", "out", "--task", "denoise", "--device", "tpu", "--workers", "1"), "tpu"),
    (("in", "out", "--task", "denoise", "--scheduler", "tcp://127.0.0.1:9"), "Expected a Dask scheduler"),
    (("in", "out", "--task", "denoise", "--storage-options", "{"), "JSON"),
    (("in", "out", "--task", "denoise", "--workers", "1", "--scheduler", "tcp://127.0.0.1:9"), "got both"),
    (("in", "out", "--task", "denoise", "--method", "nlm", "--device", "cuda:"), "expected a device auto"),
    (("in", "out", "--task", "inpaint", "--masks", "in/sub"), "Expected masks apart from the source"),
    (("in", "out", "--task", "inpaint", "--masks", ""), "masks"),
    (("in", "out", "--task", "inpaint", "--masks", "apart"), "found none for an image among 1 masks"),
    (("in", "out", "--task", "denoise", "--preset", "paper-flash", "--guides", "gone"), "does not exist"),
    (("in", "out", "--task", "denoise", "--method", "trained", "--weights", "texts/a.txt"), "TorchScript"),
    (("in", "out", "--task", "denoise", "--scale", "2"), "a scale factor goes with a super-resolution"),
    (("in", "out", "--task", "denoise", "--damage", "black"), "no masks in which black could mean damage"),
    (("in", "out", "--task", "super-resolution", "--noise-floor", "3"), "a noise floor goes with denoising"),
    (("in", "out", "--task", "denoise", "--all", "--retry-failed"), "name one"),
    (("in", "out", "--task", "denoise", "--time-limit", "inf"), "less than or equal to 100000000"),
    (("in", "out", "--task", "denoise", "--suffix", ".tif"), "--format asks for one"),
    (("in", "out", "--task", "denoise", "--suffix", "a" * 101), "at most 100"),
    (("in", "nosuch://bucket/out", "--task", "denoise"), "Expected a path or a URL"),
    (("in", "memory://out", "--task", "denoise"), "Expected storage that other processes reach"),
    (("in", "out", "--task", "denoise", "--depth", "9"), "a depth from 1 to 8"),
    (("in", "out", "--task", "colourise"), "colourise"),

]  # fmt: skip

LATE_SENTENCES = ("Expected a Dask scheduler", "found none for an image among 1 masks")
LATE = [arguments for arguments, sentence in REFUSED if sentence in LATE_SENTENCES]
"""What is only found out once the output is locked."""


def test_what_cannot_be_done_is_said_in_a_sentence(dip, tmp_path, monkeypatch):
    write_photographs(tmp_path / "in", 1)
    (tmp_path / "in" / "sub").mkdir()
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "a.txt").write_text("no image")
    (tmp_path / "apart").mkdir()
    shutil.copy(tmp_path / "in" / "photo-00.png", tmp_path / "apart" / "of another.png")
    monkeypatch.chdir(tmp_path)

    for number, (arguments, sentence) in enumerate(REFUSED):
        apart = f"out-{number}"  # no two runs on one output
        process = dip("restore", *(apart if argument == "out" else argument for argument in arguments))
        assert process.returncode == 2, arguments
        assert sentence in " ".join(process.stderr.split()), (arguments, process.stderr)
        assert "Traceback" not in process.stderr, arguments
        assert not Path(apart).exists() or arguments in LATE, "nothing is left behind"
