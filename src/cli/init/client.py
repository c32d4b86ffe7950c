#!/usr/bin/env python3
"""Gets the task of a case creation from a QRadar console, or waits for it. Nothing but the standard library.

    QRADAR_URL=https://console.example QRADAR_TOKEN=... python3 clients/qradar.py wait --id 42

What came of it is one line of JSON on standard output, which is what `faultdeck judge` reads.
"""

import argparse
import json
import os
import sys
import time
import urllib.error
import urllib.request
from urllib.parse import quote

TASKS = "/api/forensics/case_management/case_create_tasks/"
RETRIES = 3
RETRIED = {429, 500, 502, 503, 504}


class Stay(urllib.request.HTTPRedirectHandler):
    """Follows no redirect: the token is for one console."""

    def redirect_request(self, *_):
        return None


OPENER = urllib.request.build_opener(Stay)


def ask(base, path, until):
    """The answer as status and JSON; asked again while that may help. None if nobody answered, or the time is up."""
    headers = {"SEC": os.environ["QRADAR_TOKEN"], "Version": "26.0", "Accept": "application/json"}
    answer = None
    for attempt in range(RETRIES + 1):
        left = until - time.monotonic()
        if left <= 0:
            break
        request = urllib.request.Request(base.rstrip("/") + path, headers=headers)
        pause = 0.05 * 2**attempt
        try:
            with OPENER.open(request, timeout=min(10, left)) as response:
                answer = response.status, json.load(response)
        except urllib.error.HTTPError as error:
            asked_for = error.headers.get("Retry-After", "")
            pause = max(pause, int(asked_for) if asked_for.isdecimal() else 0)
            try:
                answer = error.code, json.load(error)
            except ValueError:
                answer = error.code, None
        except (OSError, ValueError) as error:
            print(f"no answer: {error}", file=sys.stderr)
            answer = None
        if answer and answer[0] not in RETRIED:
            break
        if attempt == RETRIES or pause > until - time.monotonic():
            break
        time.sleep(pause)
    return answer


def outcome_of(answer):
    """What an answer comes to."""
    if answer is None:
        return {"outcome": "gave_up"}
    status, body = answer
    code = body.get("code") if isinstance(body, dict) else None
    details = {"code": code} if isinstance(code, int) else {}
    if status == 404 and code == 1002:
        return {"outcome": "not_found", **details}
    if status >= 500:
        return {"outcome": "server_error", **details}
    if status == 429:
        return {"outcome": "gave_up"}
    if status != 200 or not isinstance(body, dict):
        return {"outcome": "rejected", **details}
    state = body.get("state", body.get("status"))
    standing = {"COMPLETE": "done", "PARTIALLY_COMPLETE": "usable"}.get(state, "pending")
    return {"outcome": "task", "standing": standing, "task": body}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("job", choices=["get", "wait"])
    parser.add_argument("--base", default=os.environ.get("QRADAR_URL"))
    parser.add_argument("--id", required=True)
    parser.add_argument("--fields")
    parser.add_argument("--pace-ms", type=int, default=1000)
    parser.add_argument("--deadline-ms", type=int, default=600_000)
    args = parser.parse_args()
    if not args.base:
        parser.error("--base or QRADAR_URL is missing: where is the console?")
    until = time.monotonic() + args.deadline_ms / 1000
    path = TASKS + quote(args.id, safe="")
    # Without its state there is nothing to wait by: then the whole task is asked for.
    if args.fields and (args.job == "get" or {"state", "status"} & set(args.fields.replace(" ", "").split(","))):
        path += "?fields=" + quote(args.fields, safe="")
    outcome = outcome_of(ask(args.base, path, until))
    while args.job == "wait" and outcome.get("standing") in ("pending", "usable") and time.monotonic() < until:
        time.sleep(args.pace_ms / 1000)
        if time.monotonic() < until:
            outcome = outcome_of(ask(args.base, path, until))
    if args.job == "wait" and outcome.get("standing") == "pending":
        outcome = {"outcome": "gave_up"}
    print(json.dumps(outcome))
    return 0 if outcome.get("standing") == "done" else 1


if __name__ == "__main__":
    sys.exit(main())
