"""The shape of the house: imports run one way, errors survive the way back from a worker.

The order of the rooms is a contract in pyproject.toml, which `lint-imports` checks.
"""

import ast
import inspect
import pickle
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import grimp
import pytest

from dip import errors, images

ROOT = Path(__file__).parent.parent
ERRORS = [
    value for value in vars(errors).values() if isinstance(value, type) and issubclass(value, Exception)
]
ABSENT_WITHOUT_FLOWS = {"prefect", "dask", "distributed", "s3fs", "skimage", "pydantic", "matplotlib"}
ALLOWED = {
    name: {"skimage"} for name in ("alignment.py", "classical.py", "metrics.py", "noise.py", "proposal.py")
}
LAYERS = {"cli": {"dip", "flows"}, "flows": {"dip", "flows"}, "dip": {"dip"}}


def imported_by(path: Path) -> set[str]:
    tree = ast.parse(path.read_text())
    modules = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            modules |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            modules.add(node.module.split(".")[0])
    return modules


@pytest.mark.parametrize("layer", LAYERS)
def test_imports_run_one_way(layer):
    files = [ROOT / "cli.py"] if layer == "cli" else (ROOT / layer).rglob("*.py")
    for path in files:
        assert imported_by(path) & {"cli", "flows", "dip", "tests"} <= LAYERS[layer], path
        if layer == "dip":
            assert not imported_by(path) & (ABSENT_WITHOUT_FLOWS - ALLOWED.get(path.name, set())), path


def test_no_module_imports_itself_by_way_of_others():
    # Imports for type checkers, and those within functions, count like all others.
    imports = grimp.build_graph("dip", "flows", cache_dir=None)
    known = {module: imports.find_modules_directly_imported_by(module) for module in imports.modules}
    TopologicalSorter(known).prepare()  # raises an error that names the circle


EXPLAINED = ("operators/**/*.py", "parameterizations/*.py", "objective.py", "evaluation/metrics.py")


@pytest.mark.parametrize("files", EXPLAINED)
def test_public_functions_show_an_example(files):
    for path in (ROOT / "dip").glob(files):
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
                assert ">>>" in ast.get_docstring(node), f"{node.name} in {path}"


def test_what_the_images_offer_shows_an_example():
    offered = [getattr(images, name) for name in images.__all__]
    for function in filter(inspect.isfunction, offered):
        assert ">>>" in inspect.getdoc(function), function


@pytest.mark.parametrize("folder", ["dip", "flows"])
def test_files_lie_in_rooms(folder):
    most = {"dip": 5, "flows": 13}
    assert len(list((ROOT / folder).glob("*.py"))) <= most[folder]


@pytest.mark.parametrize(
    ("module", "absent"),
    [
        ("cli", "torch"),
        ("cli", "prefect"),
        ("dip.pipeline.stages", "distributed"),
        ("dip.pipeline.stages", "skimage"),
        ("dip.configuration.vocabulary", "torch"),
        ("flows.workers.worker", "prefect"),
        ("flows.archive", "torch"),
    ],
)
def test_importing_one_thing_does_not_bring_another(module, absent):
    script = f"import sys, {module}; sys.exit({absent!r} in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=False).returncode == 0


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: error.__name__)
def test_errors_survive_pickling(error):
    again = pickle.loads(pickle.dumps(error("Expected this; got that.")))
    assert type(again) is error
    assert str(again) == "Expected this; got that."
    assert isinstance(again, errors.DipError)
