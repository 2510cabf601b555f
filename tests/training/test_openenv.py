"""The export to OpenEnv, in a virtual environment of its own: its base classes, server and client.

Its fastmcp wants mcp below 2, ours and verifiers' is 2: a later fastmcp takes it, by an override.
Nothing of it is installed beside the tests.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from training.conftest import TASKSETS

ROOT = Path(__file__).parents[2]
OPENENV = "openenv==0.10.0"
OURS = ("training[rollouts]", "harness")
TOOLS = str(ROOT / "tests/harness/tasksets")
pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def python(tmp_path_factory):
    uv = shutil.which("uv")
    if uv is None:
        pytest.skip("uv is not on PATH: pip install uv")
    venv = tmp_path_factory.mktemp("openenv") / "venv"
    subprocess.run([uv, "venv", "-q", "-p", sys.executable, venv], check=True)
    python = venv / "bin" / "python"
    overrides = venv.with_name("overrides.txt")
    overrides.write_text("fastmcp>=4\n")
    ours = [word for path in OURS for word in ("-e", str(ROOT / path))]
    done = subprocess.run(
        [uv, "pip", "install", "-q", "-p", python, "--override", overrides, *ours, OPENENV],
        capture_output=True,
        text=True,
    )
    if done.returncode and re.search("no version of openenv|openenv was not found", done.stderr):
        pytest.skip(f"the package registry here has no {OPENENV}")
    assert done.returncode == 0, done.stderr
    return python


def test_openenvs_own_client_plays_it(python):
    done = subprocess.run(
        [python, Path(__file__).with_name("openenv_session.py")],
        capture_output=True,
        text=True,
        timeout=600,
        env=os.environ | {"PYTHONPATH": os.pathsep.join([TASKSETS, TOOLS])},
    )
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout.splitlines()[-1])
    letters, notes = said["letters"], said["notes"]
    assert letters["reset"] == ["Say b", None, False]
    assert letters["right"] == ["", 1.0, True]
    assert letters["wrong"] == ["", 0.0, True]
    # Task 10 of eight.
    assert letters["by seed"] == ["Say c", None, False]
    assert "no episode is under way: reset first" in letters["over"]
    assert "has 8 tasks here: none at 8" in letters["no task"]
    assert "no episode is under way: reset first" in letters["after no task"]
    # A method of the seat is no tool; the policy's mistake ends nothing.
    assert letters["no tool"] == ["error: no tool '_abandon': there are []", None, False]
    # The machine's fault is no reward.
    assert "the rollout failed: TaskError" in letters["failed"]

    assert notes["tools"] == ["count_note"]
    assert notes["noted"] == ["rollout 3: oak", None, False]
    assert "error" in notes["broken"][0].lower()
    # The third turn is the environment's last: the call is not run, and the episode is scored.
    assert notes["last"] == ["error: the episode is over", 0.0, True]
