#!/usr/bin/env python3
"""Gets, waits for and creates the case tasks of a QRadar console, and lists its offenses. Nothing but the standard library.

It says what came of its job in one line of JSON on standard output; remarks go to standard error. With `work` in place of
a job it stays, and does one job after the other, as `faultdeck judge` gives them to a worker.
"""

import argparse
import http.client
import json
import os
import ssl
import sys
import threading
import time
from urllib.parse import quote, urlsplit

API = "/api/forensics/case_management"
OFFENSES = "/api/siem/offenses"
# How many elements of a list are asked for at a time.
PAGE = 50
VERSION = "26.0"
RETRIES = 3
RETRIED = {429, 500, 502, 503, 504}
FIRST_PAUSE = 0.05
# Answers without a state in a row after which none is expected any more.
STATELESS_MAX = 10
EXIT = {"error": 1, "not_found": 4, "server_error": 5, "rejected": 6, "gave_up": 7}
EXIT_OF_TASK = {"done": 0, "usable": 3, "pending": 8}


class Ended(Exception):
    """The job is over; how, its outcome says."""

    def __init__(self, outcome, **details):
        super().__init__(outcome)
        self.outcome = {"outcome": outcome, **details}


class NotSent(Exception):
    """No connection came about: the console cannot have seen the request."""


class Lost(Exception):
    """The request was sent, and no whole answer came."""


class Answer:
    """A whole answer of the console."""

    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers
        try:
            self.json = json.loads(body)
        except ValueError:
            self.json = None

    @property
    def code(self):
        """The console's own code for an error."""
        code = self.json.get("code") if isinstance(self.json, dict) else None
        return code if isinstance(code, int) else None

    @property
    def is_page(self):
        return "html" in (self.headers.get("Content-Type") or "").lower()

    def task(self):
        """The task in the answer, or the end of the job."""
        return self.data(dict, "the answer is no task")

    def page(self):
        """The elements in the answer, or the end of the job."""
        return self.data(list, "the answer is no list")

    def data(self, kind, complaint):
        details = {} if self.code is None else {"code": self.code}
        if self.status == 404 and self.code == 1002:
            raise Ended("not_found", **details)
        if self.status >= 500:
            raise Ended("server_error", **details)
        if self.status == 429:
            raise Ended("gave_up")
        if 400 <= self.status < 500 and self.status != 404:
            raise Ended("rejected", **details)
        if not 200 <= self.status < 300 or self.is_page:
            raise Ended("error", text=f"{self.status} is no answer of this API: is the base URL right?")
        if not isinstance(self.json, kind):
            raise Ended("error", text=complaint)
        return self.json

    @property
    def total(self):
        """How many elements the list has, if the answer says so: `items 0-49/101`, or `items */101`."""
        total = (self.headers.get("Content-Range") or "").rpartition("/")[2].strip()
        return int(total) if total.isdecimal() else None


