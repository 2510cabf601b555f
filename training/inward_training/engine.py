"""A loopback engine over a model that this process trains: for CPUs, examples and tests.

It samples from the live weights and serves what verifiers' train client asks,
`POST /inference/v1/generate` (token ids in, token ids and logprobs out), and nothing else. Prompts
that arrive together are sampled together, and what they share is read once. It is no rival of vLLM:
plain transformers, one process.
"""

from __future__ import annotations

import asyncio
import threading
import uuid
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Any

try:
    from inward_training.sampling import How, Sampled, Sampler
except ModuleNotFoundError as error:
    raise ImportError(
        'inward_training.engine needs torch: pip install "inward-training[engine]"'
    ) from error
from aiohttp import web

GATHER_S = 0.05
"""A batch is closed when no other prompt has come for so long."""
BATCH = 256
KNOWN = frozenset(
    "max_tokens temperature stop_token_ids logprobs skip_special_tokens top_p"
    " routed_experts_prompt_start".split()
)
"""Sampling parameters that are read, or mean nothing here. Another would sample otherwise than was
asked, and is refused."""


@dataclass(frozen=True)
class _Asked:
    prompt: list[int]
    how: How
    answer: Future[Sampled]


class Engine:
    """Samples from the weights that `model` has now. Where another thread may be asking, change
    them within `updating`."""

    def __init__(
        self, model: Any, name: str, *, pad: int = 0, seed: int = 0, threads: int = 1
    ) -> None:
        """
        Args:
            model: a causal language model of transformers, of full attention.
            name: what clients call it.
            pad: a token id to pad with; masked, so any will do.
            seed: of the sampling. Up to rounding, the completions of a prompt follow from it, from
                the weights and from how often the prompt was asked with this seed.
            threads: Python threads that share a batch. On a CPU, one per core of one torch thread
                each (`torch.set_num_threads(1)`) wait less for one another than torch's own.
        """
        self.name = name
        self.context: int = model.config.max_position_embeddings
        self._sampler = Sampler(model, pad, seed, threads)
        self.lock = threading.Lock()
        """Held while it samples, and in `updating`. Whatever else runs the module meanwhile, such
        as a live source of hidden states, takes it too."""
        self._queue: SimpleQueue[_Asked | None] = SimpleQueue()

    @contextmanager
    def updating(self, seed: int | None = None) -> Iterator[Any]:
        """The model, for its weights to be changed: nothing is sampled meanwhile.

        `seed` is that of the sampling from the new weights: the next number where left out.
        """
        with self.lock:
            self._sampler.reseed(self._sampler.seed + 1 if seed is None else seed)
            yield self._sampler.model

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
        how = How(
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
            batch = [first]
            while len(batch) < BATCH:
                try:
                    other = self._queue.get(timeout=GATHER_S)
                except Empty:
                    break
                if other is None:
                    self._queue.put(None)
                    break
                batch.append(other)
            for how in dict.fromkeys(asked.how for asked in batch):
                self._answer([asked for asked in batch if asked.how == how], how)

    def _answer(self, batch: list[_Asked], how: How) -> None:
        batch = [asked for asked in batch if asked.answer.set_running_or_notify_cancel()]
        if not batch:
            return
        try:
            with self.lock:
                found = self._sampler.sample([asked.prompt for asked in batch], how)
        except Exception as error:  # the client is told, as any server's is: HTTP 500
            for asked in batch:
                asked.answer.set_exception(error)
            return
        for asked, sampled in zip(batch, found, strict=True):
            asked.answer.set_result(sampled)


async def _listen(runner: web.AppRunner) -> int:
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    port: int = runner.addresses[0][1]
    return port
