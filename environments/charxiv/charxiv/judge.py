"""The judge of texts: a model behind an OpenAI-compatible endpoint, with the benchmark's rubric."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import verifiers.v1 as vf

OWN = """\
A question about a chart has a reference answer. Say whether the reply gives the same answer.

- Another form of the same term is the same: case, word order in a list, LaTeX or Unicode.
- Where the question offers options, only the same option is the same.
- A reply without an answer is not the same.

Question: {question}
Reference answer: {gold}
Reply: {reply}

Reply with JSON alone: {"extracted_answer": "...", "score": 1 or 0}
"""


class JudgeConfig(vf.JudgeConfig):
    model: str = "gpt-4o-2024-05-13"
    """The benchmark's own."""
    sampling: vf.SamplingConfig = vf.SamplingConfig(temperature=0.0, seed=42, max_tokens=1024)
    """As the benchmark samples."""


class CharxivJudge(vf.Judge[bool, JudgeConfig]):
    """Judge output that cannot be read raises: it is no verdict on the policy."""

    def build_messages(self, **fields: Any) -> str:
        """`grading`: the benchmark's own prompt; `question`, `gold`, `reply` for the other."""
        if self.prompt is None and fields["grading"]:
            values = {"ground_truth": fields["gold"], "response": fields["reply"]}
            return _filled(r"<\|(\w+)\|>", fields["grading"], values)
        return _filled(r"\{(\w+)\}", self.prompt or OWN, fields)

    def parse(self, response: vf.JudgeResponse[bool]) -> bool:
        # The whole object, or the last one where prose with braces stands before it.
        for pattern in (r"\{.*\}", r"\{[^{}]*\}"):
            for text in reversed(re.findall(pattern, response.text, re.DOTALL)):
                score = _score(text)
                if score is not None:
                    return bool(score)
        raise ValueError(
            f"the judge {self.config.model!r} gave no score of 0 or 1, but "
            f"{response.text[:200]!r}: take a judge that answers in JSON, or none"
        )


def _score(text: str) -> int | None:
    """0 or 1; None where the text is no object with one. A judge quotes LaTeX as it is written:
    a backslash that JSON does not know stands for itself."""
    legal = re.sub(r'\\(\\|["/bfnrtu])|\\', lambda m: m[0] if m[1] else r"\\", text)
    try:
        said = json.loads(legal, strict=False)
    except ValueError:
        return None
    if not isinstance(said, dict):
        return None
    score = next((said[key] for key in ("score", "score_T1") if key in said), None)
    return (
        score
        if isinstance(score, int) and score in (0, 1) and not isinstance(score, bool)
        else None
    )


def _filled(mark: str, template: str, values: Mapping[str, str]) -> str:
    """In one pass: what a policy wrote is never searched for marks."""
    return re.sub(mark, lambda found: values.get(found[1], found[0]), template)
