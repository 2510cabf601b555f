"""Vega-Lite to a picture and what it shows, never in the caller's process.

    renderer = Renderer()
    rendered = await renderer.render(spec)
    rendered.png, rendered.scene.rows, rendered.scene.texts

Needs `pip install "inward-rewards[charts]"`.
"""

from __future__ import annotations

import asyncio
import json
from concurrent.futures import Future
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from inward_rewards.charts.cache import Cache, digest
from inward_rewards.charts.errors import RendererDown, RenderError
from inward_rewards.charts.reading import Rendered, Scene
from inward_rewards.charts.score import Score
from inward_rewards.charts.specification import limits
from inward_rewards.sandbox import Breach, Limits, Memo, Message, Pool, Program, Turns

Result = tuple[Rendered, Score | None]
Refusal = str
"""Why there is no chart."""

REVISION = 8
"""Raised whenever another picture, scene or score comes out of the same specification."""
STRICT_REVISION = 3
"""Raised whenever the strict reading alone changes."""
KNOWN_RESULTS = 512
PROGRAM = Program(
    "the chart renderer",
    "inward_rewards.charts.worker",
    'pip install "inward-rewards[charts]"',
)
LIMITS = Limits(limits.CPU_SECONDS, limits.MEMORY_BYTES >> 20)
BREACHES = {
    Breach.CPU: f"drawing it takes more than {LIMITS.cpu_seconds:g} s of CPU time",
    Breach.CRASH: (
        f"drawing it takes more than {LIMITS.memory_mb} MiB of memory, or breaks the renderer"
    ),
}


class Renderer:
    """A pool of sandboxed processes with a memory in front; usable from any thread or event loop,
    and after a fork.

    A specification is given as JSON text, which is parsed, checked and drawn in a worker, or as the
    dict of one. Raises `RenderError`, fit to show, where the specification is at fault, and
    `RendererDown` where the machine is: no score may be given then. Equal requests are worked out
    once, and refusals remembered too. `workers` is the number of charts at once, within the
    machine's budget (`inward_rewards.sandbox`; all of it by default). `cache_dir` keeps drawn
    charts over runs.
    """

    def __init__(self, workers: int | None = None, cache_dir: Path | None = None) -> None:
        try:
            self.version = f"vl-convert {version('vl-convert-python')}, revision {REVISION}"
        except PackageNotFoundError as error:
            raise ImportError(
                'charts need the extra: pip install "inward-rewards[charts]"'
            ) from error
        self._pool = Pool(PROGRAM, LIMITS, workers, RendererDown)
        self._turns = Turns()
        self._known: Memo[str, Result | Refusal] = Memo(KNOWN_RESULTS)
        self._cache = None if cache_dir is None else Cache(cache_dir)

    async def render(self, spec: str | dict[str, Any], *, strict: bool = False) -> Rendered:
        """The chart of a Vega-Lite specification.

        `strict`: its scene holds only what a person reads off the picture without effort. Marks and
        texts are in clear contrast and not too small, the axes and legends of numbers are labelled,
        the values are not drawn nearly on one another, and series are not nearly of one colour.
        """
        await self._turns.wait()
        return _drawn(await asyncio.wrap_future(self._submit(spec, strict=strict)))[0]

    def render_sync(self, spec: str | dict[str, Any]) -> Rendered:
        """`render` for code that may block."""
        return _drawn(self._submit(spec).result())[0]

    async def score(
        self, spec: str | dict[str, Any], picture: bytes, truth: Scene | None
    ) -> tuple[Rendered, Score]:
        """The chart of a specification, and how near it comes to the PNG `picture`.

        `truth` is the scene that the picture shows, where it is known. Raises `ValueError`, before
        a worker is asked, for one without a number: that is no candidate's fault.
        """
        await self._turns.wait()
        if truth is not None:
            truth.check_readable()
        blobs = (picture,) if truth is None else (picture, truth.packed)
        rendered, score = _drawn(await asyncio.wrap_future(self._submit(spec, *blobs)))
        assert score is not None
        return rendered, score

    def close(self) -> None:
        """Ends the processes; charts still waiting or in work raise `RendererDown`."""
        self._pool.close()

    def _submit(
        self, spec: str | dict[str, Any], *blobs: bytes, strict: bool = False
    ) -> Future[Result | Refusal]:
        text = spec if isinstance(spec, str) else json.dumps(spec)
        key = digest(self.version, text, *blobs, *([f"strict {STRICT_REVISION}"] if strict else []))
        header = {"spec": text, "strict": strict}
        return self._known.ask(key, lambda: self._pool.submit(self._work, key, header, blobs))

    def _work(self, key: str, header: dict[str, Any], blobs: tuple[bytes, ...]) -> Result | Refusal:
        """In a thread of the pool."""
        stored = self._cache.get(key) if self._cache else None
        if stored is not None:
            return _result(stored)
        reply = self._pool.call(header, *blobs)
        if isinstance(reply, Breach):
            return BREACHES[reply]
        if "refused" in reply[0]:
            return str(reply[0]["refused"])
        if self._cache:
            self._cache.put(key, reply)
        return _result(reply)


def _drawn(outcome: Result | Refusal) -> Result:
    if isinstance(outcome, Refusal):
        raise RenderError(outcome)
    return outcome


def _result(message: Message) -> Result:
    header, (png,) = message
    rendered = Rendered(png, header["width"], header["height"], Scene.from_json(header["scene"]))
    return rendered, Score(**header["score"]) if "score" in header else None


_shared: dict[None, Renderer] = {}


def shared_renderer() -> Renderer:
    """One renderer for the whole process, started at the first use."""
    # Without a lock, which a fork could leave taken: who loses the race has started nothing.
    return _shared.get(None) or _shared.setdefault(None, Renderer())
