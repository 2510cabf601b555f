"""A search game by quality-rag: who put what where, in short stories made by rule.

No story is shown. The tool finds a sentence of it, and a guess is right in one of four. The warm-up
imitates rollouts of the environment's own baselines: one of six `keyword-reader`'s, cut to its
first search and its answer, the others `random`'s, which answers without one. Before its letter the
place is named. Which of the two pays is left to training.

Without the place's name it learns to search, but not to read what it finds: measured, where every
second reply searched, it was then right in 0.27 of the rollouts that searched.
"""

from __future__ import annotations

import asyncio
import json
import random
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import verifiers.v1 as vf
from inward_chat.testing import PolicyServer
from learning.model import with_tool_tokens
from quality_rag.baselines import make_keyword_reader, make_random
from renderers import create_renderer
from renderers.configs import Qwen3RendererConfig
from verifiers.v1.clients.train import tool_to_wire
from verifiers.v1.dialects.chat import message_to_wire

MAX_TOKENS = 48
WARM, WARM_RATE = 256, 1e-4
OPTIMIZER, RATE, STEPS = "SGD", 0.015, 6
"""Adam's first steps are as long where the gradients say nothing. Measured at its 1e-5 over twelve
steps: the runs without a signal ended between 0.21 and 0.78 of right answers, from 0.35. And at a
higher rate a signal has taught in two steps, and noise goes on: by SGD at 0.05, one run without a
signal was right in 0.65 of its sixth step."""
SEARCHING = 6
"""One of so many replies of the warm-up searches, so that the warm model's habit is to guess: four
options share what does not search. Measured greedily on 400 stories: with one of two it searches in
0.99 of them, with one of four in 0.88, with one of six in 1."""
RENDERER = {"name": "qwen3", "enable_thinking": False}
LAYOUT, WAY, BASE = "answered", "with a search", "true"
PLACES = {"A": "attic", "B": "barn", "C": "cellar", "D": "dock"}
"""The four options, in this order always: to find the place is the task, not to find its letter."""
PEOPLE = """
Ada Bela Cora Dora Edda Finn Gero Hugo Ines Jana Karl Lena Mara Nils Olga Paul Rosa Sven Tilda Ute
""".split()
THINGS = """
apple ball book bottle bowl broom brush bucket button candle chain clock coat coin compass crown cup
drum fiddle flute hammer hat horn jar kettle key kite knife ladder lamp letter map medal mirror mug
needle paddle pen pipe pot purse ribbon ring rope saddle scarf shell shoe spoon stamp stool sword
ticket torch towel vase wheel whistle
""".split()


def rows(seed: int, count: int) -> list[dict[str, Any]]:
    """Different stories of nine sentences in QuALITY's schema, with a question each. Two sentences
    more are of the person who is asked for, and two of the thing."""
    rng, seen, found = random.Random(seed), set(), []
    while len(found) < count:
        (person, *others), (thing, *things) = rng.sample(PEOPLE, 7), rng.sample(THINGS, 7)
        told = [(person, thing)]
        told += [(person, one) for one in things[:2]] + [(one, thing) for one in others[:2]]
        told += list(zip(others[2:], things[2:], strict=True))
        rng.shuffle(told)
        places = {pair: rng.choice(list(PLACES)) for pair in told}
        story = " ".join(f"{who} put the {what} in the {PLACES[places[who, what]]}."
                         for who, what in told)  # fmt: skip
        if story in seen:
            continue
        seen.add(story)
        number = str(len(found))
        question = {
            "question": f"Where did {person} put the {thing}?",
            "question_unique_id": number,
            "options": list(PLACES.values()),
            "gold_label": 1 + list(PLACES).index(places[person, thing]),
            "difficult": 0,
        }
        names = {"article_id": number, "title": "Put away", "article": story}
        found.append({**names, "questions": [question]})
    return found


def env(file: Path) -> dict[str, Any]:
    """One passage per search, of one sentence; at most three turns."""
    tools = {"passages": 1, "retriever": {"type": "bm25", "chunk_words": 8}}
    taskset = {"id": "quality-rag", "path": str(file), "tools": tools}
    return {"agent": {"max_turns": 3}, "taskset": taskset}


def tokenizer(files: Path, into: Path) -> Path:
    """The model's, with the tokens of tool calls."""
    return with_tool_tokens(files, into)


def demonstrations(tokenizer: Any, file: Path) -> list[tuple[list[int], list[int], list[float]]]:
    """Of each question: its prompt, what follows, and the weight of each token of that, which is 0
    where the tool speaks."""
    renderer = create_renderer(tokenizer, Qwen3RendererConfig.model_validate(RENDERER))

    def written(text: str) -> list[int]:
        return [*tokenizer(text, add_special_tokens=False)["input_ids"], tokenizer.eos_token_id]

    found = []
    for trace in asyncio.run(_played(file)):
        tools = [tool_to_wire(tool) for tool in trace.tools]
        system, user, *turns, last = map(message_to_wire, trace.branches[-1].messages)
        prompt = renderer.render_ids([system, user], tools=tools, add_generation_prompt=True)
        ids, weights = list(prompt), []
        if turns:  # the first search, and what it found
            call = turns[0]["tool_calls"][0]["function"]
            asked = {"name": call["name"], "arguments": json.loads(call["arguments"])}
            search = written(f"<tool_call>\n{json.dumps(asked)}\n</tool_call>")
            behind = renderer.bridge_to_next_turn(prompt, search, turns[1:2], tools=tools)
            weights = [1.0] * len(search)
            weights += [0.0] * (len(behind.token_ids) - len(prompt) - len(search))
            ids = list(behind.token_ids)
        answer = written(f"{PLACES[last['content'][-1]].capitalize()}.\n\n{last['content']}")
        ids += answer
        found.append((list(prompt), ids[len(prompt) :], weights + [1.0] * len(answer)))
    return found


async def _played(file: Path) -> list[Any]:
    """One rollout per question: one of `SEARCHING` searches."""
    played = vf.load_environment(vf.resolve_env_config(env(file)))
    slots = [played.slots(task)[0] for task in played.taskset]
    with ExitStack() as servers:
        contexts = []
        for make in (make_keyword_reader, make_random):
            server = servers.enter_context(PolicyServer(make(0)))
            client = vf.EvalClientConfig(base_url=server.base_url)
            contexts.append(
                vf.ModelContext(model="policy", client=client, sampling=vf.SamplingConfig())
            )
        async with played.serving():
            episodes = await asyncio.gather(
                *(
                    played.run_slot(slot, contexts[n % SEARCHING > 0])
                    for n, slot in enumerate(slots)
                )
            )
    traces = [trace for episode in episodes for trace in episode.traces]
    if failed := [trace for trace in traces if not trace.ok]:
        raise SystemExit(f"a baseline's rollout failed: {failed[0].errors[-1].message}")
    return traces


def way(text: str) -> bool:
    """Whether a rollout searched."""
    return "<tool_response>" in text
