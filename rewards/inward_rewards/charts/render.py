"""Vega-Lite to a picture and what it shows, never in the caller's process.

    renderer = Renderer()
    rendered = await renderer.render(spec)
    rendered.png, rendered.scene.rows, rendered.scene.texts

Needs `pip install "inward-rewards[charts]"`.
"""

from __future__ import annotations

import asyncio
import os
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from .cache import Cache, digest
from .frames import Message
from .lint import lint
from .pool import Pool
from .scene import Rendered, Scene

READER = 1
"""Raised whenever another scene or picture comes out of the same specification."""


class Renderer:
    """A pool of sandboxed processes with a cache in front; usable from any thread or event loop.

    Raises `RenderError`, fit to show, where the specification is at fault, and `RendererDown` where
    the machine is: no score may be given then. `cache_dir` keeps finished work over runs.
    """

    def __init__(self, workers: int | None = None, cache_dir: Path | None = None) -> None:
        try:
            self.version = f"vl-convert {version('vl-convert-python')}, reader {READER}"
        except PackageNotFoundError as error:
            raise ImportError(
                'charts need the extra: pip install "inward-rewards[charts]"'
            ) from error
        size = workers or min(8, os.cpu_count() or 1)
        self._pool = Pool()
        self._threads = ThreadPoolExecutor(size, thread_name_prefix="charts")
        self._cache = Cache(cache_dir)

    async def render(self, spec: Any) -> Rendered:
        """The chart of a Vega-Lite specification, given as parsed JSON."""
        return _rendered(await asyncio.wrap_future(self._submit({"spec": lint(spec)})))

    def render_sync(self, spec: Any) -> Rendered:
        """`render` for code that may block."""
        return _rendered(self._submit({"spec": lint(spec)}).result())

    def close(self) -> None:
        """Ends the processes, after the work in hand."""
        self._threads.shutdown()
        self._pool.close()

    def _submit(self, header: dict[str, Any], *blobs: bytes) -> Future[Message]:
        key = digest(self.version, header, *blobs)
        recent = self._cache.recent(key)
        if recent is None:
            return self._threads.submit(self._work, key, header, blobs)
        done: Future[Message] = Future()
        done.set_result(recent)
        return done

    def _work(self, key: str, header: dict[str, Any], blobs: tuple[bytes, ...]) -> Message:
        message = self._cache.stored(key)
        if message is None:
            message = self._pool.call(header, *blobs)
            self._cache.put(key, message)
        return message


def _rendered(message: Message) -> Rendered:
    header, (png,) = message
    return Rendered(png, header["width"], header["height"], Scene.from_json(header["scene"]))


@cache
def shared_renderer() -> Renderer:
    """One renderer for the whole process, started at the first use."""
    return Renderer()
