"""The suite as it was before there was any faultdeck, but for its fixture: no test names a scenario."""

import pytest

from qradar_cases import Cases


@pytest.fixture
def cases():
    return Cases(token="any", pause=0.02)


def test_a_task_is_watched_until_the_case_is_complete(cases):
    assert cases.wait(956) == {"case_id": 35, "id": 956, "state": "COMPLETE"}


def test_a_created_case_is_in_the_list(cases):
    created = cases.create("CASE1", "user-1")
    if "case_id" in created:
        assert cases.wait(created["id"])["case_id"] == created["case_id"]
    assert "CASE1" in [case["name"] for case in cases.all()]


def test_names_are_kept_short():
    assert len("CASE1") <= 15
