"""Code run inside an installation by one process that stays, since each management command costs a start of Django."""

import contextlib
import io
import json
import subprocess
import sys
import traceback
from collections.abc import Mapping
from pathlib import Path


class Interpreter:
    """The installation's Python with Django set up, as in `manage.py shell`; its start is not waited for."""

    def __init__(self, root: Path, environment: Mapping[str, str]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__).relative_to(root))],
            cwd=root,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(self, code: str) -> str:
        """What the code prints. An exception in it fails the test."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(code) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        assert answer, "the interpreter has ended"
        printed, error = json.loads(answer)
        assert not error, error
        return str(printed).strip()

    def close(self) -> None:
        with self._process:
            self._process.terminate()


def _answer(code: str) -> tuple[str, str]:
    """What was printed, and the traceback of what went wrong."""
    printed = io.StringIO()
    try:
        with contextlib.redirect_stdout(printed):
            exec(code, {})
    except Exception:
        return printed.getvalue(), traceback.format_exc()
    return printed.getvalue(), ""


if __name__ == "__main__":
    import django

    django.setup()
    from django.db import connection

    for line in sys.stdin:
        answered = _answer(json.loads(line))
        connection.close()
        sys.stdout.write(json.dumps(answered) + "\n")
        sys.stdout.flush()
