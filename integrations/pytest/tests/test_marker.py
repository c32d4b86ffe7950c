"""What a marker gives a test, and what its verdict does."""


def test_a_test_has_its_own_replay_and_its_own_ticks(suite):
    ran = suite(
        """
        @pytest.mark.parametrize("again", range(3))
        @pytest.mark.faultdeck(scenario="slow-host", seed=1)
        def test_it(faultdeck, again):
            assert client.wait()["id"] == 956
            seen = faultdeck.requests
            assert [it.tick for it in seen] == [0, 1, 2, 3]
            assert [it.state for it in seen] == ["WAITING", "PROCESSING", "PARTIALLY_COMPLETE", "COMPLETE"]
            assert all(it.status == 200 and it.faults == ("latency",) and not it.missed for it in seen)
            assert seen[0].endpoint == "GET /forensics/case_management/case_create_tasks/{id}"
        """
    )
    ran.assert_outcomes(passed=3)
    ran.stdout.fnmatch_lines(["slow-host: 3 tests, 12 requests, 12 faults fired: passed"])


def test_a_broken_law_fails_the_test_with_the_counter_example(suite):
    ran = suite(
        """
        @pytest.mark.faultdeck("lost-answer")
        def test_it():
            client.create(tries=2)
        """
    )
    ran.assert_outcomes(failed=1)
    ran.stdout.fnmatch_lines(
        [
            "creates-once is violated: the case `A` is created again after its answer was lost*",
            "*sent:     POST /api/forensics/case_management/cases *",
            "  served, in order:",
            "      1. POST *reset the connection after 0 bytes*",
            "  repeat it: pytest test_it.py::test_it",
            "  the law:   faultdeck explain creates-once",
            "FAILED test_it.py::test_it - Failed: creates-once is violated*",
        ]
    )
    ran.stdout.no_fnmatch_line("*STAND_BY*")


def test_a_miss_a_silent_fault_and_an_idle_test_fail(suite):
    ran = suite(
        """
        @pytest.mark.faultdeck("slow-host")
        def test_miss():
            client.wait()
            requests.get("https://qradar.example/api/siem/offenses", headers={"SEC": "any"})

        @pytest.mark.faultdeck("lost-answer")
        def test_silent():
            client.wait()

        @pytest.mark.faultdeck("slow-host")
        def test_idle():
            pass
        """
    )
    ran.assert_outcomes(failed=3)
    ran.stdout.fnmatch_lines(
        [
            "1 request was answered by no recording",
            "  GET /api/siem/offenses: not recorded",
            "never fired: lost-answer: lost-answer",
            "nothing was asked of the console*",
        ]
    )


def test_a_test_that_fails_by_itself_shows_what_was_served(suite):
    ran = suite(
        """
        @pytest.mark.faultdeck("slow-host")
        def test_it():
            assert client.wait()["id"] == 1
        """
    )
    ran.assert_outcomes(failed=1)
    ran.stdout.fnmatch_lines(["E   *assert 956 == 1*", "*- Captured faultdeck call -*", "4 requests served*"])


def test_what_a_test_must_do_can_be_said(suite):
    ran = suite(
        """
        @pytest.mark.faultdeck("server-error", must="any")
        def test_may_fail():
            client.wait()

        @pytest.mark.faultdeck("server-error", must="fails")
        def test_fails_as_it_must():
            client.wait()

        @pytest.mark.faultdeck("slow-host", must="fails")
        def test_passes_but_must_not():
            client.wait()

        @pytest.mark.faultdeck(cassette="forensics/create-case", fault="reset@cases.post#1", must="creates-once")
        def test_a_law():
            client.create(tries=2)

        @pytest.mark.faultdeck("task/all-is-well", must=["right-address", "keeps-secrets"])
        def test_a_law_that_cannot_be_judged():
            client.wait()
        """
    )
    ran.assert_outcomes(xfailed=2, failed=3)
    ran.stdout.fnmatch_lines(
        [
            "the test passed, but it must fail",
            "creates-once is violated*",
            "must: `keeps-secrets` cannot be judged from requests alone*",
            "server-error: 2 tests, 2 requests, 2 faults fired: passed",
        ]
    )


def test_scenarios_and_seeds_are_parameters(suite):
    ran = suite(
        """
        @pytest.mark.faultdeck(scenario=["slow-host", "all-is-well"])
        def test_scenarios(faultdeck, faultdeck_scenario):
            assert faultdeck.story.scenario == faultdeck_scenario
            client.wait()

        @pytest.mark.faultdeck(cassette="forensics/create-case", fault="latency:20?chance=1/2", seed=range(1, 4))
        def test_seeds(faultdeck):
            client.wait()
        """,
        "-v",
    )
    ran.assert_outcomes(passed=5)
    ran.stdout.fnmatch_lines(["*test_scenarios?slow-host? PASSED*", "*test_seeds?seed 3? PASSED*"])


def test_a_scenario_can_be_written_into_the_test_and_its_clock_stepped(suite):
    ran = suite(
        """
        @pytest.mark.faultdeck(toml='''
            summary  = "The clock is stepped by hand."
            cassette = "forensics/create-case"
            clock    = { by = "hand" }
            polls_per_phase = 1
        ''')
        def test_it(faultdeck):
            def state():
                url = f"{faultdeck.url}/api/forensics/case_management/case_create_tasks/956"
                return requests.get(url, headers={"SEC": faultdeck.sec}).json()["state"]
            assert state() == "WAITING" and state() == "WAITING"
            faultdeck.advance()
            assert state() == "PROCESSING"
            faultdeck.advance(2)
            assert state() == "COMPLETE"
            assert len(faultdeck.requests) == 4

        @pytest.mark.faultdeck("all-is-well")
        def test_another_clock(faultdeck):
            client.wait()
            with pytest.raises(Exception, match="not stepped by hand"):
                faultdeck.advance()
        """
    )
    ran.assert_outcomes(passed=2)


def test_markers_of_a_module_and_of_a_test_add_up_and_slips_are_named(suite):
    ran = suite(
        """
        pytestmark = pytest.mark.faultdeck(cassette="forensics/create-case")

        @pytest.mark.faultdeck(fault="latency:10")
        def test_both():
            client.wait()

        @pytest.mark.faultdeck(senario="x")
        def test_slip():
            pass

        @pytest.mark.faultdeck("task/")
        def test_folder():
            pass

        @pytest.mark.faultdeck(scenario="slow-hos")
        def test_unknown():
            pass
        """
    )
    ran.assert_outcomes(passed=1, errors=3)
    ran.stdout.fnmatch_lines(
        ["*`senario` is unknown; did you mean `scenario`?*", "*`task/` is a folder*", "help: did you mean `slow-host`*"]
    )


def test_a_fixture_without_a_marker_says_what_to_write(suite):
    ran = suite(
        """
        def test_it(faultdeck):
            pass
        """
    )
    ran.assert_outcomes(errors=1)
    ran.stdout.fnmatch_lines(["*@pytest.mark.faultdeck(scenario=\"slow-host\")*"])