class Console:
    """A console, the token for it, and the time there is."""

    def __init__(self, base, token, ca_file, deadline):
        url = urlsplit(base)
        self.host, self.port = url.hostname, url.port
        self.prefix = url.path.rstrip("/").removesuffix("/api")
        self.context = ssl.create_default_context(cafile=ca_file) if url.scheme == "https" else None
        self.token = token
        self.until = time.monotonic() + deadline
        self.request_timeout = deadline / 3
        self.warned = False

    def left(self):
        return self.until - time.monotonic()

    def pause(self, seconds):
        time.sleep(max(0, min(seconds, self.left())))

    def connect(self, limit):
        if self.context:
            connection = http.client.HTTPSConnection(
                self.host, self.port, timeout=limit, context=self.context
            )
        else:
            connection = http.client.HTTPConnection(self.host, self.port, timeout=limit)
        try:
            connection.connect()
        except OSError as error:
            raise NotSent(f"no connection: {error}") from error
        return connection

    def once(self, method, path, headers, body):
        """One request and its answer, all within the time a request has."""
        limit = min(self.request_timeout, self.left())
        if limit <= 0:
            raise Ended("gave_up")
        ends = time.monotonic() + limit
        connection = self.connect(limit)
        # A time-out of the socket begins anew with each byte; this one does not.
        watch = threading.Timer(limit, hang_up, [connection.sock])
        watch.start()
        try:
            connection.request(method, self.prefix + path, body, headers)
            response = connection.getresponse()
            answer = Answer(response.status, response.headers, response.read())
        except (OSError, http.client.HTTPException) as error:
            raise Lost(f"the answer was lost: {error!r}") from error
        finally:
            watch.cancel()
            connection.close()
        if time.monotonic() >= ends:
            raise Lost("the answer was lost: it took too long")
        return answer

    def send(self, method, path, fields=None, body=None, retries_lost=True, window=None):
        """A request, sent again with growing pauses while that may help."""
        headers = {"SEC": self.token, "Version": VERSION, "Accept": "application/json"}
        if window:
            headers["Range"] = f"items={window[0]}-{window[1]}"
        if body is not None:
            headers["Content-Type"] = "application/json"
            body = json.dumps(body)
        if fields and method == "GET":
            path += "?fields=" + quote(fields, safe="")
        elif fields:
            headers["fields"] = fields
        for attempt in range(RETRIES + 1):
            trouble, answer, pause = None, None, FIRST_PAUSE * 2**attempt
            try:
                answer = self.once(method, path, headers, body)
                self.warn(answer)
                # A body that is broken on the way is as good as none.
                if 200 <= answer.status < 300 and answer.json is None and not answer.is_page:
                    raise Lost("the answer is not JSON")
                if answer.status not in RETRIED or not retries_lost:
                    return answer
                pause = max(pause, retry_after(answer))
            except NotSent as error:
                trouble = error
            except Lost as error:
                trouble = error
                if not retries_lost:
                    raise
            if attempt == RETRIES or self.left() <= pause:
                break
            if trouble:
                remark(trouble)
            self.pause(pause)
        if trouble:
            raise trouble
        return answer

    def warn(self, answer):
        deprecated = answer.headers.get("Deprecated")
        if deprecated and not self.warned:
            self.warned = True
            remark(f"the console says that version {VERSION} is deprecated: {deprecated}")


def hang_up(sock):
    try:
        sock.shutdown(2)
    except OSError:
        pass


def retry_after(answer):
    """The seconds that the console asks for before the next attempt."""
    text = answer.headers.get("Retry-After", "")
    return int(text) if text.isdigit() else 0


def remark(text):
    print(text, file=sys.stderr)


def names(fields):
    """The names at the top level of a selector."""
    depth, name, found = 0, "", []
    for letter in fields + ",":
        if letter == "," and depth == 0:
            found.append(name.strip())
            name = ""
        elif letter in "()":
            depth += 1 if letter == "(" else -1
        elif depth == 0:
            name += letter
    return found


def state_of(task):
    """The state, under the name it has in the samples or in the text of the documentation."""
    return task.get("state", task.get("status"))


def report(task):
    standing = {"COMPLETE": "done", "PARTIALLY_COMPLETE": "usable"}.get(state_of(task), "pending")
    raise Ended("task", standing=standing, task=task)


def get(console, task_id, fields):
    path = f"{API}/case_create_tasks/{quote(task_id, safe='')}"
    report(console.send("GET", path, fields).task())


