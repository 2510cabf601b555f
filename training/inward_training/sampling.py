"""Ancestral sampling from a transformers model, where many prompts begin alike.

What all prompts of a batch share, such as a system prompt, is computed and kept once: no row holds
a copy of it, and attention reads it in one product for all rows.
"""

from __future__ import annotations

import copy
import hashlib
import random
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import torch
from transformers import AttentionInterface

ATTENTION = "inward-shared-prefix"
PREFILL = 1024
"""Tokens that are read at once: their attention scores on all before live together."""
REMEMBERED = 2**16
"""Prompts whose number of samples is kept in mind, before the seed changes."""
BLOCK = 32
"""Tokens by which a row's memory grows."""


class How(NamedTuple):
    """Prompts that differ in these are not sampled together."""

    max_tokens: int
    temperature: float
    stop: tuple[int, ...]


class Sampled(NamedTuple):
    ids: list[int]
    logprobs: list[float]
    finish: str


class Keys:
    """Keys and values of each layer, as transformers' cache: `update` and `get_seq_length`.

    `keys[layer]`, `values[layer]`: [rows, key heads, room, head size], filled up to `length`.
    """

    def __init__(self) -> None:
        self.keys: list[Any] = []
        self.values: list[Any] = []
        self.length = 0
        self.attended = False
        """Whether `attention` has read them, as what all rows share."""

    def update(self, keys: Any, values: Any, layer_idx: int, *_: Any, **__: Any) -> tuple[Any, Any]:
        stop = self.length + keys.shape[2]
        if layer_idx == len(self.keys):
            empty = keys[:, :, :0]
            self.keys.append(empty)
            self.values.append(empty)
        if stop > self.keys[layer_idx].shape[2]:
            for kept in (self.keys, self.values):
                old = kept[layer_idx]
                room = max(stop, old.shape[2] + BLOCK, old.shape[2] * 3 // 2)
                kept[layer_idx] = old.new_empty(*old.shape[:2], room, old.shape[3])
                kept[layer_idx][:, :, : self.length] = old[:, :, : self.length]
        self.keys[layer_idx][:, :, self.length : stop] = keys
        self.values[layer_idx][:, :, self.length : stop] = values
        return self.keys[layer_idx][:, :, :stop], self.values[layer_idx][:, :, :stop]

    def get_seq_length(self, *_: Any) -> int:
        return self.length

    def rows(self, index: Any) -> Keys:
        """Of these rows alone, in this order; one may be named again."""
        chosen = Keys()
        chosen.length = self.length
        chosen.keys = [one[:, :, : self.length][index] for one in self.keys]
        chosen.values = [one[:, :, : self.length][index] for one in self.values]
        return chosen


def attention(
    module: Any, query: Any, key: Any, value: Any, mask: Any,
    *, scaling: float, shared: Keys | None, **_: Any,
) -> tuple[Any, None]:  # fmt: skip
    """Softmax over a prefix that all rows share and over each row's own keys.

    Args:
        query: [rows, heads, new, head size].
        key, value: [rows, key heads, own, head size].
        mask: added to the scores of the row's own keys, [rows, 1, new, own].
        shared: of one row; None where nothing is shared.
    """
    rows, heads, new, size = query.shape
    groups = key.shape[1]
    # The heads of one key head lie side by side, as rows of one product.
    query = (query * scaling).reshape(rows, groups, -1, size)
    own = query @ key.transpose(-1, -2)
    own = (own.view(rows, groups, -1, new, key.shape[2]) + mask[:, :, None]).flatten(2, 3)
    if shared is None:
        out = own.softmax(-1) @ value
    else:
        shared.attended = True
        keys = shared.keys[module.layer_idx][0, :, : shared.length]
        values = shared.values[module.layer_idx][0, :, : shared.length]
        flat = query.transpose(0, 1).reshape(groups, -1, size)
        common = (flat @ keys.transpose(-1, -2)).view(groups, rows, -1, shared.length)
        weights = torch.cat([common.transpose(0, 1), own], -1).softmax(-1)
        common = weights[..., : shared.length].transpose(0, 1).reshape(groups, -1, shared.length)
        out = weights[..., shared.length :] @ value
        out = out + (common @ values).view(groups, rows, -1, size).transpose(0, 1)
    return out.reshape(rows, heads, new, size).transpose(1, 2), None


AttentionInterface.register(ATTENTION, attention)


class Sampler:
    """Samples from the weights that `model` has now: nothing is kept from one batch to the next."""

    def __init__(self, model: Any, pad: int, seed: int, threads: int) -> None:
        kinds = set(getattr(model.config, "layer_types", None) or ()) - {"full_attention"}
        if kinds:
            raise ValueError(
                f"this engine serves models of full attention alone, and this one has layers of"
                f" {', '.join(sorted(kinds))}: serve it with vLLM"
            )
        self.model, self.pad = model, pad
        self._threads = threads
        self.reseed(seed)

    def reseed(self, seed: int) -> None:
        self.seed = seed
        self._asked: Counter[bytes] = Counter()

    def sample(self, prompts: Sequence[list[int]], how: How) -> list[Sampled]:
        """One completion of each prompt. Temperature 0 takes the likeliest token; its logprob is
        that of the distribution at temperature 1, as vLLM gives it."""
        # Shares the parameters; its attention and its mode are its own.
        parts = [*self.model.parameters(), *self.model.buffers()]
        model = copy.deepcopy(self.model, {id(one): one for one in parts}).eval()
        # Trainers put a `forward` of theirs on a module (TRL a fused head, accelerate a cast). It
        # would run the original, whose attention does not know of what is shared.
        for module in model.modules():
            module.__dict__.pop("forward", None)
        model.config._attn_implementation = ATTENTION
        noise = [self._noise(prompt) for prompt in prompts]
        with torch.no_grad():
            tokens, shared = self._shared(model, prompts)
        # Equal prompts side by side, so that one is read by one thread, and once.
        order = sorted(range(len(prompts)), key=lambda row: prompts[row])
        size = -(-len(order) // self._threads)
        chunks = [order[start : start + size] for start in range(0, len(order), size)]

        def complete(rows: list[int]) -> list[Sampled]:
            with torch.no_grad():  # is each thread's own
                rest = [prompts[row][tokens:] for row in rows]
                return self._complete(model, shared, rest, [noise[row] for row in rows], how)

        found: dict[int, Sampled] = {}
        with ThreadPoolExecutor(len(chunks)) as threads:
            for rows, sampled in zip(chunks, threads.map(complete, chunks), strict=True):
                found.update(zip(rows, sampled, strict=True))
        return [found[row] for row in range(len(prompts))]

    def _noise(self, prompt: list[int]) -> random.Random:
        """By the prompt and how often it was asked: the order in which prompts arrive is chance."""
        name = hashlib.blake2b(repr(prompt).encode(), digest_size=16).digest()
        if len(self._asked) >= REMEMBERED:
            self.reseed(self.seed + 1)
        self._asked[name] += 1
        return random.Random(f"{self.seed} {name.hex()} {self._asked[name]}")

    def _shared(self, model: Any, prompts: Sequence[list[int]]) -> tuple[int, Keys | None]:
        """How many tokens all prompts begin with, but the last of each, and their keys."""
        first, last = min(prompts), max(prompts)
        most = min(map(len, prompts)) - 1
        common = next((i for i in range(most) if first[i] != last[i]), most)
        if common < 1:
            return 0, None
        keys = Keys()
        ids = torch.tensor([first[:common]], device=model.device)
        self._prefill(model, keys, None, ids, torch.ones_like(ids, dtype=torch.bool))
        return common, keys

    def _prefill(self, model: Any, keys: Keys, shared: Keys | None, ids: Any, seen: Any) -> Any:
        """`_read`, some tokens at a time."""
        rows, length = ids.shape
        size = max(1, PREFILL // rows)
        for start in range(0, length, size):
            stop = min(length, start + size)
            logits = self._read(model, keys, shared, ids[:, start:stop], seen[:, :stop])
        return logits

    def _read(self, model: Any, keys: Keys, shared: Keys | None, ids: Any, seen: Any) -> Any:
        """Logits behind the last of `ids`, [rows, vocabulary].

        `seen`: [rows, own tokens so far with `ids`], false for padding.
        """
        new, own = ids.shape[1], seen.shape[1]
        before = shared.length if shared else 0
        places = (seen.cumsum(-1) - 1).clamp(min=0)[:, own - new :] + before
        later = torch.ones(new, own, dtype=torch.bool, device=ids.device).triu(own - new + 1)
        hidden = (later | ~seen[:, None, :])[:, None]
        # Padding sees itself, or its softmax would be of nothing.
        hidden &= ~torch.eye(own, dtype=torch.bool, device=ids.device)[own - new :]
        mask = torch.zeros(hidden.shape, dtype=model.dtype, device=ids.device)
        logits = model(
            input_ids=ids,
            attention_mask=mask.masked_fill_(hidden, torch.finfo(model.dtype).min),
            position_ids=places,
            past_key_values=keys,
            use_cache=True,
            logits_to_keep=1,
            shared=shared,
        ).logits[:, -1]
        keys.length += new
        if shared is not None and not shared.attended:
            raise RuntimeError(
                f"{type(model).__name__} does not run the attention of this engine, and would not"
                " see what the prompts share: serve it with vLLM"
            )
        return logits.float()

    def _complete(
        self, model: Any, shared: Keys | None, rest: list[list[int]],
        noise: list[random.Random], how: How,
    ) -> list[Sampled]:  # fmt: skip
        device = model.device
        different = [list(one) for one in dict.fromkeys(map(tuple, rest))]
        length = max(map(len, different))
        ids = [[self.pad] * (length - len(one)) + one for one in different]
        seen = [[False] * (length - len(one)) + [True] * len(one) for one in different]
        per = max(1, PREFILL // length)
        pieces = []
        for start in range(0, len(ids), per):
            part = slice(start, start + per)
            piece = Keys()
            logits = self._prefill(
                model, piece, shared,
                torch.tensor(ids[part], device=device), torch.tensor(seen[part], device=device),
            )  # fmt: skip
            pieces.append((piece, logits))
        keys, logits = (
            _joined([piece for piece, _ in pieces]),
            torch.cat([one for _, one in pieces]),
        )
        place = {tuple(one): number for number, one in enumerate(different)}
        rows = torch.tensor([place[tuple(one)] for one in rest], device=device)
        keys, logits, held = keys.rows(rows), logits[rows], torch.tensor(seen, device=device)[rows]

        found = [Sampled([], [], "length") for _ in rest]
        live = list(range(len(rest)))
        for token in range(how.max_tokens):
            chosen, logprobs = _draw(logits, how.temperature, [noise[row].random() for row in live])
            for row, one, logprob in zip(live, chosen.tolist(), logprobs.tolist(), strict=True):
                found[row].ids.append(one)
                found[row].logprobs.append(logprob)
                if one in how.stop:
                    found[row] = found[row]._replace(finish="stop")
            going = [place for place, row in enumerate(live) if found[row].finish == "length"]
            if not going or token + 1 == how.max_tokens:
                break
            if len(going) < len(live):
                index = torch.tensor(going, device=device)
                keys, held, chosen = keys.rows(index), held[index], chosen[index]
                live = [live[place] for place in going]
            held = torch.cat([held, torch.ones_like(held[:, :1])], 1)
            logits = self._read(model, keys, shared, chosen[:, None], held)
        return found


def _joined(pieces: list[Keys]) -> Keys:
    whole = Keys()
    whole.length = pieces[0].length
    layers = range(len(pieces[0].keys))
    whole.keys = [torch.cat([one.keys[layer] for one in pieces]) for layer in layers]
    whole.values = [torch.cat([one.values[layer] for one in pieces]) for layer in layers]
    return whole


def _draw(logits: Any, temperature: float, uniform: list[float]) -> tuple[Any, Any]:
    """A token of each row, and its logprob. `uniform`: a number of [0, 1) per row."""
    logprobs = torch.log_softmax(logits / (temperature or 1.0), -1)
    if temperature:
        below = logprobs.exp().cumsum(-1)
        # From (0, 1]: a token of no probability is never the first to reach it.
        wanted = 1 - torch.tensor(uniform, dtype=below.dtype, device=below.device)
        chosen = torch.searchsorted(below, wanted[:, None] * below[:, -1:])
        chosen = chosen.clamp(max=below.shape[1] - 1)
    else:
        chosen = logprobs.argmax(-1, keepdim=True)
    return chosen[:, 0], logprobs.gather(-1, chosen)[:, 0]
