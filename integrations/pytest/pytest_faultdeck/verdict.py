"""What a session came to: the JSON report of `faultdeck run`, and the text that goes with it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

PASSED, FAILED, WRONG_INPUT, INCONCLUSIVE = 0, 1, 2, 3
"""The exit codes of faultdeck."""


class Broken(AssertionError):
    """The session of a test did not come out well; the text says why."""


@dataclass(frozen=True)
class Verdict:
    """What a session came to."""

    report: dict[str, Any]
    """The report for programs, as `faultdeck report --format json` makes it."""
    human: str
    """The report for a person."""
    passed: bool
    """Whether the test itself did."""
    laws: tuple[str, ...] = ()
    """Laws that must hold beside those of the scenario."""

    def is_allowed(self) -> bool:
        """Whether nothing speaks against the session, the test's own end included."""
        return self.report.get("exit") == PASSED and not self._of_laws()

    def is_idle(self) -> bool:
        """Whether nothing was asked of the console."""
        return not self.report["counts"]["served"] and not self.report["connections"]

    def never_fired(self) -> list[str]:
        """Planned faults that never fired."""
        return list(self.report["never_fired"])

    def scenarios(self) -> list[str]:
        """The names of its scenarios."""
        return list(self.report["scenarios"])

    def count(self, name: str) -> int:
        """One of the counts of the report: `served`, `faults`, `misses`."""
        return int(self.report["counts"].get(name, 0))

    def against(self, of_suite: bool = False) -> list[str]:
        """What speaks against the session, but for the test's own failure, weightiest first.

        With `of_suite` the session is one of many under a scenario that somebody put over all tests: one that asked for nothing
        is no concern of the scenario's, and a fault that did not fire here may have fired elsewhere.
        """
        reasons = [one for one in self.report["reasons"] if one["exit"] != PASSED]
        if not self.passed:
            # Its own failure it tells itself.
            reasons = [one for one in reasons if one["why"] != self.report["command"]]
        if of_suite and self.is_idle():
            reasons = [one for one in reasons if one["exit"] != INCONCLUSIVE]
        elif of_suite:
            silent = "never fired: " + ", ".join(self.never_fired())
            reasons = [one for one in reasons if one["why"] != silent]
        reasons.sort(key=lambda one: one["exit"] == INCONCLUSIVE)
        found = self._of_laws() + [one["why"].replace("the command", "the test") for one in reasons]
        idle = "does the test ask through the proxy variables, or under the fixture's `url`?"
        return [one.replace("does the test use FAULTDECK_URL?", idle) for one in found]

    def _of_laws(self) -> list[str]:
        """What the laws say that the scenario does not name."""
        found = []
        for law in self.laws:
            mine = [one for one in self.report["verdicts"] if one["property"] == law]
            for one in mine:
                if one["verdict"] == "violated" and not one["required"]:
                    found.append(f"{law} is violated: {one['because']}")
            if not mine or any("the wire does not show it" in one["because"] for one in mine):
                found.append(
                    f"must: `{law}` cannot be judged from requests alone; `faultdeck explain properties` names those that can"
                )
        return found

    def text(self, found: Iterable[str]) -> str:
        """All of it, for a person: what was found, then the report."""
        return "\n\n".join(part for part in ("; ".join(found), self.human.rstrip(), self.extra()) if part)

    def extra(self) -> str:
        """Evidence of laws that the scenario does not name."""
        lines = []
        for one in self.report["verdicts"]:
            if one["property"] in self.laws and one["verdict"] == "violated" and not one["required"]:
                lines += [f"VIOLATED: {one['property']}", f"  {one['because']}"]
                lines += [f"    {line}" for line in one["evidence"]]
        return "\n".join(lines)
