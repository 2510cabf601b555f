"""What the policy is told agrees with what is enforced, and its reply is read as it is told."""

from __future__ import annotations

import json

import pytest
from chart_spec.prompt import Weights, last_block, system_prompt
from inward_rewards.charts.errors import RenderError
from inward_rewards.charts.specification import limits
from pydantic import ValidationError

SPEC = {"mark": "bar", "note": "a } and a {"}
BLOCK = f"```json\n{json.dumps(SPEC)}\n```"
OTHER = '```json\n{"mark": "line"}\n```'


@pytest.mark.parametrize(
    "reply",
    [
        BLOCK,
        f"Some thoughts.\n\n{BLOCK}\n\nDone.",
        f"{OTHER}\nNo, rather:\n{BLOCK}",
        f"```python\nx = 1\n```\n{BLOCK}\n```\nnot json\n```",
        f"```json {json.dumps(SPEC)} ```",
        BLOCK.replace("\n", "\r\n"),
    ],
)
def test_last_block_counts(reply: str) -> None:
    assert json.loads(last_block(reply)) == SPEC


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        ("", "holds no"),
        ("I cannot see a chart.", "holds no"),
        (json.dumps(SPEC), "holds no"),
        (f"{BLOCK}\n```json\n", "not closed"),
    ],
)
def test_unreadable_replies_say_why(reply: str, reason: str) -> None:
    with pytest.raises(RenderError, match=reason):
        last_block(reply)


def test_every_limit_is_in_the_prompt() -> None:
    told = system_prompt(Weights(), known=True)
    constants = {name: value for name, value in vars(limits).items() if name.isupper()}
    assert len(constants) > 20
    for name, value in constants.items():
        words = (
            value
            if isinstance(value, frozenset)
            else [
                f"{value >> 20} MiB"
                if name in ("MEMORY_BYTES", "MAX_PNG_BYTES", "MAX_SCENE_BYTES")
                else f"{value:g}"
                if isinstance(value, float)
                else str(value)
            ]
        )
        assert all(str(word) in told for word in words), name


def test_weights_are_told_as_they_are() -> None:
    told = system_prompt(Weights(similarity=1, table=2, text=1), known=True)
    assert "0.25 x how alike" in told
    assert "0.5 x the F1 of the numbers" in told
    assert "0.25 x the F1 of the texts" in told
    assert "0.65 x the F1 of the numbers" in system_prompt(Weights(), known=True)
    assert "F1" not in system_prompt(Weights(), known=False)


@pytest.mark.parametrize(
    "weights", [{"similarity": 0}, {"table": -1}, {"text": float("nan")}, {"x": 1}]
)
def test_bad_weights_are_refused(weights: dict[str, float]) -> None:
    with pytest.raises(ValidationError):
        Weights(**weights)
