"""Random miniatures in both seats: the parameters of either move. Plumbing, and no more than that.

Each token of their vocabulary is a whole reply: a chart, a chart that cannot be read, a bad copy,
a word. A model of random weights then plays the real environment over the real wire.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

torch = pytest.importorskip("torch", reason="needs the groups models and train")

from inward_training import Group, Rollouts  # noqa: E402
from inward_training.engine import Engine  # noqa: E402
from support.charts import numbers_changed  # noqa: E402
from support.proposals import ORDINARY, UNREADABLE  # noqa: E402

pytestmark = pytest.mark.models

RENDERER = {
    "name": "custom",
    "import_path": f"{Path(__file__).parents[1]}/support/picture_renderer.py:PictureRenderer",
}

SPECS = [ORDINARY, UNREADABLE["no axis of numbers"][1], numbers_changed(ORDINARY, 0.3)]
REPLIES = [f"```json\n{json.dumps(spec)}\n```" for spec in SPECS]
WORDS = ["invent", "look", "hm"]
SPECIAL = ["<pad>", "<|im_end|>", "<unk>"]
TEMPLATE = (
    "{% for message in messages %}{% if message.role == 'user' %}"
    "{{ 'invent' if message.content is string else 'look' }}{% endif %}{% endfor %}"
)
"""A solver is shown that there is a picture, and not the picture."""


def make_model(folder: Path, seed: int) -> Any:
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast, Qwen3Config, Qwen3ForCausalLM

    vocabulary = {word: number for number, word in enumerate([*SPECIAL, *WORDS, *REPLIES])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, eos_token="<|im_end|>", pad_token="<pad>", unk_token="<unk>"
    )
    fast.chat_template = TEMPLATE
    fast.save_pretrained(folder)
    torch.manual_seed(seed)
    config = Qwen3Config(
        vocab_size=len(vocabulary), hidden_size=16, intermediate_size=32, num_hidden_layers=1,
        num_attention_heads=2, num_key_value_heads=2, head_dim=8, max_position_embeddings=64,
        eos_token_id=1, pad_token_id=0, bos_token_id=None,
    )  # fmt: skip
    model = Qwen3ForCausalLM(config).float()
    model.save_pretrained(folder)
    return model


def step(model: Any, optimizer: Any, group: Group, seat: str) -> int:
    """One step of REINFORCE on the samples of a seat; how many had an advantage."""
    losses = []
    for sample, advantage in zip(group.samples, group.advantages(), strict=True):
        if sample.agent != seat or advantage == 0:
            continue
        ids = torch.tensor([[*sample.prompt_ids, *sample.completion_ids]])
        logits = model(ids).logits[0, len(sample.prompt_ids) - 1 : -1]
        chosen = torch.tensor(sample.completion_ids)
        losses.append(-advantage * torch.log_softmax(logits, -1)[range(len(chosen)), chosen].sum())
    if losses:
        optimizer.zero_grad()
        torch.stack(losses).mean().backward()
        optimizer.step()
    return len(losses)


class SeeingEngine(Engine):
    """Answers of pictures as vLLM does, with the prompt that it has made of them."""

    async def _generate(self, request: web.Request) -> web.Response:
        answer = await super()._generate(request)
        assert isinstance(answer.body, bytes)
        prompt = (await request.json())["token_ids"]
        made = {"prompt_token_ids": prompt, "mm_placeholders": {}}
        return web.json_response({**json.loads(answer.body), **made}, status=answer.status)


class Pair:
    """Two models, each behind an engine of its own, and how far each has moved."""

    def __init__(self, folder: Path) -> None:
        self.models = {
            seat: make_model(folder, seed) for seed, seat in enumerate(("proposer", "solver"))
        }
        self.engines = {seat: SeeingEngine(model, seat) for seat, model in self.models.items()}
        self.optimizers = {
            seat: torch.optim.SGD(model.parameters(), lr=0.5) for seat, model in self.models.items()
        }
        self.before = {seat: self._weights(seat) for seat in self.models}

    def _weights(self, seat: str) -> Any:
        return torch.cat([p.detach().flatten().clone() for p in self.models[seat].parameters()])

    @property
    def moved(self) -> dict[str, bool]:
        return {s: bool((self._weights(s) != self.before[s]).any()) for s in self.models}

    def train(self, group: Group, *seats: str) -> dict[str, int]:
        found = {}
        for seat in seats:
            with self.engines[seat].updating() as model:
                found[seat] = step(model, self.optimizers[seat], group, seat)
        return found


@pytest.fixture
def pair(tmp_path):
    return Pair(tmp_path)


async def play(pair: Pair, folder: Path, *rounds: tuple[str, ...], **env: Any) -> list[Group]:
    """A round per tuple of seats: both play, those that are named are trained."""
    with (
        pair.engines["proposer"].serving() as proposing,
        pair.engines["solver"].serving() as solving,
    ):
        # A seat's own client: the policy is the proposer, the solver is another model elsewhere.
        client = {
            "type": "train",
            "base_url": solving,
            "renderer_model_name": str(folder),
            "renderer": RENDERER,
        }
        played = []
        for number, seats in enumerate(rounds):
            trained = {f"train_{seat}": seat in seats for seat in pair.models}
            table = {
                "taskset": {"id": "chart-adversary", "task": {"low": 0.0, "high": 1.0}},
                "solver": {"model": "solver", "client": client}, "n": 4, **trained, **env,
            }  # fmt: skip
            rollouts = Rollouts(
                table, "proposer", proposing, tokenizer=str(folder), renderer=RENDERER,
                sampling={"max_tokens": 1, "temperature": 1.0},
            )  # fmt: skip
            async with rollouts:
                async for group in rollouts.play([number], group_size=6):
                    assert not group.failures, group.failures
                    pair.train(group, *seats)
                    played.append(group)
        return played


async def test_at_once_both_seats_move(pair, tmp_path):
    [group] = await play(pair, tmp_path, ("proposer", "solver"))
    assert {sample.agent for sample in group.samples} == {"proposer", "solver"}
    assert pair.moved == {"proposer": True, "solver": True}


async def test_in_alternation_each_moves_in_its_turn(pair, tmp_path):
    [first] = await play(pair, tmp_path, ("solver",))
    assert {sample.agent for sample in first.samples} == {"solver"}
    assert pair.moved == {"proposer": False, "solver": True}
    [second] = await play(pair, tmp_path, ("proposer",))
    assert {sample.agent for sample in second.samples} == {"proposer"}
    assert pair.moved == {"proposer": True, "solver": True}


async def test_one_model_in_both_seats(pair, tmp_path):
    """As prime-rl trains it: the policy plays proposer and solver."""
    table = {"taskset": {"id": "chart-adversary", "task": {"low": 0.0, "high": 1.0}}, "n": 4}
    with pair.engines["proposer"].serving() as endpoint:
        sampling = {"max_tokens": 1, "temperature": 1.0}
        async with Rollouts(
            table, "proposer", endpoint,
            tokenizer=str(tmp_path), renderer=RENDERER, sampling=sampling,
        ) as rollouts:  # fmt: skip
            async for group in rollouts.play([0], group_size=6):
                assert not group.failures, group.failures
                assert step(pair.models["proposer"], pair.optimizers["proposer"], group, "proposer")
                assert step(pair.models["proposer"], pair.optimizers["proposer"], group, "solver")
