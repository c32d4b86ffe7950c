"""Where the program `faultdeck` is."""

from __future__ import annotations

import os
import shutil
import sys
import sysconfig
from pathlib import Path

VARIABLE = "FAULTDECK"
"""Names the program, if it is not on PATH."""

FIX = f"""\
  Any of these helps:
    - install it: `cargo install --path .` in faultdeck's repository, or a package of it, if you have one
    - name it: {VARIABLE}=/path/to/faultdeck pytest
    - put its folder on PATH"""


class NotFound(Exception):
    """There is no program to ask."""


def find() -> str:
    """The path of the program: what the variable names, else the one on PATH, else the one beside this Python.

    :raises NotFound: with the fix, if there is none.
    """
    named = os.environ.get(VARIABLE)
    if named:
        found = shutil.which(named)
        if found is None:
            raise NotFound(f"{VARIABLE} names `{named}`, which is no program that can be run.\n{FIX}")
        return os.path.abspath(found)
    # A virtual environment that is used without being activated has its programs beside its Python.
    beside = os.pathsep.join({str(Path(sys.executable).parent), sysconfig.get_path("scripts")})
    found = shutil.which("faultdeck") or shutil.which("faultdeck", path=beside)
    if found is None:
        raise NotFound(f"the program `faultdeck` was not found: {VARIABLE} is not set, and PATH has none.\n{FIX}")
    return os.path.abspath(found)
