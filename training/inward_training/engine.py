"""A loopback engine over a model that this process trains: for CPUs, examples and tests.

It samples from the live weights and serves what verifiers' train client asks,
`POST /inference/v1/generate` (token ids in, token ids and logprobs out), and nothing else. Prompts
that arrive together are sampled together. It is no rival of vLLM: plain transformers, one process.
"""

from __future__ import annotations

import asyncio
import threading
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Any, NamedTuple

try:
    import torch
except ModuleNotFoundError as error:
    raise ImportError(
        'inward_training.engine needs torch: pip install "inward-training[engine]"'
    ) from error
from aiohttp import web

GATHER_S = 0.02
"""How long the first prompt of a batch waits for others."""
BATCH = 64
KNOWN = frozenset(
    "max_tokens temperature stop_token_ids logprobs skip_special_tokens top_p"
    " routed_experts_prompt_start".split()
)
"""Sampling parameters that are read, or mean nothing here. Another would sample otherwise than was
asked, and is refused."""


class _How(NamedTuple):
    """Prompts that differ in these are not sampled together."""

    max_tokens: int
    temperature: float
    stop: tuple[int, ...]


@dataclass(frozen=True)
class _Asked:
    prompt: list[int]
    how: _How
    answer: Future[_Sampled]


class _Sampled(NamedTuple):
    ids: list[int]
    logprobs: list[float]
    finish: str


class Engine:
    """Samples from `model`, whose weights may change between two calls of `generate`.

    `lock` is held while it samples: hold it while you change the weights.
    """

    def __init__(self, model: Any, name: str, *, pad: int = 0, seed: int = 0) -> None:
        """
        Args:
            model: a causal language model of transformers.
            name: what clients call it.
            pad: a token id to pad with; masked, so any will do.
            seed: of the sampling; one order of requests gives one result.
        """
        self.model, self.name, self.pad = model, name, pad
        self.context: int = model.config.max_position_embeddings
        self.lock = threading.Lock()
        self._noise = torch.Generator(device="cpu").manual_seed(seed)
        self._queue: SimpleQueue[_Asked | None] = SimpleQueue()

    @contextmanager
    def serving(self) -> Iterator[str]:
        """The engine on a loopback port; yields the endpoint, up to `/v1`."""
        loop = asyncio.new_event_loop()
        threads = [
            threading.Thread(target=loop.run_forever, name="engine-http", daemon=True),
            threading.Thread(target=self._sample_all, name="engine", daemon=True),
        ]
        for thread in threads:
            thread.start()
        runner = web.AppRunner(self._application(), access_log=None)
        try:
            port = asyncio.run_coroutine_threadsafe(_listen(runner), loop).result()
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result()
            self._queue.put(None)
            loop.call_soon_threadsafe(loop.stop)
            for thread in threads:
                thread.join()
            loop.close()

    def _application(self) -> web.Application:
        app = web.Application(client_max_size=2**26)
        app.router.add_get("/v1/models", self._models)
        app.router.add_post("/inference/v1/generate", self._generate)
        return app

    async def _models(self, _: web.Request) -> web.Response:
        card = {"id": self.name, "object": "model", "max_model_len": self.context}
        return web.json_response({"object": "list", "data": [card]})

    async def _generate(self, request: web.Request) -> web.Response:
        body = await request.json()
        prompt, sampling = body["token_ids"], body["sampling_params"]
        room = self.context - len(prompt)
        if room < 1:
            # vLLM's words, by which verifiers tells an overlong prompt from a fault.
            text = f"This model's maximum context length is {self.context} tokens: prompt too long"
            return web.json_response({"error": {"message": text, "code": 400}}, status=400)
        unknown = sampling.keys() - KNOWN
        if unknown or sampling.get("top_p", 1) != 1:
            text = f"this engine does not know {', '.join(sorted(unknown)) or 'top_p'}"
            return web.json_response({"error": {"message": text, "code": 400}}, status=400)
        how = _How(
            min(sampling.get("max_tokens") or room, room),
            float(sampling.get("temperature", 1.0)),
            tuple(sorted(sampling.get("stop_token_ids") or ())),
        )
        asked = _Asked(prompt, how, Future())
        self._queue.put(asked)
        sampled = await asyncio.wrap_future(asked.answer)
        logprobs = [
            {"token": f"token_id:{token}", "logprob": logprob}
            for token, logprob in zip(sampled.ids, sampled.logprobs, strict=True)
        ]
        choice = {
            "index": 0,
            "token_ids": sampled.ids,
            "finish_reason": sampled.finish,
            "logprobs": {"content": logprobs},
        }
        return web.json_response({"request_id": uuid.uuid4().hex, "choices": [choice]})

    def _sample_all(self) -> None:
        while (first := self._queue.get()) is not None:
            time.sleep(GATHER_S)
            batch = [first]
            while len(batch) < BATCH:
                try:
                    other = self._queue.get_nowait()
                except Empty:
                    break
                if other is None:
                    self._queue.put(None)
                    break
                batch.append(other)
            for how in dict.fromkeys(asked.how for asked in batch):
                self._answer([asked for asked in batch if asked.how == how], how)

    def _answer(self, batch: list[_Asked], how: _How) -> None:
        batch = [asked for asked in batch if asked.answer.set_running_or_notify_cancel()]
        if not batch:
            return
        try:
            with self.lock, torch.no_grad():
                found = self._sample([asked.prompt for asked in batch], how)
        except Exception as error:  # the client is told, as any server's is: HTTP 500
            for asked in batch:
                asked.answer.set_exception(error)
            return
        for asked, sampled in zip(batch, found, strict=True):
            asked.answer.set_result(sampled)

    def _sample(self, prompts: list[list[int]], how: _How) -> list[_Sampled]:
        """Ancestral sampling, padded on the left. Temperature 0 takes the likeliest token; its
        logprob is that of the distribution at temperature 1, as vLLM gives it."""
        device = self.model.device
        length = max(map(len, prompts))
        ids = torch.tensor([[self.pad] * (length - len(p)) + p for p in prompts], device=device)
        seen = (torch.arange(length) >= torch.tensor([[length - len(p)] for p in prompts])).long()
        seen = seen.to(device)
        found = [_Sampled([], [], "length") for _ in prompts]
        done = [False] * len(prompts)
        past, was_training = None, self.model.training
        self.model.eval()
        for _ in range(how.max_tokens):
            places = (seen.cumsum(-1) - 1).clamp(min=0)[:, -ids.shape[1] :]
            out = self.model(
                input_ids=ids,
                attention_mask=seen,
                position_ids=places,
                past_key_values=past,
                use_cache=True,
                logits_to_keep=1,
            )
            past = out.past_key_values
            logprobs = torch.log_softmax(out.logits[:, -1].float() / (how.temperature or 1.0), -1)
            if how.temperature:
                drawn = torch.multinomial(logprobs.exp().cpu(), 1, generator=self._noise)
                ids = drawn.to(device)
            else:
                ids = logprobs.argmax(-1, keepdim=True)
            chosen = logprobs.gather(-1, ids)[:, 0].tolist()
            for row, token in enumerate(ids[:, 0].tolist()):
                if done[row]:
                    continue
                found[row].ids.append(token)
                found[row].logprobs.append(chosen[row])
                if token in how.stop:
                    done[row], found[row] = True, found[row]._replace(finish="stop")
            if all(done):
                break
            seen = torch.cat([seen, torch.ones_like(ids)], 1)
        self.model.train(was_training)
        return found


async def _listen(runner: web.AppRunner) -> int:
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    port: int = runner.addresses[0][1]
    return port
