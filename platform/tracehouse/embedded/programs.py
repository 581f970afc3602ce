"""How one process starts: by a small shell script of its own.

So paths and quoting stay out of supervisor's configuration, where `%`, `;` and spaces have meanings.
"""

import shlex
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tracehouse.embedded.folder import write_private


@dataclass(frozen=True, slots=True)
class Program:
    """A process that supervisor keeps running.

    `stop_signal` ends it cleanly. `orphan_signal` is sent by Linux when supervisor itself was killed.
    """

    name: str
    command: Sequence[str]
    folder: Path
    stop_signal: str = "TERM"
    orphan_signal: str = "TERM"
    stop_seconds: int = 20
    environment: Mapping[str, str] = field(default_factory=dict)
    only_environment: bool = False  # nothing is inherited: another user's processes must not hold our secrets


def python(*arguments: str) -> list[str]:
    """A command of this interpreter; console scripts would break in folders with long or spaced paths."""
    return [sys.executable, *arguments]


def write_script(program: Program, run: Path) -> Path:
    """The script supervisor runs for a program. It `exec`s, so the process keeps the pid supervisor knows."""
    environment = [f"{name}={value}" for name, value in program.environment.items()]
    command = [*dying_with_parent(program.orphan_signal), *program.command]
    if program.only_environment:
        command = ["env", "-i", *environment, *command]
    elif environment:
        command = ["env", *environment, *command]
    path = run / f"{program.name}.sh"
    write_private(path, f"cd {shlex.quote(str(program.folder))} || exit 1\nexec {shlex.join(command)}\n")
    return path


def dying_with_parent(signal_name: str) -> list[str]:
    """A prefix that makes Linux send the signal when the parent dies; elsewhere the next start cleans up."""
    if not sys.platform.startswith("linux") or not shutil.which("setpriv"):
        return []
    return ["setpriv", "--pdeathsig", signal_name, "--"]
