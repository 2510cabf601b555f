"""Can one tell which questions a small model was trained on?

    uv run --group train python examples/contamination.py --path MATH500.jsonl [--json FILE]

SmolLM2-135M-Instruct is fine-tuned on one half of the problems with their solutions, and not on the
other half, drawn from the same file. Then each question is scored by Self-Critique (arXiv
2510.09259): the greedy answer, a second greedy answer that is to differ, with the first one in
context, and the cosine of their token entropies. Beside it stand the baselines, on the text that
may have been seen: perplexity, Min-K% Prob (arXiv 2310.16789), and ReCaLL (arXiv 2406.15968) with
another problem as the prefix. For each: the chance that a seen question scores above an unseen one
(AUC), with an interval over questions. The same of the model before it was trained is the control:
0.5, or the two halves differ by chance.

Self-Critique was made for what reinforcement learning leaves; here it is fine-tuning on solutions,
and the model is a small one.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from inward_statistics import area_under_curve, min_k_prob, recall_ratio, self_critique
from learning.model import NAME, load
from tqdm import tqdm

LONGEST = 160
"""Tokens of a solution: what is longer is left out, to bound the time."""
TOP = 6
"""Layers that are trained, of 30."""
EPOCHS, RATE = 6, 2e-4
ANSWER_TOKENS = 48
"""Of each greedy answer."""
TOP_K = 50
"""Tokens that an entropy is taken over, not renormalised, as in Self-Critique."""
BATCH, BATCH_OF_ANSWERS = 4, 16
RESAMPLES = 2000
SEED = 0
AGAIN = (
    "{problem}\n\nA first answer to this was:\n{answer}\n\n"
    "Answer the question again, by another way of reasoning than that one."
)
SCORES = ("Self-Critique", "perplexity", "Min-K% Prob", "ReCaLL")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--path",
        type=Path,
        required=True,
        help="problems with solutions, one JSON object a line, in the schema of MATH-500",
    )
    parser.add_argument("--problems", type=int, default=16, help="of each half")
    parser.add_argument("--json", type=Path, help="write the figures into this file")
    asked = parser.parse_args()
    if not asked.path.is_file():
        parser.error(f"no file at {str(asked.path)!r}: name one in the schema of MATH-500")
    if asked.problems < 2:
        parser.error(f"--problems {asked.problems}: two or more of each half can be compared")
    torch.manual_seed(SEED)
    model, tokenizer = load(TOP)
    tokenizer.padding_side = "left"
    rows = problems(asked.path, tokenizer, 2 * asked.problems + 1)
    if len(rows) < 2 * asked.problems + 1:
        parser.error(
            f"{str(asked.path)!r} has {len(rows)} problems of at most {LONGEST} tokens, and "
            f"--problems {asked.problems} needs {2 * asked.problems + 1}"
        )
    prefix, *rest = rows  # for ReCaLL: a problem that the model has not seen
    seen, unseen = rest[: asked.problems], rest[asked.problems :]
    began = time.monotonic()
    before = figures(model, tokenizer, seen, unseen, prefix)
    losses = fine_tune(model, tokenizer, seen)
    after = figures(model, tokenizer, seen, unseen, prefix)
    found = {
        "model": NAME,
        "seen": len(seen),
        "unseen": len(unseen),
        "loss per epoch": losses,
        "untrained": before,
        "fine-tuned": after,
        "seconds": round(time.monotonic() - began),
    }
    print(table(found))
    if asked.json:
        asked.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def problems(path: Path, tokenizer: Any, count: int) -> list[dict[str, str]]:
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    random.Random(SEED).shuffle(rows)
    short = (r for r in rows if len(tokenizer(text_of(r))["input_ids"]) <= LONGEST)
    return [row for row, _ in zip(short, range(count), strict=False)]


def text_of(row: dict[str, str]) -> str:
    return f"{row['problem']}\n\n{row['solution']}"


def fine_tune(model: Any, tokenizer: Any, rows: list[dict[str, str]]) -> list[float]:
    """Mean loss of each epoch, nats per token."""
    trained = [one for one in model.parameters() if one.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=RATE, weight_decay=0.0)
    order, losses = random.Random(SEED), []
    for _ in tqdm(range(EPOCHS), desc="epochs"):
        order.shuffle(rows := list(rows))
        of_epoch = []
        for start in range(0, len(rows), BATCH):
            ids, mask = padded(tokenizer, [text_of(row) for row in rows[start : start + BATCH]])
            labels = torch.where(mask == 1, ids, -100)
            loss = model(input_ids=ids, attention_mask=mask, labels=labels).loss
            loss.backward()
            torch.nn.utils.clip_grad_norm_(trained, 1.0)
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
            of_epoch.append(float(loss.detach()))
        losses.append(round(statistics.fmean(of_epoch), 3))
    return losses


def padded(tokenizer: Any, texts: list[str]) -> tuple[torch.Tensor, torch.Tensor]:
    read = tokenizer(texts, return_tensors="pt", padding=True, add_special_tokens=False)
    return read["input_ids"], read["attention_mask"]


@torch.no_grad()
def figures(
    model: Any,
    tokenizer: Any,
    seen: list[dict[str, str]],
    unseen: list[dict[str, str]],
    prefix: dict[str, str],
) -> dict[str, list[float]]:
    """Score -> AUC with its interval."""
    rows = [*seen, *unseen]
    first = answers(model, tokenizer, [row["problem"] for row in rows])
    asked = [
        AGAIN.format(problem=row["problem"], answer=text)
        for row, (text, _) in zip(rows, first, strict=True)
    ]
    second = answers(model, tokenizer, asked)
    scores: dict[str, list[float]] = {name: [] for name in SCORES}
    pairs = zip(rows, first, second, strict=True)
    for row, (_, entropies), (_, again) in tqdm(pairs, desc="questions", total=len(rows)):
        alone = logprobs(model, tokenizer, "", text_of(row))
        behind = logprobs(model, tokenizer, f"{text_of(prefix)}\n\n", text_of(row))
        scores["Self-Critique"].append(self_critique(entropies, again))
        scores["perplexity"].append(statistics.fmean(alone))  # less of it speaks for a seen text
        scores["Min-K% Prob"].append(min_k_prob(alone))
        scores["ReCaLL"].append(recall_ratio(behind, alone))
    labels = [True] * len(seen) + [False] * len(unseen)
    return {name: auc(values, labels) for name, values in scores.items()}


def answers(model: Any, tokenizer: Any, questions: list[str]) -> list[tuple[str, list[float]]]:
    """Of each question: its greedy answer, and the entropy of each of its tokens, nats."""
    found = []
    for start in tqdm(range(0, len(questions), BATCH_OF_ANSWERS), desc="answers"):
        prompts = [
            tokenizer.apply_chat_template(
                [{"role": "user", "content": text}], tokenize=False, add_generation_prompt=True
            )
            for text in questions[start : start + BATCH_OF_ANSWERS]
        ]
        ids, mask = padded(tokenizer, prompts)
        made = model.generate(
            input_ids=ids,
            attention_mask=mask,
            do_sample=False,
            max_new_tokens=ANSWER_TOKENS,
            output_logits=True,
            return_dict_in_generate=True,
            pad_token_id=tokenizer.pad_token_id,
        )
        log_p = torch.stack(made.logits, 1).log_softmax(-1).topk(TOP_K).values
        entropies = -(log_p.exp() * log_p).sum(-1)
        for written, of_tokens in zip(made.sequences[:, ids.shape[1] :], entropies, strict=True):
            ends = (written == model.generation_config.eos_token_id).nonzero()
            length = int(ends[0]) + 1 if len(ends) else len(written)
            text = tokenizer.decode(written[:length], skip_special_tokens=True)
            found.append((text, of_tokens[:length].tolist()))
    return found


def logprobs(model: Any, tokenizer: Any, before: str, text: str) -> list[float]:
    """Of the text's tokens but the first, behind `before`."""
    opening = tokenizer(before, add_special_tokens=False)["input_ids"] if before else []
    own = tokenizer(text, add_special_tokens=False)["input_ids"]
    ids = torch.tensor([[*opening, *own]])
    log_p = model(input_ids=ids).logits[0].log_softmax(-1)
    places = torch.arange(len(opening) + 1, ids.shape[1])
    found: list[float] = log_p[places - 1, ids[0, places]].tolist()
    return found


def auc(values: list[float], labels: list[bool]) -> list[float]:
    """AUC, low and high: a percentile bootstrap over questions of each half."""
    rng, scores, chosen = np.random.default_rng(SEED), np.array(values), np.array(labels)
    halves = [np.flatnonzero(chosen), np.flatnonzero(~chosen)]
    again = []
    for _ in range(RESAMPLES):
        drawn = np.concatenate([rng.choice(half, len(half)) for half in halves])
        again.append(area_under_curve(scores[drawn].tolist(), chosen[drawn].tolist()))
    low, high = np.percentile(again, [2.5, 97.5])
    return [round(float(one), 3) for one in (area_under_curve(values, labels), low, high)]


def table(found: dict[str, Any]) -> str:
    lines = [
        f"{found['model']}, {found['seen']} seen and {found['unseen']} unseen problems; loss per "
        f"epoch {found['loss per epoch']}; {found['seconds']} s",
        "| AUC, seen above unseen | fine-tuned | untrained (control) |",
        "|---|---|---|",
    ]
    for name in SCORES:
        cells = [
            "{:.2f} [{:.2f}, {:.2f}]".format(*found[k][name]) for k in ("fine-tuned", "untrained")
        ]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


if __name__ == "__main__":
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    main()
