"""Vega-Lite to a picture and what it shows, never in the caller's process.

    renderer = Renderer()
    rendered = await renderer.render(spec)
    rendered.png, rendered.scene.rows, rendered.scene.texts

Needs `pip install "inward-rewards[charts]"`.
"""

from __future__ import annotations

import asyncio
import json
import os
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from .cache import Cache, digest
from .frames import Message
from .pool import Pool
from .scene import Rendered, Scene
from .score import Score

Result = tuple[Rendered, Score | None]

REVISION = 6
"""Raised whenever another picture, scene or score comes out of the same specification."""


class Renderer:
    """A pool of sandboxed processes with a cache in front; usable from any thread or event loop.

    A specification is given as JSON text, which is parsed, checked and drawn in a worker, or as the
    dict of one. Raises `RenderError`, fit to show, where the specification is at fault, and
    `RendererDown` where the machine is: no score may be given then. `cache_dir` keeps finished work
    over runs.
    """

    def __init__(self, workers: int | None = None, cache_dir: Path | None = None) -> None:
        try:
            self.version = f"vl-convert {version('vl-convert-python')}, revision {REVISION}"
        except PackageNotFoundError as error:
            raise ImportError(
                'charts need the extra: pip install "inward-rewards[charts]"'
            ) from error
        size = workers or min(8, os.cpu_count() or 1)
        self._pool = Pool()
        self._threads = ThreadPoolExecutor(size, thread_name_prefix="charts")
        self._cache: Cache[Result] = Cache(cache_dir, _result)

    async def render(self, spec: str | dict[str, Any]) -> Rendered:
        """The chart of a Vega-Lite specification."""
        return (await asyncio.wrap_future(self._submit(spec)))[0]

    def render_sync(self, spec: str | dict[str, Any]) -> Rendered:
        """`render` for code that may block."""
        return self._submit(spec).result()[0]

    async def score(
        self, spec: str | dict[str, Any], picture: bytes, truth: Scene | None
    ) -> tuple[Rendered, Score]:
        """The chart of a specification, and how near it comes to the PNG `picture`.

        `truth` is the scene that the picture shows, where it is known. Raises `ValueError`, before
        a worker is asked, for one without a number: that is no candidate's fault.
        """
        if truth is not None:
            truth.check_readable()
        blobs = (picture,) if truth is None else (picture, truth.packed)
        rendered, score = await asyncio.wrap_future(self._submit(spec, *blobs))
        assert score is not None
        return rendered, score

    def close(self) -> None:
        """Ends the processes, after the work in hand."""
        self._threads.shutdown()
        self._pool.close()

    def _submit(self, spec: str | dict[str, Any], *blobs: bytes) -> Future[Result]:
        text = spec if isinstance(spec, str) else json.dumps(spec)
        key = digest(self.version, text, *blobs)
        recent = self._cache.recent(key)
        if recent is None:
            return self._threads.submit(self._work, key, text, blobs)
        done: Future[Result] = Future()
        done.set_result(recent)
        return done

    def _work(self, key: str, text: str, blobs: tuple[bytes, ...]) -> Result:
        stored = self._cache.stored(key)
        return stored or self._cache.put(key, self._pool.call({"spec": text}, *blobs))


def _result(message: Message) -> Result:
    header, (png,) = message
    rendered = Rendered(png, header["width"], header["height"], Scene.from_json(header["scene"]))
    return rendered, Score(**header["score"]) if "score" in header else None


@cache
def shared_renderer() -> Renderer:
    """One renderer for the whole process, started at the first use."""
    return Renderer()
