"""What a test is run under: a marker's words as flags of `faultdeck run`."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, Optional, Union

COMMAND = ("passes", "fails", "any")
"""What a test can be asked for; any other word of `must` is a law."""


def _words(value: Union[str, Iterable[str], None]) -> tuple[str, ...]:
    if value is None:
        return ()
    return (value,) if isinstance(value, str) else tuple(value)


@dataclass(frozen=True)
class Story:
    """The trouble of one test."""

    scenario: Optional[str] = None
    """A name, a `.toml` file, or `builtin:NAME`."""
    toml: Optional[str] = None
    """The text of a scenario, in place of its name."""
    seed: int = 1
    """The same seed meets the same trouble."""
    cassette: Optional[str] = None
    """A name below `cassettes/`, a `.json` file, or `builtin:NAME`; wins over the scenario's."""
    fault: Union[str, Iterable[str], None] = None
    """Faults in a line, as after `--fault`."""
    must: Union[str, Iterable[str], None] = None
    """`passes`, `fails` or `any`: what the test must do. Any other word is a law that must hold as well."""
    proxy: bool = True
    """Whether hosts that stand in the client's code are answered by the replay, through the variables of a proxy."""
    tls: bool = False
    """Whether the replay itself speaks https; there is no proxy then."""
    time_scale: int = 1
    """So many seconds of the scenario pass in one."""
    no_auth: bool = False
    """Whether requests without credentials are answered, too."""
    profile: Union[str, Iterable[str], None] = None
    """Files with more endpoints and task families."""
    env: Mapping[str, str] = field(default_factory=dict)
    """More variables for the test: `{"QRADAR_URL": "{url}/api"}`."""

    @classmethod
    def of(cls, words: Mapping[str, Any]) -> "Story":
        """What `words` say.

        :raises ValueError: if one is unknown, or two contradict each other.
        """
        known = [one.name for one in fields(cls)]
        for word in words:
            if word not in known:
                near = difflib.get_close_matches(word, known, n=1)
                hint = f"; did you mean `{near[0]}`?" if near else f"; there are {', '.join(known)}"
                raise ValueError(f"`{word}` is unknown{hint}")
        story = cls(**dict(words))
        if story.scenario is not None and story.toml is not None:
            raise ValueError("`scenario` names a scenario, and `toml` is one: give one of the two")
        if story.scenario is not None and story.scenario.endswith("/"):
            raise ValueError(f"`{story.scenario}` is a folder: name the scenarios of it, in a list")
        if story.tls and "proxy" in words and story.proxy:
            raise ValueError("`proxy` and `tls` exclude each other")
        return story

    def is_nothing(self) -> bool:
        """Whether nothing says what is answered."""
        return self.scenario is None and self.toml is None and self.cassette is None

    def under(self, scenario: str) -> "Story":
        """The same under another scenario."""
        return replace(self, scenario=scenario, toml=None)

    def laws(self) -> tuple[str, ...]:
        """The laws that must hold beside those of the scenario."""
        return tuple(word for word in _words(self.must) if word not in COMMAND)

    def name(self) -> str:
        """The story in a word."""
        if self.scenario is not None:
            return self.scenario
        return "a scenario of its own" if self.toml is not None else f"cassette {self.cassette}"

    def flags(self, toml_file: Optional[str]) -> list[str]:
        """The flags of `faultdeck run`."""
        flags = ["--seed", str(self.seed)]
        scenario = toml_file if self.toml is not None else self.scenario
        if scenario is not None:
            flags += ["--scenario", scenario]
        if self.cassette is not None:
            flags += ["--cassette", self.cassette]
        for fault in _words(self.fault):
            flags += ["--fault", fault]
        for word in _words(self.must):
            if word in COMMAND:
                flags += ["--command", word]
        for profile in _words(self.profile):
            flags += ["--profile", profile]
        for name, text in self.env.items():
            flags += ["--env", f"{name}={text}"]
        if self.time_scale != 1:
            flags += ["--time-scale", str(self.time_scale)]
        if self.no_auth:
            flags.append("--no-auth")
        if self.tls:
            flags.append("--tls")
        elif self.proxy:
            flags.append("--proxy")
        return flags
