"""Sums of two and of three numbers, as problems of math500-entropy. Three want two additions."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from math500_entropy.prompt import in_layout, system_prompt

LAYOUT = "boxed"
MAX_TOKENS = 40
DIFFERENT = 2 * 4000
"""Sums that `rows` is asked for at most: of two numbers of 10 to 99 there are 4,095."""


def rows(seed: int, count: int) -> list[dict[str, Any]]:
    """Different problems in the schema of MATH-500, one half of two numbers and one of three;
    orders of the same numbers count as one."""
    if count > DIFFERENT:
        raise SystemExit(f"there are {DIFFERENT} different sums, not {count}: lower --held-out")
    rng, seen, found = random.Random(seed), set(), []
    while len(found) < count:
        numbers = (
            (rng.randint(10, 99), rng.randint(10, 99))
            if len(found) % 2
            else (rng.randint(10, 49), rng.randint(10, 49), rng.randint(2, 9))
        )
        key = tuple(sorted(numbers))
        if key in seen:
            continue
        seen.add(key)
        found.append(
            {
                "problem": f"What is {' + '.join(map(str, numbers))}?",
                "answer": str(sum(numbers)),
                "subject": "Prealgebra",
                "level": len(numbers) - 1,
                "unique_id": f"sum/{'-'.join(map(str, numbers))}",
            }
        )
    return found


def write(folder: Path, held_out: int, train: int, warm: int) -> list[dict[str, Any]]:
    """`heldout.jsonl` and `train.jsonl`; the problems of the warm-up are returned. No two share a
    problem."""
    every = rows(0, held_out + train + warm)
    parts = {"heldout": every[:held_out], "train": every[held_out : held_out + train]}
    folder.mkdir(parents=True, exist_ok=True)
    for name, part in parts.items():
        text = "".join(json.dumps(row) + "\n" for row in part)
        (folder / f"{name}.jsonl").write_text(text)
    return every[held_out + train :]


def env(file: Path, group: int) -> dict[str, Any]:
    """The environment plays its own groups; no bonus: `mode = "current"`."""
    taskset = {
        "id": "math500-entropy",
        "path": str(file),
        "task": {"mode": "current", "layout": LAYOUT},
    }
    return {"group": group, "taskset": taskset}


def reference(rng: random.Random, row: dict[str, Any]) -> str:
    """A reply to warm up on. Of the sums of three numbers one half is added in two steps, the other
    at once: which of them pays is left to training."""
    first, second, *third = map(int, row["unique_id"].removeprefix("sum/").split("-"))
    thought = f"{first} + {second} = {first + second}"
    if third:
        [last] = third
        thought += f", {first + second} + {last} = {row['answer']}"
        if rng.random() < 0.5:
            thought = f"{first} + {second} + {last} = {row['answer']}"
    return in_layout(LAYOUT, row["answer"], thought)


def demonstrations(
    tokenizer: Any, warm: Sequence[dict[str, Any]]
) -> list[tuple[list[int], list[int]]]:
    """Prompt and reply of each, as token ids."""
    rng = random.Random(0)
    found = []
    for row in warm:
        messages = [
            {"role": "system", "content": system_prompt(LAYOUT)},
            {"role": "user", "content": row["problem"]},
        ]
        prompt = tokenizer.apply_chat_template(
            messages, add_generation_prompt=True, return_dict=False
        )
        reply = tokenizer(reference(rng, row), add_special_tokens=False)["input_ids"]
        found.append((list(prompt), [*reply, tokenizer.eos_token_id]))
    return found


def stepwise(text: str) -> bool:
    """Whether a reply adds in two steps."""
    return text.count("=") > 1
