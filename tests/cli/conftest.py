"""The command line as a user meets it, without the cost of a process."""

import sys
from collections.abc import Callable
from typing import NamedTuple

import pytest


class Outcome(NamedTuple):
    """What a command left behind."""

    status: int
    stdout: str
    stderr: str


@pytest.fixture
def smoothclap(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Outcome]:
    """Runs `smoothclap ARGUMENTS...` by its entry point."""
    from smoothclap.cli.main import run

    def command(*arguments: object) -> Outcome:
        monkeypatch.setattr(sys, "argv", ["smoothclap", *map(str, arguments)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as left:
            run()
        stdout, stderr = capsys.readouterr()
        return Outcome(int(left.value.code or 0), stdout, stderr)

    return command
