"""Nothing that a policy writes reads a file, reaches the network or hurts the caller."""

from __future__ import annotations

import asyncio
import http.server
import io
import threading
from collections.abc import Coroutine, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from inward_rewards.charts import renderer
from inward_rewards.charts.errors import RenderError
from inward_rewards.charts.reading.scene import Rendered
from inward_rewards.charts.renderer import Renderer
from inward_rewards.charts.score import Score
from PIL import Image
from rewards.charts import hostile

RED = (255, 0, 0)
HARMLESS = {
    *("font by url", "theme from the net", "schema from the net"),
    *("selection bound to input", "size as container"),
}
"""Drawn without the part that would load something."""
QUICK_BOMBS = ("regexp function", "repeat by join")


class Trap:
    """A file whose contents would show in a picture, and a server that counts its callers."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "canary.png"
        Image.new("RGB", (64, 64), RED).save(self.file)
        self.file.with_suffix(".csv").write_text("a,b\nCANARY,777777\n")
        self.requests: list[str] = []
        trap = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                trap.requests.append(self.path)
                self.send_response(200)
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def untouched(self, png: bytes | None) -> bool:
        if png is None:
            return not self.requests
        pixels = np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))
        return not self.requests and not (pixels == RED).all(axis=-1).any()


@pytest.fixture(scope="module")
def trap(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trap]:
    made = Trap(tmp_path_factory.mktemp("canary"))
    yield made
    made.server.shutdown()


NAMES = sorted(hostile.every("file:///x.png", "http://x"))


def test_there_are_many() -> None:
    assert len(NAMES) >= 100


@pytest.mark.parametrize("name", NAMES)
def test_refused_with_its_reason(renderer: Renderer, trap: Trap, name: str) -> None:
    spec = hostile.one(name, trap.file.as_uri(), trap.url)
    if name in HARMLESS:
        assert trap.untouched(renderer.render_sync(spec).png)
        return
    with pytest.raises(RenderError) as refusal:
        renderer.render_sync(spec)
    assert 5 < len(str(refusal.value)) < 400
    assert trap.untouched(None)


@pytest.fixture(scope="module")
def unlinted() -> Iterator[Renderer]:
    """Its worker is without its first wall."""
    program = replace(renderer.PROGRAM, module="rewards.charts.unlinted")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(renderer, "PROGRAM", program)
        # What never ends is stopped at the limit: the least that leaves honest charts room.
        patch.setattr(renderer, "LIMITS", replace(renderer.LIMITS, cpu_seconds=2))
        patch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
        made = Renderer(workers=2)
        # The processes inherit the path when they start.
        made.render_sync(hostile.bar())
        yield made
        made.close()


def behind_the_linter(unlinted: Renderer, spec: Any) -> bytes | None:
    """The picture, or None where the worker refused or died; anything else raises."""
    try:
        return unlinted.render_sync(spec).png
    except RenderError:
        return None


@pytest.mark.parametrize("name", sorted(hostile.reach("file:///x.png", "http://x")))
def test_sealed_worker_reaches_nothing(unlinted: Renderer, trap: Trap, name: str) -> None:
    spec = hostile.one(name, trap.file.as_uri(), trap.url)
    assert trap.untouched(behind_the_linter(unlinted, spec))


@pytest.mark.parametrize("name", QUICK_BOMBS)
def test_sealed_worker_stops(unlinted: Renderer, name: str) -> None:
    assert behind_the_linter(unlinted, hostile.escape()[name]) is None


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted({**hostile.escape(), **hostile.flood()}))
def test_sealed_worker_survives(unlinted: Renderer, trap: Trap, name: str) -> None:
    spec = hostile.one(name, trap.file.as_uri(), trap.url)
    assert trap.untouched(behind_the_linter(unlinted, spec))


def test_trap_would_notice(trap: Trap) -> None:
    """The canary and the server are watched by what this suite looks at."""
    assert not trap.untouched(trap.file.read_bytes())


@pytest.mark.slow
async def test_neighbours_unchanged(unlinted: Renderer, trap: Trap) -> None:
    """Pictures, scenes and scores stay the same among specifications that fail, hang and die."""
    true = await unlinted.render(hostile.bar(title="Chart", width=206))
    good = [hostile.bar(title=f"Chart {i}", width=200 + i) for i in range(12)]
    bad = hostile.every(trap.file.as_uri(), trap.url)
    quick = [*hostile.reach(trap.file.as_uri(), trap.url).values(), bad["control characters"]]

    def scored(spec: Any) -> Coroutine[Any, Any, tuple[Rendered, Score]]:
        return unlinted.score(spec, true.png, true.scene)

    alone = [await scored(spec) for spec in good]
    assert len({score for _, score in alone}) > 1
    unlinted._known.clear()
    *among, _ = await asyncio.gather(
        *(scored(spec) for spec in good),
        asyncio.gather(
            *(scored(spec) for spec in (*quick, bad["regexp function"])), return_exceptions=True
        ),
    )
    assert among == alone
