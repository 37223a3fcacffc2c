"""The READMEs: commands in them exist, links lead somewhere, and they are short enough to be read."""

import ast
import importlib.util
import re
import shlex
from itertools import dropwhile
from pathlib import Path
from typing import Any

import pytest
import typer
from distributed.cli import dask_scheduler, dask_worker
from PIL import Image

from cli import app

ROOT = Path(__file__).parent.parent
READMES = sorted([ROOT / "README.md", *ROOT.glob("*/README.md"), ROOT / "tests/bench/README.md"])
LONGEST_SENTENCE = 38
"""Words that a sentence has at most."""


def blocks(readme: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", readme.read_text(), re.DOTALL | re.MULTILINE)


def commands(readme: Path) -> list[list[str]]:
    """Words of each command in the blocks of a shell, without comments, variables before it, and its path."""
    lines = [line for block in blocks(readme, "sh") for line in block.splitlines()]
    words = [shlex.split(part, comments=True) for line in lines for part in line.split(" && ")]
    named = [list(dropwhile(lambda word: re.match(r"[A-Z_]+=", word), command)) for command in words]
    return [[Path(command[0]).name, *command[1:]] for command in named if command]


def of_program(name: str) -> list[str]:
    return sorted(
        {shlex.join(words) for readme in READMES for program, *words in commands(readme) if program == name}
    )


def parse(command: Any, words: list[str]) -> None:
    """Parse words as a command does, and those of its subcommand; unknown ones raise."""
    context = command.make_context(command.name, list(words))
    if hasattr(command, "resolve_command"):
        _, subcommand, rest = command.resolve_command(context, [*context._protected_args, *context.args])
        parse(subcommand, rest)


@pytest.mark.parametrize("line", of_program("dip"))
def test_command_in_a_readme_is_one_of_the_command_line(line):
    parse(typer.main.get_command(app), shlex.split(line))


@pytest.mark.parametrize("line", ["restore a b --task denoise --runs 2", "mend a b"])
def test_command_that_there_is_not_would_be_found(line):
    with pytest.raises(Exception, match="No such"):
        parse(typer.main.get_command(app), shlex.split(line))


@pytest.mark.parametrize("line", of_program("dask"))
def test_command_of_dask_in_a_readme_is_one(line):
    name, *words = shlex.split(line)
    parse({"scheduler": dask_scheduler.main, "worker": dask_worker.main}[name], words)


def test_programs_in_readmes_are_those_that_tests_run():
    programs = {command[0] for readme in READMES for command in commands(readme)}
    # tests/test_deployments.py runs Prefect's, .ci/run those that install and test.
    assert programs <= {"dip", "dask", "prefect", "export", "python3", "pip", "pytest"}


def test_benchmarks_in_readmes_exist():
    named = {name for readme in READMES for name in re.findall(r"python -m ([\w.]+)", readme.read_text())}
    assert named
    assert [name for name in named if importlib.util.find_spec(name) is None] == []


def test_python_in_readmes_imports_names_that_exist():
    trees = [ast.parse(block) for readme in READMES for block in blocks(readme, "python")]
    imports = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    assert imports
    for node in imports:
        module = importlib.import_module(node.module)
        assert all(hasattr(module, name.name) for name in node.names)


@pytest.mark.parametrize("readme", READMES, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_of_a_readme_lead_somewhere(readme):
    targets = [target for target in re.findall(r"\]\(([^)]+)\)", readme.read_text()) if "://" not in target]
    for path, _, heading in (target.partition("#") for target in targets):
        linked = (readme.parent / path).resolve() if path else readme
        assert linked.exists(), path
        assert not heading or heading in anchors(linked), heading


def anchors(readme: Path) -> set[str]:
    """Names that a heading has as the target of a link."""
    headings = re.findall(r"^#+ (.*)$", readme.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("readme", READMES, ids=lambda path: str(path.relative_to(ROOT)))
def test_sentences_of_a_readme_can_be_read_once(readme):
    text = re.sub(r"```.*?```", "", readme.read_text(), flags=re.DOTALL)
    text = re.sub(r"^[|#>].*$", "", text, flags=re.MULTILINE)
    sentences = [sentence.split() for sentence in re.split(r"(?<=[.:;])\s+", text)]
    assert [" ".join(words) for words in sentences if len(words) > LONGEST_SENTENCE] == []


def test_readme_is_short_and_begins_with_a_small_picture():
    lines = (ROOT / "README.md").read_text().splitlines()
    assert len(lines) <= 150
    [shown] = re.findall(r"^!\[.+\]\((.+)\)$", "\n".join(lines[:15]), re.MULTILINE)
    assert (ROOT / shown).stat().st_size < 200_000
    with Image.open(ROOT / shown) as picture:
        assert min(picture.size) > 500
