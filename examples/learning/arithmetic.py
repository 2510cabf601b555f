"""Sums of three numbers, as problems of math500-entropy. A right sum wants two additions."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

from math500_entropy.prompt import in_layout, system_prompt

IN_LAYOUT = "boxed"
MAX_TOKENS = 40
WARM, WARM_RATE = 256, 5e-5
"""Reference replies to imitate first, and Adam's rate for them."""
OPTIMIZER, RATE, STEPS = "Adam", 4e-5, 12
RENDERER = {"name": "default"}
LAYOUT, WAY, BASE = "well_formed", "in two steps", "true"
"""The metric that tells whether a reply has the layout; what `way` looks for; and the arm that the
others are compared with."""
DIFFERENT = 820 * 8
"""Sums that `rows` can tell apart: unordered pairs of 10 to 49, and 2 to 9."""
STEPWISE = 0.8
"""Share of the reference replies that add in two steps. Measured: with one half the warm model,
whose habit is to write a sum at once, has a greedy 0.12 right."""


def rows(seed: int, count: int) -> list[dict[str, Any]]:
    """Different problems in the schema of MATH-500; orders of the same numbers count as one."""
    if count > DIFFERENT:
        raise SystemExit(f"there are {DIFFERENT} different sums, not {count}: lower --held-out")
    rng, seen, found = random.Random(seed), set(), []
    while len(found) < count:
        numbers = rng.randint(10, 49), rng.randint(10, 49), rng.randint(2, 9)
        key = tuple(sorted(numbers))
        if key in seen:
            continue
        seen.add(key)
        a, b, c = numbers
        found.append(
            {
                "problem": f"What is {a} + {b} + {c}?",
                "answer": str(a + b + c),
                "subject": "Prealgebra",
                "level": 1,
                "unique_id": f"sum/{a}-{b}-{c}",
            }
        )
    return found


def env(file: Path) -> dict[str, Any]:
    """Single rollouts, without a bonus: `mode = "current"`."""
    taskset = {
        "id": "math500-entropy",
        "path": str(file),
        "task": {"mode": "current", "layout": IN_LAYOUT},
    }
    return {"group": 1, "taskset": taskset}


def tokenizer(files: Path, into: Path) -> Path:
    """The model's own."""
    return files


def reference(rng: random.Random, row: dict[str, Any]) -> str:
    """A reply to warm up on: in two steps, or the sum at once. Which of them pays is left to
    training."""
    a, b, c = (int(part) for part in row["unique_id"].removeprefix("sum/").split("-"))
    thought = f"{a} + {b} + {c} = {a + b + c}"
    if rng.random() < STEPWISE:
        thought = f"{a} + {b} = {a + b}, {a + b} + {c} = {a + b + c}"
    return in_layout(IN_LAYOUT, row["answer"], thought)


def demonstrations(tokenizer: Any, file: Path) -> list[tuple[list[int], list[int], list[float]]]:
    """Of each problem: its prompt, a reply, and the weight of each of the reply's tokens."""
    rng = random.Random(0)
    found = []
    for row in map(json.loads, file.read_text(encoding="utf-8").splitlines()):
        messages = [
            {"role": "system", "content": system_prompt(IN_LAYOUT)},
            {"role": "user", "content": row["problem"]},
        ]
        prompt = tokenizer.apply_chat_template(
            messages, add_generation_prompt=True, return_dict=False
        )
        reply = tokenizer(reference(rng, row), add_special_tokens=False)["input_ids"]
        found.append((list(prompt), [*reply, tokenizer.eos_token_id], [1.0] * (len(reply) + 1)))
    return found


def way(text: str) -> bool:
    """Whether a reply adds in two steps."""
    return text.count("=") > 1
