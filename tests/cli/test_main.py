import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from smoothclap.cli.main import app, run
from smoothclap.errors import SmoothClapError

HEAVY = ("torch", "numpy", "pandas", "transformers", "matplotlib", "opensmile", "scipy", "lightning_fabric")


def verbs(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The ways to every command that has none below it."""
    for name, inner in getattr(command, "commands", {}).items():
        yield from verbs(inner, (*path, name))
    if not hasattr(command, "commands"):
        yield path


VERBS = list(verbs(typer.main.get_command(app)))


def test_the_console_script_is_this_entry_point():
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
    assert project["scripts"] == {"smoothclap": "smoothclap.cli.main:run"}


def test_help_lists_every_verb(smoothclap):
    outcome = smoothclap("--help")
    assert outcome.status == 0
    for verb in ("corpus", "describe", "train", "evaluate", "classify"):
        assert verb in outcome.stdout


@pytest.mark.parametrize("verb", VERBS, ids=" ".join)
def test_help_shows_an_example_of_this_verb(smoothclap, verb: tuple[str, ...]):
    outcome = smoothclap(*verb, "--help")
    assert outcome.status == 0
    assert f"Example: smoothclap {' '.join(verb)}" in " ".join(outcome.stdout.split())


@pytest.mark.parametrize("arguments", [["--help"], ["train", "--help"], ["nonsense"]], ids=" ".join)
def test_help_does_not_wait_for_heavy_libraries(arguments: list[str]):
    code = (
        f"import sys; sys.argv = ['smoothclap', *{arguments}]\n"
        "from smoothclap.cli.main import run\n"
        "try: run()\nexcept SystemExit: pass\n"
        f"sys.exit(' '.join(name for name in {HEAVY} if name in sys.modules) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["clasify"],
        ["--nonsense"],
        ["classify", "--nonsense"],
        ["classify"],
        ["train", "recipe.yaml", "-o", "x"],
        [],
    ],
    ids=" ".join,
)
def test_wrong_usage_is_status_2_and_leaves_stdout_empty(smoothclap, arguments: list[str]):
    outcome = smoothclap(*arguments)
    assert outcome.status == 2
    assert "Traceback" not in outcome.stderr


def test_a_fault_is_one_line_and_status_1(smoothclap):
    outcome = smoothclap("corpus", "check", "emodb", "/no/such/folder")
    assert outcome.status == 1
    assert outcome.stdout == ""
    (line,) = outcome.stderr.splitlines()
    assert line.startswith("smoothclap: ")
    assert "/no/such/folder" in line


@pytest.mark.parametrize("place", [0, 3])
def test_debug_shows_where_a_fault_came_from(monkeypatch: pytest.MonkeyPatch, place: int):
    words = ["corpus", "check", "emodb", "/no/such/folder"]
    words.insert(place, "--debug")
    monkeypatch.setattr(sys, "argv", ["smoothclap", *words])
    with pytest.raises(SmoothClapError):
        run()


def test_our_own_fault_is_one_line_too(smoothclap, monkeypatch: pytest.MonkeyPatch):
    def broken(*_: object) -> None:
        raise KeyError("a\nb")

    monkeypatch.setattr("smoothclap.corpora.load_corpus", broken)
    outcome = smoothclap("corpus", "check", "emodb", "x")
    assert outcome.status == 1
    (line,) = outcome.stderr.splitlines()
    assert "KeyError" in line
    assert "--debug" in line
