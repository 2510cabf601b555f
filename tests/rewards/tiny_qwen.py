"""A tiny random-weight Qwen3 with a tokenizer trained on the spot, served over real HTTP.

The server renders prompts with the `renderers` package's Qwen3 renderer (the chat template of
that family: it drops the thinking of earlier turns), answers chat with token ids as vLLM does,
`/inference/v1/generate` as the train client wants it, and `/v1/completions` as an engine with the
inward plugin would.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from inward_chat.testing import ChatCompletion, HttpReply, PolicyServer
from inward_rewards.entropy.layers import select_layers
from inward_rewards.entropy.wire import (
    DEFAULT_MEASURES,
    SPANS_KEY,
    ScoreAnswer,
    ScoreRequest,
    SpanScore,
)
from inward_rewards.hidden_states.config import EntropyConfig
from inward_rewards.hidden_states.local_measures import LocalMeasures
from inward_rewards.hidden_states.reader import load_reader

SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
MARKS = [
    "<tool_call>",
    "</tool_call>",
    "<tool_response>",
    "</tool_response>",
    "<think>",
    "</think>",
]
CORPUS = [
    "Let us think step by step. The answer is the sum of the two numbers, so x = 12 and y = 5.",
    "Therefore the area of the triangle is \\frac{1}{2} \\cdot 6 \\cdot 8 = 24 square units.",
    "We factor the quadratic: x^2 - 5x + 6 = (x - 2)(x - 3), hence the roots are 2 and 3.",
    "How many integers between 1 and 100 are divisible by 7? There are 14 of them.",
    "system user assistant <answer> </answer> Solve the problem. Put the final answer inside.",
]
LAYERS = 12


def make_tiny(folder: Path, seed: int = 0) -> Path:
    """Write model and tokenizer into `folder`."""
    import torch
    from transformers import Qwen3Config, Qwen3ForCausalLM

    tokenizer = train_tokenizer(folder)
    torch.manual_seed(seed)
    config = Qwen3Config(
        vocab_size=len(tokenizer),
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=LAYERS,
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=16,
        max_position_embeddings=4096,
        eos_token_id=tokenizer.eos_token_id,
        bos_token_id=None,
        initializer_range=0.1,
        tie_word_embeddings=False,
    )
    Qwen3ForCausalLM(config).float().save_pretrained(folder)
    return folder


def train_tokenizer(folder: Path) -> Any:
    """Write a tokenizer into `folder`."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=600,
        special_tokens=SPECIAL,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(CORPUS, trainer)
    tokenizer.add_tokens([AddedToken(mark, special=False) for mark in MARKS])
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, eos_token="<|im_end|>", pad_token="<|endoftext|>"
    )
    fast.save_pretrained(folder)
    return fast


@dataclass
class TinyQwen:
    """`reply`: the decoded prompt -> the completion's text (the end token is added)."""

    folder: Path
    reply: Callable[[str], str]

    @cached_property
    def renderer(self) -> Any:
        from renderers.configs import Qwen3RendererConfig
        from renderers.qwen3 import Qwen3Renderer
        from transformers import AutoTokenizer

        self.tokenizer = AutoTokenizer.from_pretrained(self.folder)
        return Qwen3Renderer(self.tokenizer, Qwen3RendererConfig())

    def complete(self, prompt_ids: list[int]) -> list[int]:
        text = self.reply(self.renderer._tokenizer.decode(prompt_ids))
        encoded = self.tokenizer.encode(text, add_special_tokens=False)
        return [*encoded, self.tokenizer.eos_token_id]

    def chat(self, body: dict[str, Any]) -> ChatCompletion:
        """The policy of a PolicyServer: vLLM's chat endpoint, `return_token_ids` and all."""
        prompt_ids = self.renderer.render_ids(body["messages"], add_generation_prompt=True)
        ids = self.complete(prompt_ids)
        text = self.tokenizer.decode(ids[:-1])
        asked = bool(body.get("return_token_ids"))
        return ChatCompletion(
            {"content": text},
            usage={
                "prompt_tokens": len(prompt_ids),
                "completion_tokens": len(ids),
                "total_tokens": len(prompt_ids) + len(ids),
            },
            choice={"token_ids": ids} if asked else {},
            extra={"prompt_token_ids": prompt_ids} if asked else {},
        )

    def generate(self, body: dict[str, Any]) -> dict[str, Any]:
        """`/inference/v1/generate`."""
        ids = self.complete(body["token_ids"])
        content = [{"token": f"token_id:{token}", "logprob": -1.0} for token in ids]
        choice = {
            "index": 0,
            "token_ids": ids,
            "finish_reason": "stop",
            "logprobs": {"content": content},
        }
        return {"request_id": uuid.uuid4().hex, "choices": [choice]}

    def server(self, **options: Any) -> PolicyServer:
        posts = {"/inference/v1/generate": self.generate, **options.pop("posts", {})}
        return PolicyServer(self.chat, posts=posts, **options)


class PluginEngine:
    """`/v1/completions` of an engine with the plugin, over the same weights in transformers; with
    `detokenize`, vLLM's route of that name."""

    def __init__(
        self,
        folder: Path,
        preset: str = "advent",
        alphas: tuple[float, ...] = (1.0, 2.0),
        layers: str = "middle:2",
    ) -> None:
        self.preset, self.alphas, self.layers, self.requests = preset, alphas, layers, []
        config = EntropyConfig(source="transformers", model=str(folder), layers=layers)
        self._measures = LocalMeasures(config)
        self._turn = threading.Lock()
        self._models = {
            alpha: load_reader(
                EntropyConfig(
                    source="transformers",
                    model=str(folder),
                    preset=preset,
                    alpha=alpha,
                    layers=layers,
                )
            )
            for alpha in alphas
        }

    def __call__(self, body: dict[str, Any]) -> dict[str, Any] | HttpReply:
        self.requests.append(body)
        ids = tuple(body["prompt"])
        try:
            request = ScoreRequest.from_xargs(body["vllm_xargs"], len(ids))
        except ValueError as error:
            return HttpReply(400, {"error": str(error)})
        with self._turn:
            spans = self._spans(ids, request)
        answer = ScoreAnswer(
            plugin="0.1.0",
            vllm="0.0.0",
            policy_version=None,
            preset=self.preset,
            alphas=self.alphas,
            n_layers=LAYERS,
            layers=select_layers(self.layers, LAYERS),
            dim=64,
            tokens=len(ids),
            vocabulary=10_000 if request.reads_logits else None,
            spans=tuple(spans),
        )
        return {"choices": [{"text": ""}], "kv_transfer_params": {SPANS_KEY: answer.to_json()}}

    def _spans(self, ids: tuple[int, ...], request: ScoreRequest) -> Sequence[SpanScore]:
        if request.measures != DEFAULT_MEASURES:
            return self._measures.score_spans(ids, request)
        return [
            SpanScore(
                start,
                stop,
                stop - start,
                tuple(
                    self._models[alpha].score([(ids, (start, stop))])[0] for alpha in self.alphas
                ),
            )
            for start, stop in request.spans
        ]

    def detokenize(self, body: dict[str, Any]) -> dict[str, Any]:
        with self._turn:
            return {"prompt": self._measures.decode(body["tokens"])}
