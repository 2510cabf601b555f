"""A server of picture embeddings, for workers that share one accelerator.

    python -m inward_rewards.images.similarity.server --model facebook/dinov2-large --port 8766

It answers `POST /v1/embeddings` as OpenAI's does, with data URLs as inputs (`client.py`), and
`GET /v1/models`. There is no key: it listens on loopback unless told otherwise.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import binascii
from typing import Any

from aiohttp import web
from pydantic import ValidationError

from inward_rewards.images.errors import RedrawError
from inward_rewards.images.similarity.batches import Batches, Vectors
from inward_rewards.images.similarity.config import EmbeddingConfig
from inward_rewards.images.similarity.model import LocalEmbedder
from inward_rewards.images.similarity.pixels import opened

MAX_INPUTS = 256
MAX_BODY = 256 * 1024**2
"""Bytes of one request."""


def application(config: EmbeddingConfig) -> web.Application:
    """Serves the model of `config`. ImportError: torch or transformers is not installed."""
    batches = Batches(LocalEmbedder(config).embed, config.batch)

    async def embeddings(request: web.Request) -> web.Response:
        try:
            pictures = _pictures(await request.json(), config)
            # A caller's picture that is none must not fail those of others.
            await asyncio.to_thread(lambda: [opened(picture) for picture in pictures])
        except (ValueError, RedrawError) as error:
            return _refused(400, str(error))
        asked = [asyncio.wrap_future(batches.submit(picture)) for picture in pictures]
        try:
            vectors = await asyncio.gather(*asked)
        except RedrawError as error:
            return _refused(500, str(error))
        data = [_item(number, one) for number, one in enumerate(vectors)]
        usage = {"prompt_tokens": 0, "total_tokens": 0}
        return web.json_response(
            {"object": "list", "model": config.model, "data": data, "usage": usage}
        )

    async def models(request: web.Request) -> web.Response:
        return web.json_response({"object": "list", "data": [{"id": config.model}]})

    app = web.Application(client_max_size=MAX_BODY)
    app.router.add_post("/v1/embeddings", embeddings)
    app.router.add_get("/v1/models", models)
    return app


def _pictures(body: Any, config: EmbeddingConfig) -> list[bytes]:
    """The pictures that a request asks for. ValueError: it asks for what is not served."""
    if not isinstance(body, dict):
        raise ValueError("the body must be a JSON object")
    served = {
        "model": config.model,
        "revision": config.pinned_revision,
        "pool": config.pool,
        "size": config.size,
        "legacy": config.legacy,
    }
    for name, value in served.items():
        if name in body and body[name] != value:
            raise ValueError(f"this server has {name} {value!r}, and {body[name]!r} is asked for")
    given = body.get("input")
    given = [given] if isinstance(given, str) else given
    if not isinstance(given, list) or not 1 <= len(given) <= MAX_INPUTS:
        raise ValueError(f"input must be 1 to {MAX_INPUTS} data URLs of pictures")
    return [_decoded(one) for one in given]


def _decoded(url: Any) -> bytes:
    head, comma, data = url.partition(";base64,") if isinstance(url, str) else ("", "", "")
    if not comma or not head.startswith("data:image/"):
        raise ValueError("an input is no data URL of a picture (data:image/png;base64,…)")
    try:
        return base64.b64decode(data, validate=True)
    except binascii.Error as error:
        raise ValueError(f"an input is no base64: {error}") from error


def _item(number: int, vectors: Vectors) -> dict[str, Any]:
    embedding = base64.b64encode(vectors.astype("<f4").tobytes()).decode()
    return {
        "object": "embedding", "index": number, "embedding": embedding, "places": len(vectors),
    }  # fmt: skip


def _refused(status: int, message: str) -> web.Response:
    return web.json_response({"error": {"message": message, "code": status}}, status=status)


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m inward_rewards.images.similarity.server",
        description=__doc__.splitlines()[0],
    )
    known = EmbeddingConfig.model_fields
    parser.add_argument("--model", default=known["model"].default)
    parser.add_argument("--revision", help="commit of the model on the hub")
    parser.add_argument("--pool", choices=("cls", "patch"), default="cls")
    parser.add_argument("--size", type=int, help="side of the square in pixels")
    parser.add_argument("--legacy", action="store_true", help="crop as the source did")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--batch", type=int, default=known["batch"].default)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8766)
    options = vars(parser.parse_args())
    host, port = options.pop("host"), options.pop("port")
    try:
        app = application(EmbeddingConfig(**options))
    except ValidationError as error:
        parser.error("; ".join(f"{e['loc'] or ''}: {e['msg']}" for e in error.errors()))
    except ImportError as error:
        parser.error(str(error))
    try:
        web.run_app(app, host=host, port=port, access_log=None)
    except OSError as error:
        parser.error(f"{host}:{port} cannot be listened on: {error}: choose another --port")


if __name__ == "__main__":
    main()
