"""Other kinds of tests, other ways to a console, and ends that nobody planned."""

import os
import signal
import subprocess
import sys
import textwrap
import time

import pytest


def test_asyncio_tests_have_consoles_of_their_own(suite):
    ran = suite(
        """
        import asyncio

        async def poll():
            return await asyncio.to_thread(client.wait)

        @pytest.mark.asyncio
        @pytest.mark.faultdeck(scenario=["slow-host", "takes-its-time"])
        async def test_it(faultdeck):
            assert (await poll())["id"] == 956
            assert len(faultdeck.requests) >= 3

        @pytest.mark.asyncio
        @pytest.mark.faultdeck("lost-answer")
        async def test_broken():
            await asyncio.to_thread(client.create, 2)
        """,
        "-n",
        "4",
    )
    ran.assert_outcomes(passed=2, failed=1)
    ran.stdout.fnmatch_lines(["creates-once is violated*"])


def test_unittest_cases_take_the_marker(suite):
    ran = suite(
        """
        import unittest

        @pytest.mark.faultdeck("slow-host")
        class TestCase(unittest.TestCase):
            def test_it(self):
                self.assertEqual(client.wait()["id"], 956)

            @pytest.mark.faultdeck("lost-answer")
            def test_broken(self):
                client.create(tries=2)
        """
    )
    ran.assert_outcomes(passed=1, failed=1)
    ran.stdout.fnmatch_lines(["creates-once is violated*"])


def test_variables_are_those_of_the_test_and_then_as_before(suite, monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.before:1")
    monkeypatch.setenv("ALL_PROXY", "http://proxy.before:2")
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    ran = suite(
        """
        import os

        @pytest.fixture
        def address():
            return os.environ["QRADAR_URL"]

        @pytest.mark.faultdeck("all-is-well", env={"QRADAR_URL": "{url}/api"})
        def test_it(faultdeck, address):
            assert address == faultdeck.url + "/api"
            assert os.environ["HTTPS_PROXY"] == faultdeck.url and "ALL_PROXY" not in os.environ
            assert os.environ["REQUESTS_CA_BUNDLE"] and os.path.exists(faultdeck.ca_file)
            assert os.environ["GITHUB_ACTIONS"] == "true"
            assert "FAULTDECK_CHILD" not in os.environ and "FAULTDECK_STAND_BY" not in os.environ
            client.wait()

        def test_after():
            assert os.environ["HTTPS_PROXY"] == "http://proxy.before:1"
            assert os.environ["ALL_PROXY"] == "http://proxy.before:2"
            assert not any(name.startswith("FAULTDECK_") and name != "FAULTDECK" for name in os.environ)
            assert "REQUESTS_CA_BUNDLE" not in os.environ and "QRADAR_URL" not in os.environ
        """,
        "-p",
        "no:randomly",
    )
    ran.assert_outcomes(passed=2)


def test_the_replay_itself_can_speak_https_and_no_proxy_can_be_wanted(suite):
    ran = suite(
        """
        import os
        TASK = "/api/forensics/case_management/case_create_tasks/956"

        @pytest.mark.faultdeck("all-is-well", tls=True)
        def test_tls(faultdeck):
            assert faultdeck.url.startswith("https://")
            assert requests.get(faultdeck.url + TASK, headers={"SEC": "any"}).ok

        @pytest.mark.faultdeck("all-is-well", proxy=False)
        def test_plain(faultdeck):
            assert "HTTPS_PROXY" not in os.environ and faultdeck.ca_file is None
            assert requests.get(faultdeck.url + TASK, headers={"SEC": "any"}).ok

        @pytest.mark.faultdeck("tls-expired")
        def test_a_handshake_that_goes_wrong():
            with pytest.raises(requests.exceptions.SSLError):
                client.wait()
        """
    )
    ran.assert_outcomes(passed=3)


def test_a_skipped_test_starts_nothing_and_one_that_skips_itself_is_not_judged(suite, monkeypatch):
    monkeypatch.setenv("FAULTDECK", os.environ.get("FAULTDECK", ""))
    ran = suite(
        """
        @pytest.mark.skip
        @pytest.mark.faultdeck("no-such-scenario")
        def test_skipped():
            pass

        @pytest.mark.faultdeck("slow-host")
        def test_skips_itself():
            pytest.skip("not today")

        @pytest.mark.xfail(strict=True)
        @pytest.mark.faultdeck("slow-host")
        def test_expected():
            pass
        """
    )
    ran.assert_outcomes(skipped=2, xfailed=1)


def test_without_the_program_the_error_names_the_fix(suite, monkeypatch):
    text = """
        @pytest.mark.faultdeck("slow-host")
        def test_it():
            pass

        def test_without():
            pass
    """
    monkeypatch.setenv("FAULTDECK", "/no/such/faultdeck")
    ran = suite(text)
    ran.assert_outcomes(errors=1, passed=1)
    ran.stdout.fnmatch_lines(["faultdeck: FAULTDECK names `/no/such/faultdeck`*", "*cargo install --path .*"])
    ran.stdout.no_fnmatch_line("*During handling*")
    monkeypatch.delenv("FAULTDECK")
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    ran = suite(text)
    ran.assert_outcomes(errors=1, passed=1)
    ran.stdout.fnmatch_lines(["faultdeck: the program `faultdeck` was not found*", "*FAULTDECK=/path/to/faultdeck pytest*"])


@pytest.mark.parametrize("with_what", [signal.SIGKILL, signal.SIGINT])
def test_nothing_is_left_when_pytest_is_killed(pytester, with_what):
    mine = f"of-this-test-{os.getpid()}-{with_what.value}"
    pytester.makepyfile(
        **{
            "test_it": textwrap.dedent(
                f"""
                import pathlib, time, pytest
                @pytest.mark.faultdeck("slow-host")
                @pytest.mark.parametrize("name", ["{mine}"])
                def test_it(name):
                    pathlib.Path("here").touch()
                    time.sleep(600)
                """
            )
        }
    )
    child = subprocess.Popen([sys.executable, "-m", "pytest", "-p", "no:cacheprovider"], cwd=pytester.path, stdout=subprocess.DEVNULL)
    try:
        until(lambda: (pytester.path / "here").exists())
        assert running(mine)
        child.send_signal(with_what)
        child.wait(30)
        until(lambda: not running(mine))
    finally:
        child.kill()


def until(condition, seconds=30):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def running(mark):
    """The processes whose arguments hold the mark."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                if mark.encode() in file.read():
                    found.append(pid)
        except OSError:
            continue
    return found


def test_a_console_that_is_killed_in_the_middle_of_a_test_is_not_green(suite):
    ran = suite(
        """
        import os, signal

        @pytest.mark.faultdeck("slow-host")
        def test_the_run(faultdeck):
            client.wait()
            os.kill(faultdeck._process.pid, signal.SIGKILL)

        @pytest.mark.faultdeck("slow-host")
        def test_the_command(faultdeck):
            client.wait()
            for pid in filter(str.isdigit, os.listdir("/proc")):
                with open(f"/proc/{pid}/cmdline", "rb") as file:
                    if file.read().startswith(b"sh\\0-c\\0") and in_session(int(pid), faultdeck._process.pid):
                        os.kill(int(pid), signal.SIGKILL)

        def in_session(pid, of):
            return os.getsid(pid) == of
        """
    )
    ran.assert_outcomes(failed=2)
    ran.stdout.no_fnmatch_line("*During handling*")
    ran.stdout.fnmatch_lines(["faultdeck: no report*", "the test was ended by signal 9*"])
