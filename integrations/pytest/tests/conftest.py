"""Suites of a user's, run by pytest itself against the real program."""

import textwrap

import pytest

pytest_plugins = "pytester"

CLIENT = '''
"""A client whose host and https stand in its code."""
import time
import requests

API = "https://qradar.example/api/forensics/case_management"

def wait(task=956, polls=20, pause=0):
    for _ in range(polls):
        answer = requests.get(f"{API}/case_create_tasks/{task}", headers={"SEC": "any"}, timeout=5)
        answer.raise_for_status()
        if answer.json()["state"] == "COMPLETE":
            return answer.json()
        time.sleep(pause)
    raise TimeoutError

def create(tries=1):
    for _ in range(tries):
        try:
            return requests.post(f"{API}/cases", json={"name": "A", "assigned_to": ["bob"]}, headers={"SEC": "any"}, timeout=5)
        except requests.ConnectionError:
            continue
'''


@pytest.fixture
def suite(pytester, monkeypatch):
    """Writes a suite beside the client, and runs it."""
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"):
        monkeypatch.delenv(name, raising=False)
    pytester.makepyfile(client=CLIENT)
    pytester.makeini("[pytest]\nasyncio_default_fixture_loop_scope = function\n")

    def run(text, *args):
        pytester.makepyfile(test_it="import pytest, requests, client\n" + textwrap.dedent(text))
        # Processes of a pool are real; else a process for each suite would only cost time.
        way = pytester.runpytest_subprocess if "-n" in args else pytester.runpytest_inprocess
        return way("-p", "no:cacheprovider", *args)

    return run
