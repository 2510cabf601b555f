"""An engine's environment has no verifiers: what works there, and what says that it does not."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import requires

import pytest


def run(code: str) -> str:
    bare = "import sys; sys.modules.update(dict.fromkeys(['verifiers', 'pydantic', 'httpx']))\n"
    done = subprocess.run(
        [sys.executable, "-c", bare + code], capture_output=True, text=True, timeout=120
    )
    return done.stdout + done.stderr


def test_the_package_alone_requires_nothing():
    assert [need for need in requires("inward-rewards") or () if "extra ==" not in need] == []


def test_what_needs_no_verifiers_works_without():
    rooms = (
        "entropy.wire entropy.definition formats groups lengths sandbox signals tokens vllm_plugin"
    )
    code = "".join(f"import inward_rewards.{room}\n" for room in rooms.split())
    assert run(code + "print('all of them')") == "all of them\n"


@pytest.mark.parametrize("room", ["hidden_states", "plugins"])
def test_what_needs_it_names_the_command(room):
    said = run(f"import inward_rewards.{room}")
    expected = (
        f'ImportError: inward_rewards.{room} needs verifiers: pip install "inward-rewards[ver'
    )
    assert expected in said.splitlines()[-1]
