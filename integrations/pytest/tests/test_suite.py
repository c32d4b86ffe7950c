"""A whole suite under one scenario, or several; and in several processes."""

import json
import subprocess
from pathlib import Path

import pytest

from pytest_faultdeck import find

SUITE = """
    def test_of_the_console():
        assert client.wait()["state"] == "COMPLETE"

    def test_of_something_else():
        assert 1 + 1 == 2

    @pytest.mark.faultdeck("task/all-is-well")
    def test_with_a_scenario_of_its_own(faultdeck):
        client.wait()
        assert not any(it.faults for it in faultdeck.requests)
"""


def test_a_whole_suite_runs_under_a_scenario(suite):
    ran = suite(SUITE, "--faultdeck-scenario", "slow-host")
    ran.assert_outcomes(passed=3)
    ran.stdout.fnmatch_lines(["slow-host: 1 test, 4 requests, 4 faults fired: passed", "task/all-is-well: 1 test*"])


def test_it_runs_under_each_of_several_and_in_several_processes(suite):
    flags = ["--faultdeck-scenario", "slow-host", "--faultdeck-scenario", "takes-its-time"]
    ran = suite(SUITE, *flags, "-n", "4")
    ran.assert_outcomes(passed=5)
    ran.stdout.fnmatch_lines_random(["slow-host: 1 test, 4 requests*", "takes-its-time: 1 test*passed"])


def test_a_failure_says_how_to_repeat_it(suite):
    text = """
        def test_it():
            client.create(tries=2)
    """
    ran = suite(text, "--faultdeck-scenario", "lost-answer", "--faultdeck-seed", "7", "-n", "2")
    ran.assert_outcomes(failed=1)
    ran.stdout.fnmatch_lines(
        ["  repeat it: pytest test_it.py::test_it --faultdeck-scenario lost-answer --faultdeck-seed 7", "lost-answer: 1 test*1 failed"]
    )


@pytest.mark.parametrize("processes", [(), ("-n", "2")])
def test_a_suite_that_never_came_near_the_console_is_not_green(suite, processes):
    ran = suite(
        """
        def test_of_something_else():
            assert 1 + 1 == 2
        """,
        "--faultdeck-scenario",
        "slow-host",
        *processes,
    )
    ran.assert_outcomes(passed=1)
    assert ran.ret == 1
    ran.stdout.fnmatch_lines(["inconclusive: slow-host: no test asked anything of the console"])


def test_a_fault_that_fired_in_no_test_is_not_green_and_one_that_fired_in_any_is(suite):
    wait = """
        def test_wait():
            client.wait()
    """
    ran = suite(wait, "--faultdeck-scenario", "lost-answer")
    ran.assert_outcomes(passed=1)
    assert ran.ret == 1
    ran.stdout.fnmatch_lines(["inconclusive: lost-answer: never fired in any test: lost-answer: lost-answer"])
    create = """
        def test_create():
            client.create()
    """
    ran = suite(wait + create, "--faultdeck-scenario", "lost-answer", "-n", "2")
    ran.assert_outcomes(passed=2)
    assert ran.ret == 0


def test_ledgers_are_kept_and_every_report_can_be_made_of_them(suite, pytester):
    ran = suite(SUITE, "--faultdeck-scenario", "slow-host", "--faultdeck-ledgers", "ledgers", "-n", "2")
    ran.assert_outcomes(passed=3)
    files = sorted(str(file) for file in (pytester.path / "ledgers").iterdir())
    assert len(files) == 3
    busy = [file for file in files if "something_else" not in file]
    assert all('"command":["pytest","test_it.py::test_' in Path(file).read_text() for file in busy)
    report = subprocess.run([find(), "report", *busy, "--format", "json"], stdout=subprocess.PIPE, check=True)
    assert json.loads(report.stdout)["counts"]["served"] == 8


def test_a_folder_of_scenarios_is_refused(suite):
    ran = suite(SUITE, "--faultdeck-scenario", "task/")
    assert ran.ret == 4
    ran.stderr.fnmatch_lines(["*name scenarios one by one*"])
