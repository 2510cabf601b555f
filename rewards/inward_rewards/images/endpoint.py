"""`images`: an image generator behind an OpenAI-compatible `/v1/images/generations`."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

from inward_rewards.images.config import ImagesConfig
from inward_rewards.images.drawings import Drawings, Order, UnfitPictureError, checked
from inward_rewards.images.prompts import TokenizerCut, cut_by_rule
from inward_rewards.images.redraw import Canvas, Redrawn
from inward_rewards.images.server import Server

DEVICE = "cpu"
"""Of the generator of noise: the same for a seed, whatever GPU draws."""


class ImagesRedraw:
    """`images`: vLLM-Omni, SGLang and their like, asked as OpenAI's own client asks.

    Raises `RedrawError` where the server is down, refuses what is asked, or answers with no picture
    of the size that was asked for. Metrics: those of `Drawings`.
    """

    def __init__(self, config: ImagesConfig, folder: Path | None) -> None:
        self._config = config
        self._server = Server(config, "images", config.model)
        self._cut = TokenizerCut(config.tokenizer) if config.tokenizer else cut_by_rule
        self._drawings = Drawings(config, self._draw, folder, config.concurrency)

    async def __call__(self, description: str, canvas: Canvas) -> Redrawn:
        identity = {"backend": "images", "base_url": self._config.base_url, "device": DEVICE}
        return await self._drawings.of(description, canvas, self._cut, identity)

    async def _draw(self, order: Order) -> bytes | None:
        server = self._server
        generate: Any = server.client.images.generate
        reply = await server.ask(
            generate(
                model=self._config.model,
                prompt=order.prompt,
                n=1,
                size=f"{order.width}x{order.height}",
                # SGLang answers with an address otherwise.
                response_format="b64_json",
                extra_body={
                    "seed": order.seed,
                    "num_inference_steps": order.steps,
                    "guidance_scale": order.guidance,
                    "generator_device": DEVICE,
                },
            )
        )
        try:
            data = base64.b64decode(reply.data[0].b64_json, validate=True)
            return checked(data, order.width, order.height)
        except (AttributeError, IndexError, TypeError):
            raise server.unfit(f"no `data` with `b64_json`: {str(reply)[:100]}") from None
        except UnfitPictureError as error:
            raise server.unfit(str(error)) from error
        except ValueError as error:  # binascii's, or of letters that are not ASCII
            raise server.unfit(f"`b64_json` is no whole base64: {error}") from error
