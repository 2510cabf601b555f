"""Can one tell which questions a small model was trained on?

    uv run --group train python examples/contamination.py [--path MATH500.jsonl] [--json FILE]

SmolLM2-135M-Instruct is fine-tuned on conversations, problems with their solutions, and not on as
many others, drawn from the same file. Then each question is scored by Self-Critique (arXiv
2510.09259): the greedy answer, a second greedy answer that is to differ, with the first one in
context, and the cosine of their token entropies. Beside it stand the baselines, on the text that
may have been seen: perplexity, Min-K% Prob (arXiv 2310.16789), and ReCaLL (arXiv 2406.15968), with
a conversation before it that neither half holds. For each: the chance that a seen question scores
above an unseen one (AUC), with an interval over questions. The same of the model before it was
trained is the control: 0.5, or the two halves differ by chance.

Self-Critique was made for what reinforcement learning leaves; here it is fine-tuning on solutions,
and the model is a small one.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from inward_chat.downloads import DataError
from inward_statistics import (
    area_interval,
    area_under_curve,
    min_k_prob,
    recall_ratio,
    self_critique,
)
from learning import solved
from learning.model import NAME, load
from learning.solved import Solved
from tqdm import tqdm

LONGEST = 160
"""Tokens of a problem and its solution: what is longer is left out, to bound the time."""
TOP = 6
"""Layers that are trained, of 30."""
EPOCHS, RATE = 6, 2e-4
ANSWER_TOKENS = 48
"""Of each greedy answer."""
TOP_K = 50
"""Tokens that an entropy is taken over, not renormalised, as in Self-Critique."""
BATCH, BATCH_OF_ANSWERS = 4, 16
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
    parser.add_argument("--problems", type=int, default=13, help="of each half")
    asked = solved.asked_of(parser)
    if asked.problems < 2:
        parser.error(f"--problems {asked.problems}: two or more of each half can be compared")
    began = time.monotonic()
    torch.manual_seed(SEED)
    model, tokenizer = load(TOP)
    tokenizer.padding_side = "left"
    try:
        rows = drawn(asked.path, tokenizer, 2 * asked.problems + 1)
    except DataError as error:
        parser.error(str(error))
    prefix, seen, unseen = rows[0], rows[1 : asked.problems + 1], rows[asked.problems + 1 :]
    before = scores(model, tokenizer, [*seen, *unseen], prefix)
    losses = fine_tune(model, tokenizer, seen)
    after = scores(model, tokenizer, [*seen, *unseen], prefix)
    found = {
        "model": NAME,
        "problems of each half": asked.problems,
        "loss per epoch": losses,
        "seconds": round(time.monotonic() - began),
        "scores, seen first": {"fine-tuned": after, "untrained": before},
    }
    print(table(found, asked.problems))
    if asked.json:
        asked.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def drawn(path: Path, tokenizer: Any, count: int) -> list[Solved]:
    """DataError: the file does not hold as many that are short enough."""
    rows = solved.read(Solved, path)
    random.Random(SEED).shuffle(rows)
    sizes = [len(tokenizer(f"{row.problem}\n{row.solution}")["input_ids"]) for row in rows]
    short = [row for row, size in zip(rows, sizes, strict=True) if size <= LONGEST]
    if len(short) < count:
        raise DataError(
            f"{path} has {len(short)} problems of at most {LONGEST} tokens with their solutions, "
            f"and two halves and one problem more are {count}: lower --problems"
        )
    return short[:count]


def conversation(tokenizer: Any, *rows: Solved) -> tuple[list[int], list[int]]:
    """Token ids of what stands before the last row's problem, and of the rest."""
    messages = [
        {"role": role, "content": text}
        for row in rows
        for role, text in (("user", row.problem), ("assistant", row.solution))
    ]
    whole: str = tokenizer.apply_chat_template(messages, tokenize=False)
    turn = "user\n"
    start = whole.rindex(turn + rows[-1].problem) + len(turn)
    before, rest = (
        tokenizer(text, add_special_tokens=False)["input_ids"]
        for text in (whole[:start], whole[start:])
    )
    return before, rest


