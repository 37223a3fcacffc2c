"""Credentials stay where they were given: not in a log, a record, an artifact or the server's database."""

import json
import shutil
from pathlib import Path

from tests.conftest import write_photographs
from tests.test_archive import FEW


def files_with(secret: str, *folders: Path) -> list[Path]:
    """All files below the folders that hold the secret, as text of any usual encoding."""
    spellings = [secret.encode(code) for code in ("utf-8", "utf-16-le")]
    paths = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    return [path for path in paths if any(spelling in path.read_bytes() for spelling in spellings)]


def test_no_file_holds_the_key_a_run_was_given(dip, s3, tmp_path):
    write_photographs(tmp_path / "in", 2)
    (tmp_path / "in" / "broken.png").write_bytes(b"no image")
    shutil.copytree(tmp_path / "in", s3.folder / "archive" / "guarded")
    secret = s3.environment["AWS_SECRET_ACCESS_KEY"]
    credentials = {"key": s3.environment["AWS_ACCESS_KEY_ID"], "secret": secret}
    options = json.dumps({"endpoint_url": s3.endpoint, **credentials})
    line = ("--task", "denoise", "--storage-options", options, *FEW)
    finished = dip("restore", "s3://archive/guarded", "s3://archive/kept", *line)
    assert finished.returncode == 1, finished.stderr
    wrong = options.replace(s3.endpoint, "http://127.0.0.1:9")
    refused = dip("restore", "s3://archive/guarded", tmp_path / "out", *line[:3], wrong, *FEW)
    assert refused.returncode == 2
    for said in (finished, refused):
        assert secret not in said.stdout + said.stderr
    home = Path(dip.environment["PREFECT_HOME"])
    assert any(home.rglob("*.db"))  # the server's database is looked at, too
    assert files_with(secret, s3.folder, tmp_path, home) == []
    (tmp_path / "spoken").write_text(f"the key is {secret}")
    assert files_with(secret, tmp_path) == [tmp_path / "spoken"]
