"""Creates cases on a QRadar console and waits until they can be used. Host and https stand in the code: it was not written to be
tested with anything else."""

import time

import requests

API = "https://qradar.corp.example/api/forensics/case_management"
HEADERS = {"Version": "26.0", "Accept": "application/json"}
TRIES = 4
"""How often what failed is asked for again."""
REQUEST_S = 5
"""How long one answer may take."""


class Unknown(Exception):
    """Nobody knows whether the case was created."""


class TooLate(Exception):
    """The case was not complete in time."""


class Cases:
    """The cases of a console."""

    def __init__(self, token, pause=1.0):
        self.session = requests.Session()
        self.session.headers.update(HEADERS, SEC=token)
        self.pause = pause

    def create(self, name, analyst):
        """Creates a case: the id of its task, or the case itself if only that is known."""
        try:
            return self._answer("POST", "/cases", json={"name": name, "assigned_to": [analyst]})
        except requests.ConnectionError:
            # It may be there or not. Sending it again could make a second one, so look.
            found = [case for case in self.all() if case["name"] == name]
            if not found:
                raise Unknown(name) from None
            return found[0]

    def all(self):
        """All cases."""
        return self._asked("/cases")

    def wait(self, task, within=60.0):
        """Waits until the task is complete. A case that is complete in part goes on being watched."""
        deadline = time.monotonic() + within
        while True:
            seen = self._asked(f"/case_create_tasks/{task}", fields="id,case_id,state")
            if seen["state"] == "COMPLETE":
                return seen
            if time.monotonic() > deadline:
                raise TooLate(f"task {task} is {seen['state']}")
            time.sleep(self.pause)

    def _asked(self, path, **params):
        """A GET may be repeated: a few times, with pauses that grow."""
        for attempt in range(TRIES):
            try:
                return self._answer("GET", path, params=params)
            except (requests.ConnectionError, requests.Timeout, requests.HTTPError) as error:
                is_ours = error.response is not None and error.response.status_code < 500
                if is_ours or attempt + 1 == TRIES:
                    raise
                time.sleep(self.pause * 2**attempt)

    def _answer(self, method, path, **more):
        answer = self.session.request(method, API + path, timeout=REQUEST_S, **more)
        answer.raise_for_status()
        return answer.json()
