"""The deployments on a real server, run by a real worker."""

import json
import subprocess
import urllib.request
from pathlib import Path

import pytest

from tests.conftest import executable, running, wait_for, write_photographs
from tests.test_archive import rows_of

PREFECT_YAML = Path(__file__).parent.parent / "deployments" / "prefect.yaml"


def ask(environment: dict[str, str], path: str, **body) -> list[dict]:
    request = urllib.request.Request(
        f"{environment['PREFECT_API_URL']}/{path}",
        data=json.dumps(body).encode(),
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=30) as response:
        return json.load(response)


@pytest.fixture
def deployed(environment, tmp_path):
    """The environment, with both deployments registered and the nightly one pointed at a folder."""
    write_photographs(tmp_path / "in", 3)
    folders = {
        "DIP_ARCHIVE_SOURCE": str(tmp_path / "in"),
        "DIP_ARCHIVE_OUTPUT": str(tmp_path / "out"),
        "DIP_BENCHMARK_SOURCE": str(tmp_path / "in"),
        "DIP_BENCHMARK_OUTPUT": str(tmp_path / "measured"),
    }
    environment = {**environment, **folders}
    prefect(environment, "work-pool", "create", "restoration", "--type", "process", "--overwrite")
    prefect(environment, "deploy", "--all", "--prefect-file", PREFECT_YAML)
    return environment


def prefect(environment, *arguments) -> str:
    command = [executable("prefect"), "--no-prompt", *map(str, arguments)]
    finished = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=200, check=False
    )
    assert finished.returncode == 0, finished.stdout + finished.stderr
    return finished.stdout


def test_scheduled_restoration_is_picked_up_and_shows_on_the_server(deployed, tmp_path):
    registered = {entry["name"]: entry for entry in ask(deployed, "deployments/filter")}
    assert set(registered) >= {"nightly", "on-demand"}
    assert registered["nightly"]["schedules"][0]["schedule"]["cron"] == "0 1 * * *"
    few = json.dumps({**registered["nightly"]["parameters"]["batch"], "max_iterations": 3})
    worker = [executable("prefect"), "worker", "start", "--pool", "restoration"]
    with running(worker, deployed, tmp_path / "worker.log"):
        prefect(deployed, "deployment", "run", "restore-archive/nightly", "--param", f"batch={few}")
        run = wait_for(lambda: finished_run(deployed), "the end of the deployment's run", 200)
    assert run["state"]["type"] == "COMPLETED", (tmp_path / "worker.log").read_text()[-3000:]
    assert [row["status"] for row in rows_of(tmp_path / "out")] == ["restored"] * 3
    only_its = {"flow_runs": {"id": {"any_": [run["id"]]}}}
    names = [entry["name"] for entry in ask(deployed, "task_runs/filter", **only_its)]
    assert names == ["denoise: images 1-3 of 3"]
    [artifact] = [
        entry for entry in ask(deployed, "artifacts/filter", **only_its) if entry["type"] == "markdown"
    ]
    assert artifact["key"] == "restoration-summary"
    assert "3 of 3 images restored" in artifact["data"]


def finished_run(environment) -> dict | None:
    of_the_deployment = {"deployments": {"name": {"any_": ["nightly"]}}}
    runs = ask(environment, "flow_runs/filter", **of_the_deployment)
    ended = [run for run in runs if run["state"]["type"] in ("COMPLETED", "FAILED", "CRASHED")]
    return ended[0] if ended else None
