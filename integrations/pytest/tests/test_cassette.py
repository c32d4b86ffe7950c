"""`use_cassette`: for people who come from vcrpy."""

import os
import subprocess

import pytest
from pytest_faultdeck import find


@pytest.fixture
def console(tmp_path):
    """A console to record, on this machine."""
    port = tmp_path / "port"
    argv = [find(), "emulate", "--port-file", str(port), "--quiet"]
    child = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        yield child.stdout.readline().decode().strip()
    finally:
        child.terminate()
        child.communicate()


RECORDING = """
    import os
    import pytest_faultdeck as faultdeck

    CASES = os.environ["CONSOLE"] + "/api/forensics/case_management/cases"

    @faultdeck.use_cassette("mine", record_mode="once", upstream=os.environ["CONSOLE"])
    def test_it():
        assert requests.get(CASES, headers={"SEC": "any"}).status_code == 200
"""


def test_it_records_once_and_replays_from_then_on(suite, console, pytester, monkeypatch):
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setenv("CONSOLE", console)
    suite(RECORDING).assert_outcomes(passed=1)
    recorded = (pytester.path / "cassettes/mine.json").read_text()
    assert '"cases.list-' in recorded
    # The console is not asked again: another address is answered as well.
    monkeypatch.setenv("CONSOLE", "https://qradar.example")
    suite(RECORDING).assert_outcomes(passed=1)
    assert (pytester.path / "cassettes/mine.json").read_text() == recorded
    ran = suite(
        RECORDING
        + """
    def test_more():
        with pytest.raises(faultdeck.Broken, match="answered by no recording"):
            with faultdeck.use_cassette("mine", "none") as cassette:
                requests.get(CASES, headers={"SEC": "any"})
                assert cassette.play_count == 1
                requests.get(CASES + "/7", headers={"SEC": "any"})
                assert cassette.play_count == 1
                assert [it.missed for it in cassette.requests] == [False, True]
        assert cassette.play_count == 1

    @pytest.mark.asyncio
    @faultdeck.use_cassette("mine", fault="latency:10")
    async def test_async():
        assert requests.get(CASES, headers={"SEC": "any"}).status_code == 200
    """
    )
    ran.assert_outcomes(passed=3)


def test_on_ci_nothing_is_recorded_by_itself(suite, console, monkeypatch):
    monkeypatch.setenv("CI", "true")
    monkeypatch.setenv("CONSOLE", console)
    ran = suite(RECORDING)
    ran.assert_outcomes(failed=1)
    ran.stdout.fnmatch_lines(["*recording failed (exit code 2)*"])


def test_a_recording_without_a_console_says_what_to_give(suite):
    ran = suite(
        """
        import pytest_faultdeck as faultdeck

        @faultdeck.use_cassette("nowhere")
        def test_it():
            pass
        """
    )
    ran.assert_outcomes(failed=1)
    ran.stdout.fnmatch_lines(["*there is no cassette cassettes/nowhere.json*FAULTDECK_UPSTREAM*"])


def test_a_broken_law_is_raised_at_the_end(suite):
    ran = suite(
        """
        import pytest_faultdeck as faultdeck

        @faultdeck.use_cassette("builtin:forensics/create-case", scenario="lost-answer")
        def test_it():
            client.create(tries=2)
        """
    )
    ran.assert_outcomes(failed=1)
    ran.stdout.fnmatch_lines(["E*Broken: creates-once is violated*"])


def test_what_is_other_than_in_vcrpy_is_named():
    from pytest_faultdeck import use_cassette

    for words, said in (
        ({"match_on": ["uri"]}, "match.toml"),
        ({"filter_headers": ["SEC"]}, "taken out by themselves"),
        ({"record_mode": "new_episodes"}, "recorded whole"),
        ({"allow_playback_repeats": True}, "as often as you like"),
    ):
        with pytest.raises(ValueError, match="otherwise than in vcrpy") as raised:
            use_cassette("mine", **words)
        assert said in str(raised.value)
    with pytest.raises(ValueError, match="cassettes are JSON"):
        use_cassette("fixtures/cassette.yaml")
    with pytest.raises(ValueError, match="did you mean `scenario`"):
        use_cassette("mine", senario="x")
