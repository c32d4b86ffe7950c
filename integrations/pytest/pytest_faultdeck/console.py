"""A console of one's own: a `faultdeck run` whose command stands by, in the place of a test, until it is told how that ended.

What the run hands its command in variables is what the test gets. The command ends when its input does, and the run with it: so
nothing is left when the process of the tests is killed.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Optional

from . import binary
from .story import Story
from .verdict import Verdict

STAND_BY = "env -0 && printf '\\0' && IFS= read -r code && exit \"$code\"; exit 1"
"""The command: tells its variables, and waits for the exit code of the test."""
OF_SHELL = ("_", "PWD", "OLDPWD", "SHLVL", "FAULTDECK_STAND_BY", "FAULTDECK_CHILD")
"""Variables that are no business of the test's: the shell's own, and the mark by which faultdeck finds its children."""
OF_CI = ("GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY")
"""Variables that make a run tell a CI system of itself: the suite tells it."""

START_S = 30.0
"""How long the program has to begin."""
END_S = 60.0
"""How long it has to end, and to judge."""
RUN_S = 24 * 3600
"""How long a test may take, at most: a debugger may be open in it."""
SETTLE_S = 2.0
"""How long what was asked just now may take to be told."""
QUIET_S = 0.2
"""A ledger to which nothing was added for so long has all that was asked."""
STEP_S = 5.0
"""How long a tick may take."""


class Trouble(Exception):
    """The program did not do what it is for; the text is its own."""


@dataclass(frozen=True)
class Request:
    """One request, and what it was answered."""

    method: str
    path: str
    """The target: path and query, as it was sent."""
    body: Optional[str]
    """What was sent with it, if that was text, and not to the byte what was recorded."""
    status: int
    endpoint: str
    """The endpoint of the API: method and template."""
    nth: int
    """Which request for this resource it was, from 1."""
    tick: Optional[int]
    """The tick of its task."""
    state: Optional[str]
    """The state of its task."""
    faults: tuple[str, ...]
    """The kinds of faults that it met."""
    missed: bool
    """Whether no recording answers it."""

    @classmethod
    def of(cls, line: Mapping[str, Any]) -> "Request":
        """What a line of a ledger tells."""
        key, origin, body = line["key"], line["origin"], line["request_body"]
        return cls(
            method=line["method"],
            path=line["target"],
            body=body.get("text") if isinstance(body, dict) else None,
            status=line["status"],
            endpoint=key["endpoint"],
            nth=key["nth"],
            tick=line["tick"],
            state=line["state"],
            faults=tuple(fault["kind"] for fault in line["faults"]),
            missed=isinstance(origin, dict) and "miss" in origin,
        )


class Console:
    """A console that answers until :meth:`finish`."""

    def __init__(
        self, story: Story, repeat: Iterable[str], folder: Optional[Path] = None, ledger: Optional[Path] = None
    ):
        """Starts it. `repeat` are the words of the line that runs the test again, `folder` is where names of scenarios and
        cassettes are looked up.

        :raises Trouble: if it does not start; the text says why, and names the fix.
        """
        self.story, self._repeat = story, list(repeat)
        self._own = Path(tempfile.mkdtemp(prefix="faultdeck-test-"))
        self.ledger = ledger or self._own / "ledger.jsonl"
        self._process: Optional[subprocess.Popen[bytes]] = None
        self._notes: Optional[IO[bytes]] = None
        try:
            self._start(folder)
        except BaseException:
            self.abandon()
            raise

    def _start(self, folder: Optional[Path]) -> None:
        toml_file = self._own / "scenario.toml"
        if self.story.toml is not None:
            toml_file.write_text(self.story.toml, encoding="utf-8")
        given = {name: value for name, value in os.environ.items() if name not in OF_CI}
        argv = [binary.find(), "run", *self.story.flags(str(toml_file)), "--timeout", str(RUN_S)]
        argv += ["--ledger", str(self.ledger), "--report", f"json={self._own / 'report.json'}"]
        argv += ["--report", f"human={self._own / 'report.txt'}"]
        argv += [word for one in self._repeat for word in ("--stands-for", one)]
        argv += ["--", "sh", "-c", 'eval "$FAULTDECK_STAND_BY"']
        self._notes = open(self._own / "notes", "w+b")
        self._process = subprocess.Popen(
            argv,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._notes,
            cwd=folder,
            env={**given, "FAULTDECK_STAND_BY": STAND_BY},
            # Ctrl-C at the terminal is for the tests; this ends when they do.
            start_new_session=True,
        )
        told = self._told()
        self.environment: dict[str, Optional[str]] = {
            name: told.get(name)
            for name in {*given, *told}
            if name not in OF_SHELL and given.get(name) != told.get(name)
        }
        """The variables of the test, where they are others than before; `None` for one that is taken away."""
        self.url, self.sec = told["FAULTDECK_URL"], told["FAULTDECK_SEC"]
        self.ca_file = told.get("FAULTDECK_CA_FILE")

    def _told(self) -> dict[str, str]:
        """The variables of the command that stands by."""
        assert self._process is not None and self._process.stdout is not None
        # An end of it is noticed: it closes its output.
        watchdog = _Alarm(START_S, self._process)
        told = bytearray()
        with watchdog:
            while not told.endswith(b"\0\0"):
                piece = self._process.stdout.read1(65536)  # type: ignore[attr-defined]
                if not piece:
                    break
                told += piece
        if not told.endswith(b"\0\0"):
            self._process.wait()
            late = f"it did not start within {START_S:.0f} s" if watchdog.rang else ""
            raise Trouble(self.notes().strip() or late or f"it ended with exit code {self._process.returncode}")
        entries = (entry.partition(b"=") for entry in bytes(told).split(b"\0") if entry)
        return {os.fsdecode(name): os.fsdecode(value) for name, _, value in entries}

    def notes(self) -> str:
        """What the program wrote to its standard error."""
        return (self._own / "notes").read_text(encoding="utf-8", errors="replace")

    @property
    def requests(self) -> list[Request]:
        """All requests so far, in order."""
        deadline = time.monotonic() + SETTLE_S
        size, since = -1, 0.0
        while True:
            text = self.ledger.read_bytes() if self.ledger.exists() else b""
            now = time.monotonic()
            if len(text) != size:
                size, since = len(text), now
            if now >= deadline or now - since >= QUIET_S:
                break
            time.sleep(QUIET_S / 20)
        lines = (json.loads(line) for line in text.split(b"\n")[:-1])
        return [Request.of(line["exchange"]) for line in lines if "exchange" in line]

    def wait_for(self, count: int, within: float = 10.0) -> list[Request]:
        """Waits until so many requests were made, for a client that works in the background.

        :raises TimeoutError: if they do not come.
        """
        deadline = time.monotonic() + within
        while len(seen := self.requests) < count:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{len(seen)} of {count} requests came within {within} s")
        return seen

    def advance(self, ticks: int = 1) -> None:
        """Steps the clock of a scenario with `clock = { by = "hand" }`.

        :raises Trouble: if its clock is another.
        """
        if "the clock is stepped by hand" not in self.notes():
            raise Trouble('the clock of this scenario is not stepped by hand; write `clock = { by = "hand" }` in it')
        assert self._process is not None
        for _ in range(ticks):
            before = self._ticks()
            # A signal says no number: each is waited for.
            self._process.send_signal(signal.SIGUSR1)
            deadline = time.monotonic() + STEP_S
            while self._ticks() == before:
                if time.monotonic() > deadline or self._process.poll() is not None:
                    raise Trouble(f"the clock was not stepped within {STEP_S:.0f} s: {self.notes()}")
                time.sleep(0.001)

    def _ticks(self) -> int:
        return sum(line.startswith("tick ") for line in self.notes().splitlines())

    def finish(self, passed: bool) -> Verdict:
        """Says how the test ended, and hands back what the session came to.

        :raises Trouble: if the program does not say.
        """
        process, self._process = self._process, None
        assert process is not None and process.stdin is not None
        try:
            process.stdin.write(b"0\n" if passed else b"1\n")
            process.stdin.close()
        except BrokenPipeError:
            pass  # It has ended already; its notes say why.
        try:
            process.wait(END_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        assert process.stdout is not None
        process.stdout.close()
        try:
            report: dict[str, Any] = json.loads((self._own / "report.json").read_text(encoding="utf-8"))
            human = (self._own / "report.txt").read_text(encoding="utf-8")
        except (OSError, ValueError) as error:
            raise Trouble(f"no report (exit code {process.returncode}): {self.notes().strip() or error}") from None
        finally:
            self.abandon()
        return Verdict(report, human, passed, self.story.laws())

    def abandon(self) -> None:
        """Ends it without a verdict."""
        process, self._process = self._process, None
        if process is not None:
            process.terminate()
            try:
                process.communicate(timeout=END_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.communicate()
        if self._notes is not None:
            self._notes.close()
        shutil.rmtree(self._own, ignore_errors=True)


class Variables:
    """The variables of this process while a console answers, and as they were before."""

    def __init__(self, changes: Mapping[str, Optional[str]]):
        self._before = {name: os.environ.get(name) for name in changes}
        self._set(changes)

    def restore(self) -> None:
        """As they were."""
        self._set(self._before)

    @staticmethod
    def _set(values: Mapping[str, Optional[str]]) -> None:
        for name, value in values.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


class _Alarm:
    """Ends a process that takes too long to begin."""

    def __init__(self, seconds: float, process: "subprocess.Popen[Any]"):
        self.rang = False
        self._process = process
        self._timer = threading.Timer(seconds, self._ring)

    def _ring(self) -> None:
        self.rang = True
        self._process.kill()

    def __enter__(self) -> "_Alarm":
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
