"""The hooks: which tests have a console, and what becomes of its verdict."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Generator, Optional, Union

import pytest

from .binary import NotFound
from .console import Console, Trouble, Variables
from .story import Story
from .suite import Session, Suite
from .verdict import Verdict

SCENARIO = "faultdeck_scenario"
SEED = "faultdeck_seed"


class Standing:
    """A test that has a console."""

    def __init__(self, item: pytest.Item, story: Story, of_suite: bool):
        self.of_suite = of_suite
        self.told: Optional[dict[str, Any]] = None
        repeat = repeat_words(item, story, of_suite)
        self.console = Console(story, repeat, item.config.rootpath, ledger_of(item))
        self.variables = Variables(self.console.environment)


HERE = pytest.StashKey[Optional[Standing]]()
SUITE = pytest.StashKey[Suite]()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("faultdeck", "faultdeck: a console with trouble for each test")
    group.addoption(
        "--faultdeck-scenario",
        action="append",
        default=[],
        metavar="NAME,...",
        help="Runs every test that names no scenario of its own under this one. Several, with commas or the flag again: under each.",
    )
    group.addoption("--faultdeck-seed", type=int, metavar="NUMBER", help="The seed of tests that name none.")
    group.addoption(
        "--faultdeck-ledgers",
        metavar="FOLDER",
        help="Keeps the ledger of each test; `faultdeck report FOLDER/*.jsonl` makes any report of them.",
    )
    parser.addini("faultdeck_cassette", "The cassette of tests that name none and whose scenario names none.")


def pytest_configure(config: pytest.Config) -> None:
    config.stash[SUITE] = Suite()
    config.addinivalue_line(
        "markers",
        "faultdeck(scenario, seed=1, cassette=None, fault=None, must=None, toml=None, proxy=True, tls=False, time_scale=1, "
        "no_auth=False, profile=None, env={}): gives the test a console of its own, with this trouble. A list of scenarios or of "
        "seeds runs the test with each.",
    )
    for name in over_all(config):
        if name.endswith("/"):
            raise pytest.UsageError(f"--faultdeck-scenario {name}: name scenarios one by one, a folder cannot be given here")
    folder = config.getoption("--faultdeck-ledgers")
    if folder:
        Path(folder).mkdir(parents=True, exist_ok=True)


def over_all(config: pytest.Config) -> list[str]:
    """The scenarios that are put over all tests."""
    given = config.getoption("--faultdeck-scenario")
    return list(dict.fromkeys(name.strip() for names in given for name in names.split(",") if name.strip()))


def words_of(node: pytest.Item) -> Optional[dict[str, Any]]:
    """What the markers of a test say, the nearest last; `None` if there is none."""
    found: Optional[dict[str, Any]] = None
    for marker in reversed(list(node.iter_markers("faultdeck"))):
        found = found or {}
        if len(marker.args) > 1:
            raise pytest.UsageError(f"{node.nodeid}: faultdeck(...) takes the scenario, and all else by name")
        found.update({"scenario": marker.args[0]} if marker.args else {})
        found.update(marker.kwargs)
    return found


def _several(value: object) -> Optional[list[Any]]:
    return list(value) if isinstance(value, (list, tuple, range, set)) else None


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    words = words_of(metafunc.definition)
    wants = words is not None or "faultdeck" in metafunc.fixturenames
    words = words or {}
    scenarios = _several(words.get("scenario"))
    if scenarios is None and "scenario" not in words and "toml" not in words:
        named = over_all(metafunc.config)
        scenarios = named if len(named) > 1 else None
        wants = wants or scenarios is not None
    for name, values in ((SCENARIO, scenarios), (SEED, _several(words.get("seed")))):
        if wants and values is not None:
            if name not in metafunc.fixturenames:
                metafunc.fixturenames.append(name)
            ids = [str(value) if name == SCENARIO else f"seed {value}" for value in values]
            metafunc.parametrize(name, values, ids=ids)


def story_of(item: pytest.Item) -> Optional[tuple[Story, bool]]:
    """What a test is run under, and whether that was put over all tests; `None` if it has no console."""
    words = words_of(item)
    named = over_all(item.config)
    params = getattr(getattr(item, "callspec", None), "params", {})
    is_asked = words is not None or "faultdeck" in getattr(item, "fixturenames", ())
    if not is_asked and not named:
        return None
    if words is None and not hasattr(item, "function"):
        return None  # A file, a page of documentation: no code of a client's.
    words = dict(words or {})
    of_suite = "scenario" not in words and "toml" not in words and bool(named)
    if SCENARIO in params:
        words["scenario"] = params[SCENARIO]
    elif of_suite:
        words["scenario"] = named[0]
    if len(named) > 1 and of_suite and SCENARIO not in params:
        raise pytest.UsageError(f"{item.nodeid}: this kind of test takes one --faultdeck-scenario, not several")
    if SEED in params:
        words["seed"] = params[SEED]
    seed = item.config.getoption("--faultdeck-seed")
    if seed is not None:
        words.setdefault("seed", seed)
    try:
        story = Story.of(words)
    except (ValueError, TypeError) as error:
        raise pytest.UsageError(f"{item.nodeid}: faultdeck(...): {error}") from None
    if story.is_nothing():
        cassette = item.config.getini("faultdeck_cassette")
        if not cassette:
            raise pytest.UsageError(
                f"{item.nodeid}: nothing says what the console answers. Write @pytest.mark.faultdeck(scenario=\"slow-host\") or "
                "(cassette=...) above the test, or `faultdeck_cassette = NAME` in pytest's settings"
            )
        story = Story.of({**words, "cassette": cassette})
    return story, of_suite


def repeat_words(item: pytest.Item, story: Story, of_suite: bool) -> list[str]:
    """The words of the line that runs the test again."""
    words = ["pytest", item.nodeid]
    if of_suite:
        words += ["--faultdeck-scenario", ",".join(over_all(item.config))]
    if item.config.getoption("--faultdeck-seed") is not None:
        words += ["--faultdeck-seed", str(story.seed)]
    return words


def ledger_of(item: pytest.Item) -> Optional[Path]:
    """Where the ledger of a test is kept."""
    folder = item.config.getoption("--faultdeck-ledgers")
    if not folder:
        return None
    name = "".join(letter if letter.isalnum() or letter in "-_." else "-" for letter in item.nodeid)
    return Path(folder).absolute() / f"{name[-150:]}.jsonl"


def pytest_runtest_setup(item: pytest.Item) -> None:
    # After the hook that skips tests, and before the fixtures of this one: they find the variables.
    item.stash[HERE] = None
    story = story_of(item)
    if story is None:
        return
    try:
        item.stash[HERE] = Standing(item, *story)
        return
    except (NotFound, Trouble) as error:
        why = str(error)
    # Outside of the handler: the text is for whoever wrote the marker, and no trace helps.
    pytest.fail(f"faultdeck: {why}", pytrace=False)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    standing = item.stash.get(HERE, None)
    if standing is None:
        return (yield)
    try:
        result = yield
    except (KeyboardInterrupt, SystemExit, pytest.skip.Exception, pytest.exit.Exception):
        raise
    except BaseException:
        verdict, found = _finish(item, standing, passed=False)
        if found or not (standing.of_suite and verdict.is_idle()):
            item.add_report_section("call", "faultdeck", verdict.text(found))
        if verdict.is_allowed():
            pytest.xfail(f"may fail under {standing.console.story.name()}, says its `must`")
        raise
    verdict, found = _finish(item, standing, passed=True)
    if found:
        pytest.fail(verdict.text(found), pytrace=False)
    return result


def _finish(item: pytest.Item, standing: Standing, passed: bool) -> tuple[Verdict, list[str]]:
    """Closes the session, and what speaks against it."""
    verdict, why = None, ""
    try:
        verdict = standing.console.finish(passed)
    except Trouble as error:
        why = str(error)
    if verdict is None:
        pytest.fail(f"faultdeck: {why}", pytrace=False)
    found = verdict.against(standing.of_suite)
    name, failed = standing.console.story.name(), bool(found) or not (passed or verdict.is_allowed())
    standing.told = Session.of(verdict, name, standing.of_suite, failed).told()
    return verdict, found


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item) -> Generator[None, object, object]:
    try:
        return (yield)
    finally:
        standing = item.stash.get(HERE, None)
        if standing is not None:
            standing.variables.restore()
            standing.console.abandon()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    standing = item.stash.get(HERE, None)
    if report.when == "call" and standing is not None and standing.told is not None:
        # As text: it also crosses to the process that collects the reports of others.
        report.faultdeck = json.dumps(standing.told)  # type: ignore[attr-defined]
    return report


class _Collecting:
    """In the process that tells the user: of all tests, wherever they ran."""

    def __init__(self, config: pytest.Config):
        self.config = config
        self.untested: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        told = getattr(report, "faultdeck", None)
        if told is not None:
            self.config.stash[SUITE].add(json.loads(told))

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: Union[int, pytest.ExitCode]) -> None:
        named = over_all(self.config)
        if exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED) and not self.config.option.collectonly:
            self.untested = self.config.stash[SUITE].untested(named)
        if self.untested and exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        lines = self.config.stash[SUITE].lines()
        if lines or self.untested:
            terminalreporter.section("faultdeck")
        for line in lines:
            terminalreporter.line(line)
        for line in self.untested:
            terminalreporter.line(f"inconclusive: {line}", red=True)


@pytest.hookimpl(trylast=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    if not hasattr(session.config, "workerinput"):
        session.config.pluginmanager.register(_Collecting(session.config), "faultdeck-collecting")


@pytest.fixture
def faultdeck(request: pytest.FixtureRequest) -> Console:
    """The console of this test: `url`, `sec`, `ca_file`, `environment`, `requests`, `wait_for()`, `advance()`."""
    standing = request.node.stash.get(HERE, None)
    assert standing is not None, "a test that uses this fixture has a console"
    return standing.console
