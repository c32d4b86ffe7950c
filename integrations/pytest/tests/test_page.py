"""The page of documentation: what stands in it is run."""

import re
import subprocess
from pathlib import Path

from pytest_faultdeck import find

PAGE = Path(__file__).resolve().parents[3] / "docs/pytest.md"


def blocks(kind):
    # All of them in turn: the end of one looks like the beginning of the next.
    found = re.findall(r"^```(\w*)\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    return [text for of, text in found if of == kind]


def test_the_tests_of_the_page_pass(pytester):
    pytester.makepyfile(test_page="\n\n".join(blocks("python")))
    ran = pytester.runpytest_subprocess("-p", "no:cacheprovider")
    ran.assert_outcomes(passed=6, xfailed=1)


def test_the_report_of_the_page_is_made(pytester):
    pytester.makepyfile(test_page=blocks("python")[0].replace("@pytest.mark.faultdeck(scenario=\"slow-host\", seed=1)", ""))
    (commands,) = [block for block in blocks("") if "--faultdeck-ledgers" in block]
    suite, report = commands.splitlines()
    pytester.runpytest_subprocess("-p", "no:cacheprovider", *suite.split()[1:]).assert_outcomes(passed=1)
    line = report.replace("faultdeck ", f"{find()} ", 1)
    subprocess.run(["sh", "-ec", line], cwd=pytester.path, check=True)
    assert "slow-host" in (pytester.path / "report.html").read_text()


def test_each_word_that_a_marker_takes_is_in_the_page():
    from dataclasses import fields

    from pytest_faultdeck import Story

    table = PAGE.read_text().split("## What a marker takes")[1].split("## ")[0]
    assert all(f"`{one.name}`" in table for one in fields(Story))
