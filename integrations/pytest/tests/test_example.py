"""The bundled example, exactly as its CI files do it: from an empty folder to five scenarios."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pytest_faultdeck import find

ROOT = Path(__file__).resolve().parents[3]
EXAMPLE = ROOT / "examples/pytest-requests"
SCENARIOS = ["slow-host", "lost-answer", "partial-completion", "every-second-poll-fails", "restarts"]


@pytest.fixture(scope="module")
def wheels(tmp_path_factory):
    """The two packages, as anybody makes them."""
    folder = tmp_path_factory.mktemp("wheels")
    argv = [sys.executable, str(ROOT / "scripts/wheels"), str(folder)]
    subprocess.run(argv, check=True, env={**os.environ, "FAULTDECK": find()})
    return folder


def lines(file):
    """What a CI file runs."""
    text = (EXAMPLE / file).read_text()
    form = r"^ *- run: (.*)$" if "workflows" in file else r"^    - (.*)$"
    return re.findall(form, text, re.MULTILINE)


@pytest.fixture
def folder(tmp_path, wheels):
    """A copy of the example, with nothing beside it but the packages."""
    copy = tmp_path / "mine"
    shutil.copytree(EXAMPLE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(wheels, copy / "wheels")
    return copy


def fresh(tmp_path):
    """The variables of a machine that has a Python and nothing else."""
    subprocess.run([sys.executable, "-m", "venv", str(tmp_path / "python")], check=True)
    kept = {name: value for name, value in os.environ.items() if name.startswith("PIP_") or name in ("LANG", "HTTPS_PROXY")}
    path = f"{tmp_path / 'python/bin'}:/usr/bin:/bin"
    return {**kept, "PATH": path, "HOME": str(tmp_path), "CI": "true"}


def run(line, folder, environment):
    done = subprocess.run(
        ["sh", "-ec", line], cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=240
    )
    return done.returncode, done.stdout


def test_its_ci_takes_it_from_nothing_to_five_scenarios_and_finds_a_bug(folder, tmp_path):
    install, tests = lines(".github/workflows/scenarios.yml")
    environment = fresh(tmp_path)
    code, said = run(install, folder, environment)
    assert code == 0, said
    code, said = run(tests, folder, environment)
    assert code == 0, said
    found = re.findall(r"^([a-z-]+): 2 tests, \d+ requests, \d+ faults? fired: passed$", said, re.MULTILINE)
    assert found == SCENARIOS
    assert "15 passed" in said

    client = folder / "qradar_cases.py"
    careful = client.read_text()
    hasty = careful.replace('found = [case for case in self.all() if case["name"] == name]', "return self.create(name, analyst)")
    assert hasty != careful
    client.write_text(hasty)
    code, said = run(tests, folder, environment)
    assert code == 1, said
    assert "creates-once is violated: the case `CASE1` is created again after its answer was lost" in said
    assert re.search(r"repeat it: pytest 'test_qradar_cases.py::test_a_created_case_is_in_the_list\[lost-answer\]'", said)
    assert re.search(r"^lost-answer: 2 tests, .* 1 failed$", said, re.MULTILINE)
    assert len(re.findall(r": passed$", said, re.MULTILINE)) == 4
    # A long line goes on behind a backslash, as in a shell.
    again = re.search(r"repeat it: (pytest .*)", said.replace("\\\n", " ")).group(1)
    code, said = run(again, folder, environment)
    assert code == 1 and "1 failed" in said, said


def test_both_ci_files_run_the_same_in_under_ten_lines():
    files = [".github/workflows/scenarios.yml", ".gitlab-ci.yml"]
    assert lines(files[0]) == lines(files[1])
    for file in files:
        assert len((EXAMPLE / file).read_text().splitlines()) < 10
    assert ",".join(SCENARIOS) in lines(files[0])[1]


def test_the_page_shows_the_example_as_it_is():
    page = (ROOT / "docs/pytest.md").read_text()
    for file in (".github/workflows/scenarios.yml", ".gitlab-ci.yml", "requirements.txt"):
        assert (EXAMPLE / file).read_text() in page, file