def fine_tune(model: Any, tokenizer: Any, rows: Sequence[Solved]) -> list[float]:
    """Mean loss of each epoch's batches, nats per token of problems and solutions."""
    trained = [one for one in model.parameters() if one.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=RATE, weight_decay=0.0)
    rng, order, losses = random.Random(SEED), list(rows), []
    for _ in tqdm(range(EPOCHS), desc="epochs"):
        rng.shuffle(order)
        of_epoch = []
        for start in range(0, len(order), BATCH):
            read = [conversation(tokenizer, row) for row in order[start : start + BATCH]]
            longest = max(len(before) + len(text) for before, text in read)
            ids = torch.zeros((len(read), longest), dtype=torch.long)
            labels = torch.full_like(ids, -100)
            for place, (before, text) in enumerate(read):
                stop = len(before) + len(text)
                ids[place, :stop] = torch.tensor([*before, *text])
                labels[place, len(before) : stop] = torch.tensor(text)
            # Padding stands behind: no token sees it.
            loss = model(input_ids=ids, labels=labels).loss
            loss.backward()
            torch.nn.utils.clip_grad_norm_(trained, 1.0)
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
            of_epoch.append(float(loss.detach()))
        losses.append(round(statistics.fmean(of_epoch), 3))
    return losses


@torch.no_grad()
def scores(
    model: Any, tokenizer: Any, rows: Sequence[Solved], prefix: Solved
) -> dict[str, list[float]]:
    """Score -> its value of each row."""
    first = answers(model, tokenizer, [row.problem for row in rows])
    second = answers(
        model,
        tokenizer,
        [
            AGAIN.format(problem=row.problem, answer=text)
            for row, (text, _) in zip(rows, first, strict=True)
        ],
    )
    found: dict[str, list[float]] = {name: [] for name in SCORES}
    for row, (_, one), (_, other) in zip(tqdm(rows, desc="texts"), first, second, strict=True):
        alone = logprobs(model, *conversation(tokenizer, row))
        behind = logprobs(model, *conversation(tokenizer, prefix, row))
        found["Self-Critique"].append(self_critique(one, other))
        # A lower perplexity speaks for a seen text.
        found["perplexity"].append(statistics.fmean(alone))
        found["Min-K% Prob"].append(min_k_prob(alone))
        found["ReCaLL"].append(recall_ratio(behind, alone))
    return found


def answers(model: Any, tokenizer: Any, questions: Sequence[str]) -> list[tuple[str, list[float]]]:
    """Of each question: its greedy answer, and the entropy of each of its tokens, nats."""
    found = []
    for start in tqdm(range(0, len(questions), BATCH_OF_ANSWERS), desc="answers"):
        prompts = [
            tokenizer.apply_chat_template(
                [{"role": "user", "content": text}], tokenize=False, add_generation_prompt=True
            )
            for text in questions[start : start + BATCH_OF_ANSWERS]
        ]
        read = tokenizer(prompts, return_tensors="pt", padding=True, add_special_tokens=False)
        made = model.generate(
            **read,
            do_sample=False,
            max_new_tokens=ANSWER_TOKENS,
            output_logits=True,
            return_dict_in_generate=True,
            pad_token_id=tokenizer.pad_token_id,
        )
        log_p = torch.stack(made.logits, 1).log_softmax(-1).topk(TOP_K).values
        entropies = -(log_p.exp() * log_p).sum(-1)
        written = made.sequences[:, read["input_ids"].shape[1] :]
        for ids, of_tokens in zip(written, entropies, strict=True):
            ends = (ids == model.generation_config.eos_token_id).nonzero()
            length = int(ends[0]) + 1 if len(ends) else len(ids)
            text = tokenizer.decode(ids[:length], skip_special_tokens=True)
            found.append((text, of_tokens[:length].tolist()))
    return found


def logprobs(model: Any, before: list[int], text: list[int]) -> list[float]:
    """Of the text's tokens, in the context of what stands before it."""
    ids = torch.tensor([[*before, *text]])
    log_p = model(input_ids=ids).logits[0, len(before) - 1 : -1].log_softmax(-1)
    found: list[float] = log_p.gather(1, torch.tensor(text)[:, None])[:, 0].tolist()
    return found


def table(found: dict[str, Any], half: int) -> str:
    labels = [True] * half + [False] * half
    lines = [
        f"{NAME}, {half} seen and {half} unseen problems; loss per epoch "
        f"{found['loss per epoch']}; {found['seconds']} s",
        "| AUC, seen above unseen | fine-tuned | untrained (control) |",
        "|---|---|---|",
    ]
    for name in SCORES:
        cells = []
        for of_model in found["scores, seen first"].values():
            area = area_interval(area_under_curve(of_model[name], labels), half, half)
            cells.append(f"{area.value:.2f} [{area.low:.2f}, {area.high:.2f}]")
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
