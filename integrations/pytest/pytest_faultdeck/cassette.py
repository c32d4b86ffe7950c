"""`use_cassette`, for people who come from vcrpy: a recording around a piece of code, with or without pytest."""

from __future__ import annotations

import functools
import inspect
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any, Callable, Optional, TypeVar

from . import binary, vcr
from .console import END_S, START_S, Console, Request, Trouble, Variables
from .story import Story
from .verdict import Broken

UPSTREAM = "FAULTDECK_UPSTREAM"
"""Names the console that is recorded, if the decorator does not."""

RECORD = '"$@" & child=$!; exec >&-; cat >/dev/null; kill -TERM "$child" 2>/dev/null; wait "$child"'
"""Ends the recorder when the input ends: also when the process of the tests is killed. The output is the recorder's alone."""

Function = TypeVar("Function", bound=Callable[..., Any])


class use_cassette:  # noqa: N801 - it is called as vcrpy calls it
    """A decorator and a context manager: what is asked within is answered from the cassette `name`.

    `record_mode` is `once` (record, if there is no cassette yet), `none` (never record) or `all` (record anew). A recording
    needs `upstream`, the console: nothing else is ever contacted. Whatever else :class:`~pytest_faultdeck.Story` takes can be
    given, `scenario` before all. A request that no recording answers, a broken law and a planned fault that never fired raise
    :class:`~pytest_faultdeck.Broken` at the end.
    """

    def __init__(
        self,
        name: str,
        record_mode: object = "once",
        *,
        upstream: Optional[str] = None,
        allow_writes: tuple[str, ...] = (),
        record_args: tuple[str, ...] = (),
        **words: Any,
    ):
        self.name, self.upstream = vcr.cassette(name), upstream
        self.mode = vcr.mode(record_mode)
        self._record_args = [word for one in allow_writes for word in ("--allow-writes", one)] + list(record_args)
        vcr.refuse(words)
        self._story = Story.of({**words, "cassette": self.name})
        self._console: Optional[Console] = None
        self._recorder: Optional[_Recorder] = None
        self._variables: Optional[Variables] = None
        self._kept: list[Request] = []

    def file(self) -> Path:
        """Where the cassette is, or will be."""
        return Path(self.name) if self.name.endswith(".json") else Path("cassettes", f"{self.name}.json")

    def _records(self) -> bool:
        if self.name.startswith("builtin:") or self.mode == "none":
            return False
        return self.mode == "all" or not self.file().exists()

    def __enter__(self) -> "use_cassette":
        if self._records():
            self._recorder = _Recorder(self)
            environment = self._recorder.environment
        else:
            self._console = Console(self._story, [f"use_cassette({self.name!r})"])
            environment = self._console.environment
        self._variables = Variables(environment)
        return self

    def __exit__(self, kind: object, error: Optional[BaseException], _trace: object) -> None:
        if self._variables is not None:
            self._variables.restore()
        recorder, self._recorder = self._recorder, None
        if recorder is not None:
            recorder.finish(raises=error is None)
            return
        console, self._console = self._console, None
        assert console is not None
        self._kept = console.requests
        if error is not None and not isinstance(error, Exception):
            console.abandon()
            return
        verdict = console.finish(error is None)
        found = verdict.against()
        if found and error is None:
            raise Broken(verdict.text(found))
        if found and hasattr(error, "add_note"):
            error.add_note(verdict.text(found))  # type: ignore[union-attr]

    def __call__(self, function: Function) -> Function:
        if inspect.iscoroutinefunction(function):

            @functools.wraps(function)
            async def awaited(*args: Any, **kwargs: Any) -> Any:
                with self._again():
                    return await function(*args, **kwargs)

            return awaited  # type: ignore[return-value]

        @functools.wraps(function)
        def called(*args: Any, **kwargs: Any) -> Any:
            with self._again():
                return function(*args, **kwargs)

        return called  # type: ignore[return-value]

    def _again(self) -> "use_cassette":
        """A fresh session for each call."""
        again = use_cassette.__new__(use_cassette)
        again.__dict__.update(self.__dict__, _console=None, _recorder=None, _variables=None, _kept=[])
        return again

    @property
    def url(self) -> str:
        """Where the replay, or the recorder, listens."""
        return self._console.url if self._console else self._recorder.url if self._recorder else ""

    @property
    def requests(self) -> list[Request]:
        """All requests that were answered from the cassette."""
        return self._console.requests if self._console else self._kept

    @property
    def play_count(self) -> int:
        """How many requests were answered from the cassette."""
        return sum(not request.missed for request in self.requests)


class _Recorder:
    """A `faultdeck record` around a piece of code."""

    def __init__(self, wanted: use_cassette):
        upstream = wanted.upstream or os.environ.get(UPSTREAM)
        if not upstream:
            raise Trouble(
                f"there is no cassette {wanted.file()}, and nothing says which console to record: give "
                f"use_cassette(..., upstream=\"https://qradar.example\"), or set {UPSTREAM}"
            )
        program = binary.find()
        self._own = Path(tempfile.mkdtemp(prefix="faultdeck-record-"))
        argv = [program, "record", "--upstream", upstream, "--cassette", wanted.name, "--proxy", "--quiet"]
        argv += ["--overwrite"] if wanted.mode == "all" else []
        argv += wanted._record_args
        with open(self._own / "notes", "wb") as notes:
            self._process = subprocess.Popen(
                ["sh", "-c", RECORD, "sh", *argv],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=notes,
                start_new_session=True,
            )
        assert self._process.stdout is not None
        self.url = self._process.stdout.readline().decode().strip()
        if not self.url:
            self.finish(raises=True)
            raise Trouble("the recorder did not start")
        self.environment: dict[str, Optional[str]] = {name: self.url for name in vcr.PROXY}
        # The console itself may be on this machine.
        self.environment.update({"NO_PROXY": None, "no_proxy": None, "ALL_PROXY": None, "all_proxy": None})
        host = upstream.split("//")[-1].split("/")[0].rsplit(":", 1)[0]
        authority = subprocess.run(
            [program, "ca", "--tls-name", host], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=START_S
        )
        if authority.returncode == 0:
            self.environment.update({name: authority.stdout.decode().strip() for name in vcr.TRUST})

    def finish(self, raises: bool) -> None:
        """Makes the cassette."""
        try:
            self._process.communicate(timeout=END_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.communicate()
        notes = (self._own / "notes").read_text(encoding="utf-8", errors="replace").strip()
        shutil.rmtree(self._own, ignore_errors=True)
        if raises and self._process.returncode != 0:
            raise Trouble(f"the recording failed (exit code {self._process.returncode}):\n{notes}")
