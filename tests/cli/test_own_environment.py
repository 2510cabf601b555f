"""The example of an environment of one's own plays by verifiers' own command."""

import sys
from pathlib import Path

from inward_chat.testing import PolicyServer
from support.runs import vf_eval

EXAMPLE = Path(__file__).parents[2] / "examples/own_environment"


def test_it_plays_by_vf_eval(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(EXAMPLE)
    words = {"search finds the evidence": "sfte", "every bar has its length": "ebhil"}

    def reply(body):
        text = body["messages"][-1]["content"]
        known = (answer for prompt, answer in words.items() if prompt in text)
        return {"content": next(known, "no idea")}

    with PolicyServer(reply) as server:
        episodes = vf_eval("first-letters", server, cwd=tmp_path)
    scores = [trace["rewards"]["correct"]["score"] for e in episodes for trace in e["traces"]]
    assert sorted(scores) == [0.0, 1.0, 1.0]
    assert "first_letters" in sys.modules


def test_it_is_as_short_as_the_readme_says():
    source = (EXAMPLE / "first_letters.py").read_text(encoding="utf-8")
    code = [line for line in source.split('"""')[2].splitlines() if line.strip()]
    assert len(code) <= 40
