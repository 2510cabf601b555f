"""The example of the README, played by verifiers' own command."""

import re
from pathlib import Path

from inward_chat.testing import PolicyServer
from support.runs import vf_eval

EXAMPLE = Path(__file__).parents[2] / "examples/own_environment"


def adds_even_sums(body):
    a, b = map(int, re.findall(r"\d+", body["messages"][-1]["content"]))
    return {"content": f"It is \\boxed{{{a + b if (a + b) % 2 == 0 else a}}}."}


def test_the_example_plays(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(EXAMPLE)
    with PolicyServer(adds_even_sums) as server:
        found = vf_eval("addition", server, "-n", "6", cwd=tmp_path)
    assert len(found) == 6
    for episode in found:
        even = int(episode["task"]["data"]["answer"]) % 2 == 0
        [trace] = episode["traces"]
        assert trace["rewards"]["correct"]["score"] == float(even)


def test_it_is_as_short_as_the_readme_says():
    lines = (EXAMPLE / "addition.py").read_text().splitlines()
    assert sum(bool(line.strip()) for line in lines) <= 40
