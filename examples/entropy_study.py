"""Which completions of real problems have a high matrix entropy, on a small trained model?

    uv run --group train python examples/entropy_study.py --path MATH500.jsonl [--json FILE]

SmolLM2-135M-Instruct, or the model in the folder `--model`, reads each problem with five
completions in the layout of math500-entropy: the reference solution (right), the same with other
numbers (wrong), with phrases that say nothing between its sentences (padded), tokens drawn at
random (gibberish) and one word (repeated), the last two as long as the right one. Entropy is that
of the ten middle layers, as the environment has it.

For each normalisation: the area under the ROC curve (AUC) of right against each other kind, which
is the chance that a right completion has more entropy than one of the other kind of any problem,
with an interval over problems; and the share of problems in which the right one has more, which is
what a bonus within a group of siblings goes by. 0.5: the measure does not tell them apart.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import statistics
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from inward_chat.downloads import DataError
from inward_rewards.entropy import ADVENT, LAYER_BY_LAYER, matrix_entropy, select_layers
from inward_rewards.groups import length_residuals
from inward_statistics import area_interval, area_under_curve, clustered_mean
from learning import solved
from learning.model import NAME, load
from learning.solved import Answered
from math500_entropy.prompt import in_layout, system_prompt
from tqdm import tqdm

KINDS = ("right", "wrong", "padded", "gibberish", "repeated")
FILLERS = (
    "Let us think about this carefully.",
    "This is an important step.",
    "We want to be sure that this is correct.",
    "Now we can go on with the problem.",
    "It is good to check what we have so far.",
)
LONGEST = 200
"""Tokens of a solution: what is longer is left out, to bound the time."""
MEASURES = (
    "advent, not divided",
    "advent / log tokens",
    "advent / maximum",
    "advent, residual",
    "layer_by_layer",
    "tokens alone",
)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--problems", type=int, default=50)
    parser.add_argument(
        "--model", type=Path, help=f"a transformers model with a chat template in place of {NAME}"
    )
    asked = solved.asked_of(parser)
    if asked.model and not (asked.model / "config.json").is_file():
        parser.error(f"--model {asked.model}: no config.json there: give a model's folder")
    try:
        rows = solved.read(Answered, asked.path)
    except DataError as error:
        parser.error(str(error))
    torch.set_num_threads(1)
    found = study(rows, asked.problems, asked.model)
    print(table(found))
    if asked.json:
        asked.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def study(rows: Sequence[Answered], count: int, files: Path | None) -> dict[str, Any]:
    model, tokenizer = load(top=0, files=files)
    rng = random.Random(0)
    problems = [row for row in rows if len(tokenizer(row.solution)["input_ids"]) <= LONGEST][:count]
    values: dict[str, dict[str, list[float]]] = {name: {k: [] for k in KINDS} for name in MEASURES}
    for row in tqdm(problems, desc="problems"):
        measured = entropies(model, *completions(tokenizer, row, rng))
        for name, of_kind in measured.items():
            for kind, value in zip(KINDS, of_kind, strict=True):
                values[name][kind].append(value)
    compared = {
        name: {
            kind: {"auc": auc(of["right"], of[kind]), "paired": paired(of["right"], of[kind])}
            for kind in KINDS[1:]
        }
        for name, of in values.items()
    }
    medians = {
        name: {kind: round(statistics.median(found), 3) for kind, found in of.items()}
        for name, of in values.items()
    }
    name = files.resolve().name if files else NAME
    return {"model": name, "problems": len(problems), "medians": medians, "right against": compared}


def completions(
    tokenizer: Any, row: Answered, rng: random.Random
) -> tuple[list[int], list[list[int]]]:
    """Token ids of the prompt, and of each kind of completion."""

    def ids(text: str) -> list[int]:
        found: list[int] = tokenizer(text, add_special_tokens=False)["input_ids"]
        return found

    messages = [
        {"role": "system", "content": system_prompt()},
        {"role": "user", "content": row.problem},
    ]
    prompt = tokenizer.apply_chat_template(messages, add_generation_prompt=True, return_dict=False)
    solution, answer = row.solution, row.answer

    def other(number: re.Match[str]) -> str:
        choices = [digit for digit in "123456789" if digit != number[0][0]]
        return rng.choice(choices) + "".join(rng.choice("0123456789") for _ in number[0][1:])

    sentences = re.split(r"(?<=[.!?])\s+", solution)
    padded = " ".join(f"{one} {rng.choice(FILLERS)} {rng.choice(FILLERS)}" for one in sentences)
    length = len(ids(solution))
    words = [token for token in range(len(tokenizer)) if token not in tokenizer.all_special_ids]
    thoughts = {
        "right": solution,
        "wrong": re.sub(r"\d+", other, solution),
        "padded": padded,
        "gibberish": tokenizer.decode(rng.choices(words, k=length)),
        "repeated": " ".join(["the"] * length),
    }
    answers = {"wrong": re.sub(r"\d+", other, answer)}
    return list(prompt), [
        ids(in_layout("tags", answers.get(kind, answer), thoughts[kind])) for kind in KINDS
    ]


@torch.no_grad()
def entropies(model: Any, prompt: list[int], written: list[list[int]]) -> dict[str, list[float]]:
    """Of each completion behind the prompt, by measure: the mean over the middle layers."""
    layers = select_layers("middle:10", model.config.num_hidden_layers)
    raw, divided = [], []
    tokens = [len(one) for one in written]
    behind = model.model(input_ids=torch.tensor([prompt]), use_cache=True).past_key_values
    for completion in written:
        states = model.model(
            input_ids=torch.tensor([completion]), past_key_values=behind, output_hidden_states=True
        ).hidden_states
        behind.crop(-len(completion))
        read = torch.stack([states[layer][0] for layer in layers])
        raw.append(float(matrix_entropy(read, definition=ADVENT).mean()))
        divided.append(float(matrix_entropy(read, definition=LAYER_BY_LAYER).mean()))
    dim = model.config.hidden_size

    def over(normalise: Any) -> list[float]:
        definition = replace(ADVENT, normalise=normalise)
        return [value / definition.scale(n, dim) for value, n in zip(raw, tokens, strict=True)]

    found = (raw, over("log_n"), over("max"), length_residuals(raw, tokens), divided, tokens)
    return dict(zip(MEASURES, map(list, found), strict=True))


def auc(right: list[float], other: list[float]) -> list[float]:
    """The area and its interval, as if the two kinds were of other problems: never too narrow where
    one problem's completions are like each other."""
    positive = [True] * len(right) + [False] * len(other)
    area = area_under_curve([*right, *other], positive)
    found = area_interval(area, len(right), len(other))
    return [round(one, 3) for one in (found.value, found.low, found.high)]


