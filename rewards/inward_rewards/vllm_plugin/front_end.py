"""The front end's part: which servers cannot score, what some scores will lack, which requests
are turned away.

Free of torch and vLLM: what it judges are plain values that `compat` reads.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from inward_rewards.entropy.wire import ScoreRequest, Span
from inward_rewards.vllm_plugin.placeholders import placeholder_ids, refuse_bare, refuse_deepstack
from inward_rewards.vllm_plugin.settings import Settings

SPLIT = {
    "MoRIIOConnector",
    "MooncakeConnector",
    "NixlConnector",
    "NixlPullConnector",
    "NixlPushConnector",
    "P2pNcclConnector",
}
"""KV connectors between engines of which one reads the prompt and another generates."""
SPECULATION = {"ngram", "suffix"}
"""Methods of speculative decoding that read no hidden states."""


@dataclass(frozen=True)
class KVTransfer:
    """How a server passes its KV cache on."""

    connector: str
    role: str
    inner: tuple[str, ...] = ()
    """Connectors within the connector."""

    @property
    def is_split(self) -> bool:
        """Whether this engine is one side of a prefill/decode split."""
        one_sided = self.role in ("kv_producer", "kv_consumer")
        return one_sided or bool({self.connector, *self.inner} & SPLIT)


@dataclass(frozen=True)
class Server:
    """What the plugin reads of a server's flags."""

    max_model_len: int
    runner_type: str = "generate"
    speculation: str | None = None
    """Method of speculative decoding."""
    rust_front_end: bool = False
    pipeline_parallel_size: int = 1
    prefill_context_parallel_size: int = 1
    dual_batch_overlap: bool = False
    lora: bool = False
    kv_transfer: KVTransfer | None = None


@dataclass(frozen=True)
class Prompt:
    """What the plugin reads of a request that asks for a score."""

    xargs: Mapping[str, Any]
    token_ids: Sequence[int] | None
    """None: the prompt is one of embeddings."""
    n: int = 1
    """Completions asked for."""
    streams: bool = False
    pictures: tuple[Span, ...] = ()
    """Tokens that come with their features."""


def refusals(server: Server, settings: Settings) -> Iterator[str]:
    """Why this server cannot score hidden states, one line per reason."""
    if server.runner_type != "generate":
        yield f"of a {server.runner_type!r} model: serve one that generates"
    if server.speculation is not None and server.speculation not in SPECULATION:
        yield (
            f"beside {server.speculation!r} speculation, which uses the same outputs of the model: "
            f"start without --speculative-config, or with {' or '.join(sorted(SPECULATION))}"
        )
    if server.rust_front_end:
        yield "behind the Rust front end, which runs no plugin: unset VLLM_USE_RUST_FRONTEND"
    if server.pipeline_parallel_size > 1:
        yield (
            f"with --pipeline-parallel-size {server.pipeline_parallel_size}: no worker sees all "
            "layers; use tensor parallelism"
        )
    if server.prefill_context_parallel_size > 1:
        yield "with prefill context parallelism: no worker sees all tokens"
    if server.dual_batch_overlap:
        yield "with dual batch overlap: start without --enable-dbo"
    if not settings.reads_logits:
        return
    if server.lora:
        yield (
            "by their logits with --enable-lora, since adapters may change the output matrix; "
            'leave token_entropy and self_certainty out of "measures"'
        )


def notices(server: Server, settings: Settings) -> Iterator[str]:
    """What some scores of this server will lack, one line each."""
    if server.max_model_len > settings.buffer_tokens:
        yield (
            f"completions of more than {settings.buffer_tokens} tokens (buffer_tokens) are not "
            f"measured, and this server writes up to {server.max_model_len}"
        )
    transfer = server.kv_transfer
    if transfer is not None and transfer.is_split:
        yield (
            f"this engine is one side of a prefill/decode split ({transfer.connector}, "
            f"{transfer.role}), whose router drops the answer of the engine that computed the "
            "rows: scores need the url of a plain engine (entropy.url)"
        )


def check_prompt(prompt: Prompt, settings: Settings, model: Any) -> None:
    """ValueError, fit to show to the caller, for a request that cannot be scored.

    `model`: the served model's config (transformers).
    """
    if prompt.token_ids is None:
        raise ValueError("a prompt of embeddings cannot be scored; send token ids")
    if prompt.n != 1:
        raise ValueError(f"n must be 1 in a request that asks for a score, got {prompt.n!r}")
    if prompt.streams:
        raise ValueError("a streamed answer has no place for a score; leave stream out")
    wanted = ScoreRequest.from_xargs(prompt.xargs, len(prompt.token_ids))
    if wanted is None:
        return
    settings.check(wanted)
    refuse_bare(prompt.token_ids, placeholder_ids(model), prompt.pictures)
    if prompt.pictures:
        refuse_deepstack(settings.layers, model)