def wait(console, task_id, fields, pace):
    """Polls until the task is done, an error is final, or the time is up."""
    # A selector without the state leaves nothing to decide by: then the whole task is asked for.
    if fields and not {"state", "status"} & set(names(fields)):
        fields = None
    path = f"{API}/case_create_tasks/{quote(task_id, safe='')}"
    partial, last, unchanged, stateless = None, None, 0, 0
    while True:
        try:
            task = console.send("GET", path, fields).task()
        except (Ended, NotSent, Lost):
            if partial and console.left() <= 0:
                report(partial)
            raise
        state = state_of(task)
        if state == "COMPLETE":
            report(task)
        stateless = stateless + 1 if state is None else 0
        if stateless > STATELESS_MAX:
            raise Ended("error", text="the task comes without its state")
        if state is not None:
            partial = task if state == "PARTIALLY_COMPLETE" else None
        unchanged = unchanged + 1 if state == last else 0
        last = state
        # The longer nothing changes, the less often it is worth asking.
        console.pause(pace * 2 ** min(unchanged // 4, 6))
        if console.left() <= 0:
            if partial:
                report(partial)
            raise Ended("gave_up")


def create(console, name, fields, pace):
    """Creates a case, once, and waits for its task."""
    # Without the id there is no task to wait for: then the whole answer is asked for.
    asked = fields if fields and "id" in names(fields) else None
    case = {"name": name, "assigned_to": ["analyst"]}
    try:
        answer = console.send("POST", f"{API}/cases", asked, case, retries_lost=False)
    except Lost as error:
        remark(error)
        try:
            look_up(console, name)
        except (NotSent, Lost) as second:
            remark(f"and the cases cannot be listed: {second}")
        raise Ended("gave_up") from error
    if answer.status == 404 and answer.code == 1002:
        raise Ended("error", text="404 with code 1002 for a creation")
    task = answer.task()
    if not isinstance(task.get("id"), int):
        raise Ended("error", text="the case is created, but the answer names no task")
    wait(console, str(task["id"]), fields, pace)


def list_all(console):
    """Reads a list on from where the last element came to, until the total is reached or a page brings nothing new."""
    # By id: one that comes twice, because the list grew at the front, is one.
    found = {}
    while True:
        at = len(found)
        answer = console.send("GET", OFFENSES, window=(at, at + PAGE - 1))
        page = answer.page()
        for element in page:
            found.setdefault(element["id"], element)
        enough = len(page) < PAGE if answer.total is None else len(found) >= answer.total
        # More than was asked for is all there is: the console does not see the window.
        if enough or len(page) > PAGE or len(found) == at:
            raise Ended("task", standing="done", task=list(found.values()))


def look_up(console, name):
    """The answer to a creation is lost: the list tells whether the case exists. It is never created again."""
    cases = console.send("GET", f"{API}/cases").json
    known = isinstance(cases, list) and any(
        isinstance(case, dict) and name in (case.get("name"), case.get("case_name")) for case in cases
    )
    remark("the case is there, its task is not known" if known else "the case is not there yet")


def outcome_of(args, token):
    """Does one job, and says what came of it."""
    console = Console(args.base, token, args.ca_file, args.deadline_ms / 1000)
    try:
        if args.job == "get":
            get(console, args.id, args.fields)
        elif args.job == "wait":
            wait(console, args.id, args.fields, args.pace_ms / 1000)
        elif args.job == "list":
            list_all(console)
        else:
            create(console, args.name, args.fields, args.pace_ms / 1000)
    except Ended as end:
        outcome = end.outcome
    except (NotSent, Lost) as error:
        outcome = {"outcome": "error", "text": str(error)}
        if console.left() <= 0:
            outcome = {"outcome": "gave_up"}
    return outcome


def work():
    """Does one job after the other: each is a line on standard input, and what came of it one on standard output."""
    print(json.dumps({"faultdeck": 1, "jobs": ["get", "wait", "create", "list"]}), flush=True)
    for line in sys.stdin:
        case = json.loads(line)
        args = argparse.Namespace(**{**case, "base": case["base_url"], "id": case["id_text"]})
        print(json.dumps({"case": case["case"], **outcome_of(args, case["sec"])}), flush=True)
    return 0


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("job", choices=["get", "wait", "create", "list", "work"])
    parser.add_argument("--base")
    parser.add_argument("--id")
    parser.add_argument("--name")
    parser.add_argument("--fields")
    parser.add_argument("--ca-file")
    parser.add_argument("--pace-ms", type=int, default=1000)
    parser.add_argument("--deadline-ms", type=int, default=60_000)
    args = parser.parse_args()
    if args.job == "work":
        return work()
    if not args.base:
        parser.error("--base is missing: where is the console?")
    outcome = outcome_of(args, os.environ["SEC_TOKEN"])
    print(json.dumps(outcome))
    return EXIT_OF_TASK[outcome["standing"]] if outcome["outcome"] == "task" else EXIT[outcome["outcome"]]


if __name__ == "__main__":
    sys.exit(main())