def paired(right: list[float], other: list[float]) -> list[float]:
    won = [float(a > b) + 0.5 * (a == b) for a, b in zip(right, other, strict=True)]
    mean = clustered_mean(won, range(len(won)))
    return [round(one, 3) for one in (mean.value, mean.low, mean.high)]


def table(found: dict[str, Any]) -> str:
    def row(name: str, cell: Callable[[str], str], kinds: tuple[str, ...]) -> str:
        return f"| {name} | " + " | ".join(map(cell, kinds)) + " |"

    def head(title: str, kinds: tuple[str, ...]) -> list[str]:
        return ["", row(title, str, kinds), "|---" * (len(kinds) + 1) + "|"]

    lines = [f"{found['model']}, {found['problems']} problems"]
    lines += head("median", KINDS)
    for name, of in found["medians"].items():
        lines.append(row(name, lambda kind, of=of: f"{of[kind]:.3g}", KINDS))
    for key, title in (("auc", "AUC: right against"), ("paired", "share: right has more than")):
        lines += head(title, KINDS[1:])
        for name, of in found["right against"].items():
            lines.append(
                row(
                    name,
                    lambda kind, of=of, key=key: "{:.2f} [{:.2f}, {:.2f}]".format(*of[kind][key]),
                    KINDS[1:],
                )
            )
    return "\n".join(lines)


if __name__ == "__main__":
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    main()
