"""All sessions of a test run: one account, also where several processes share the work."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from .verdict import Verdict


@dataclass
class Session:
    """What the session of one test came to, as one process tells another."""

    scenario: str
    of_suite: bool
    is_idle: bool
    failed: bool
    served: int
    faults: int
    never_fired: list[str]
    fired: list[str]

    @classmethod
    def of(cls, verdict: Verdict, name: str, of_suite: bool, failed: bool) -> "Session":
        """The account of a verdict."""
        fired = [str(one["planned"]) for one in verdict.report["faults"]]
        return cls(
            scenario=name,
            of_suite=of_suite,
            is_idle=verdict.is_idle(),
            failed=failed,
            served=verdict.count("served"),
            faults=verdict.count("faults"),
            never_fired=verdict.never_fired(),
            fired=fired,
        )

    def told(self) -> dict[str, Any]:
        """It as plain data."""
        return asdict(self)


class Suite:
    """The account of all."""

    def __init__(self) -> None:
        self.sessions: list[Session] = []

    def add(self, told: dict[str, Any]) -> None:
        """Adds a session that was told."""
        self.sessions.append(Session(**told))

    def untested(self, scenarios: Iterable[str]) -> list[str]:
        """Why the suite as a whole tested less than it was asked to, if it did: a line for each scenario that was put over all
        tests and that nobody came near, or of which a fault never fired in any."""
        found = []
        for name in scenarios:
            mine = [one for one in self.sessions if one.of_suite and one.scenario == name]
            busy = [one for one in mine if not one.is_idle]
            if not busy:
                found.append(f"{name}: no test asked anything of the console")
                continue
            # Silent everywhere: what fired in one test has fired.
            silent = set.intersection(*(set(one.never_fired) for one in busy))
            if silent:
                found.append(f"{name}: never fired in any test: {', '.join(sorted(silent))}")
        return found

    def lines(self) -> list[str]:
        """A line for each scenario."""
        lines = []
        for name in dict.fromkeys(one.scenario for one in self.sessions):
            mine = [one for one in self.sessions if one.scenario == name and not (one.of_suite and one.is_idle)]
            if not mine:
                continue
            failed = sum(one.failed for one in mine)
            outcome = f"{failed} failed" if failed else "passed"
            lines.append(
                f"{name}: {_many(len(mine), 'test')}, {_many(sum(one.served for one in mine), 'request')}, "
                f"{_many(sum(one.faults for one in mine), 'fault')} fired: {outcome}"
            )
        return lines


def _many(count: int, thing: str) -> str:
    return f"{count} {thing}" if count == 1 else f"{count} {thing}s"
