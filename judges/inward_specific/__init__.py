"""The judge `inward-specific`: whether a description belongs to this picture, or to any like it.

    vllm serve google/siglip-so400m-patch14-384 --runner pooling --port 30000

    [[env.taskset.task.judges]]
    id = "inward-specific"
    model = "google/siglip-so400m-patch14-384"
    base_url = "http://127.0.0.1:30000"

verifiers finds a judge by the name of a top-level module: hence this one.
"""

from __future__ import annotations

import asyncio
import base64
import functools
import hashlib
import io
import math
from typing import Any

import verifiers.v1 as vf
from inward_judges import JudgeServer
from inward_rewards.formats import last_reply
from inward_rewards.signals import patch_shuffled
from pydantic import Field

__all__ = ["SpecificJudge", "SpecificJudgeConfig"]

PATH = "/v1/embeddings"


class SpecificJudgeConfig(vf.JudgeConfig):
    id: str = "inward-specific"
    patches: int = Field(4, ge=2, le=32)
    """Tiles along each side of the shuffled copy, as in DeYO."""
    seed: int = 0
    """Of the order of the tiles. With the picture it decides alone: siblings share one copy."""
    unanswered: float = Field(-1.0, ge=-2, le=2, allow_inf_nan=False)
    """Reward of an empty reply, for which no model is asked: 0 would be that of any description
    which fits every picture."""


class SpecificJudge(vf.Judge[float, SpecificJudgeConfig]):
    """cos(description, picture) - cos(description, its patch-shuffled copy): -2..2.

    Both cosines are of embeddings of one model of texts and pictures, which vLLM serves. The
    description is the last reply without its thinking; the picture the only one of the task's
    prompt, as a data URI. What is longer than the model reads is cut by the server: CLIP reads 77
    tokens. A model to which shuffled pictures look like nothing at all pays any caption a little:
    set it beside a constant one. ValueError: no such picture. RuntimeError: the server cannot be
    reached, refuses, or gives no embedding.
    Source: describe-specific, after the pseudo-label probability difference of DeYO (arXiv
    2403.07366), which compares a classifier's probabilities.
    """

    async def score(self, task: vf.TaskData, trace: vf.Trace[Any, Any, Any]) -> float:
        data, uri = self._picture(task)
        reply = last_reply(trace.assistant_messages)
        text = "" if reply is None else reply.body.strip()
        if not text:
            return self.config.unanswered
        copy = await asyncio.to_thread(_shuffled, data, self.config.seed, self.config.patches)
        async with JudgeServer(self.config, "a model of texts and pictures") as server:
            description, picture, other = await asyncio.gather(
                self._embedding(server, {"type": "text", "text": text}),
                *(
                    self._embedding(server, {"type": "image_url", "image_url": {"url": one}})
                    for one in (uri, copy)
                ),
            )
            if not len(description) == len(picture) == len(other):
                raise server.fault(PATH, "its embeddings of texts and pictures differ in length")
        return _cosine(description, picture) - _cosine(description, other)

    def _picture(self, task: vf.TaskData) -> tuple[bytes, str]:
        """(the file, its data URI)"""
        messages = task.prompt if isinstance(task.prompt, list) else []
        found = [
            part.image_url.url
            for message in messages
            for part in (message.content if isinstance(message.content, list) else ())
            if isinstance(part, vf.ImageUrlContentPart)
        ]
        if len(found) != 1 or not found[0].startswith("data:image/"):
            shown = [uri[:40] for uri in found]
            raise ValueError(
                f"the judge {self.reward_name!r} needs one picture in the task's prompt, as a data "
                f"URI, and found {len(found)}: {shown!r}"
            )
        try:
            return base64.b64decode(found[0].partition(",")[2], validate=True), found[0]
        except ValueError as error:
            raise ValueError(f"the task's picture is no whole base64: {error}") from error

    async def _embedding(self, server: JudgeServer, part: dict[str, Any]) -> list[float]:
        """Of a text or a picture, by vLLM's embeddings of chats."""
        answer = await server.post(
            PATH,
            {
                "model": self.config.model,
                "messages": [{"role": "user", "content": [part]}],
                "encoding_format": "float",
                "truncate_prompt_tokens": -1,
            },
        )
        try:
            numbers = [float(number) for number in answer["data"][0]["embedding"]]
        except (KeyError, IndexError, TypeError, ValueError) as error:
            raise server.fault(PATH, f"it answered no embedding: {str(answer)[:200]}") from error
        length = math.hypot(*numbers)
        if not (math.isfinite(length) and length > 0):
            raise server.fault(PATH, f"it answered an embedding of length {length!r}")
        return [number / length for number in numbers]


def _cosine(one: list[float], other: list[float]) -> float:
    return math.fsum(a * b for a, b in zip(one, other, strict=True))


@functools.lru_cache(maxsize=64)
def _shuffled(data: bytes, seed: int, patches: int) -> str:
    """A data URI of the shuffled copy, whose order the picture itself and the seed decide. Kept for
    the siblings, who come one after the other."""
    try:
        import numpy as np
        from PIL import Image
    except ImportError as error:
        raise ImportError(
            f"the judge inward-specific needs pillow ({error}): "
            'pip install "inward-judges[pictures]"'
        ) from error
    with Image.open(io.BytesIO(data)) as file:
        drawn = file.convert("RGBA")
    # On white, as a server lays the original.
    white = Image.new("RGBA", drawn.size, "white")
    pixels = np.asarray(Image.alpha_composite(white, drawn).convert("RGB"))
    digest = hashlib.sha256(f"{seed} {patches} ".encode() + data).digest()
    copy = patch_shuffled(pixels, int.from_bytes(digest[:8], "big"), patches)
    png = io.BytesIO()
    Image.fromarray(copy).save(png, "PNG")
    return f"data:image/png;base64,{base64.b64encode(png.getvalue()).decode()}"
