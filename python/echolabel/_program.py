"""The program: where it is, and how it is called."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

#: Exit code for "some inputs failed, each named with its reason".
SOME_INPUTS_FAILED = 1

PathLike = str | os.PathLike[str]


class EcholabelError(Exception):
    """The program refused, or could not read a file; ``kind`` is its short name for that, where it has one."""

    def __init__(self, message: str, kind: str | None = None) -> None:
        super().__init__(message)
        self.kind = kind


def program() -> Path:
    """Returns the path of the program: the one that was installed with this module, else the one in PATH."""
    name = "echolabel.exe" if sys.platform == "win32" else "echolabel"
    folders: list[PathLike] = [
        sysconfig.get_path("scripts"),
        sysconfig.get_path("scripts", sysconfig.get_preferred_scheme("user")),
        # `pip install --target DIR` puts programs into DIR/bin.
        Path(__file__).parent.parent / "bin",
    ]
    for folder in folders:
        if (found := Path(folder) / name).is_file():
            return found
    if in_path := shutil.which(name):
        return Path(in_path)
    raise EcholabelError("the program echolabel is not installed")


def run(arguments: Sequence[PathLike]) -> str:
    """Runs the program and returns what it printed.

    Raises:
        EcholabelError: it could not do anything; inputs that failed are in its output.
    """
    done = subprocess.run(
        [program(), *arguments], stdin=subprocess.DEVNULL, capture_output=True, encoding="utf-8", check=False
    )
    if done.returncode not in (0, SOME_INPUTS_FAILED):
        raise EcholabelError(done.stderr.strip() or f"echolabel ended with {done.returncode}")
    return done.stdout


def json_lines(arguments: Sequence[PathLike]) -> Iterator[Any]:
    """Runs the program and returns the objects that it printed, one a line."""
    return (json.loads(line) for line in run(arguments).splitlines())
