"""Nothing that a policy writes reads a file, reaches the network or hurts the caller."""

from __future__ import annotations

import asyncio
import http.server
import io
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from inward_rewards.charts.errors import RenderError
from inward_rewards.charts.render import Renderer
from PIL import Image
from rewards.charts import hostile

RED = (255, 0, 0)
HARMLESS = {"font by url", "theme from the net", "schema from the net"}
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
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

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
    spec = hostile.every(trap.file.as_uri(), trap.url)[name]
    if name in HARMLESS:
        assert trap.untouched(renderer.render_sync(spec).png)
        return
    with pytest.raises(RenderError) as refusal:
        renderer.render_sync(spec)
    assert 5 < len(str(refusal.value)) < 400
    assert trap.untouched(None)


def behind_the_linter(renderer: Renderer, spec: Any) -> bytes | None:
    """The picture, or None where the worker refused or died; anything else raises."""
    try:
        _, (png,) = renderer._pool.call({"spec": spec})
    except RenderError:
        return None
    return png


@pytest.mark.parametrize("name", sorted(hostile.reach("file:///x.png", "http://x")))
def test_sealed_worker_reaches_nothing(renderer: Renderer, trap: Trap, name: str) -> None:
    spec = hostile.every(trap.file.as_uri(), trap.url)[name]
    assert trap.untouched(behind_the_linter(renderer, spec))


@pytest.mark.parametrize("name", QUICK_BOMBS)
def test_sealed_worker_stops(renderer: Renderer, name: str) -> None:
    assert behind_the_linter(renderer, hostile.escape()[name]) is None


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted({**hostile.escape(), **hostile.flood()}))
def test_sealed_worker_survives(renderer: Renderer, trap: Trap, name: str) -> None:
    spec = hostile.every(trap.file.as_uri(), trap.url)[name]
    assert trap.untouched(behind_the_linter(renderer, spec))


def test_trap_would_notice(trap: Trap) -> None:
    """The canary and the server are watched by what this suite looks at."""
    assert not trap.untouched(trap.file.read_bytes())


async def test_neighbours_unchanged(trap: Trap) -> None:
    """Good charts come out byte for byte the same among specifications that fail, hang and die."""
    good = [hostile.bar(title=f"Chart {i}", width=200 + i) for i in range(12)]
    bad = hostile.every(trap.file.as_uri(), trap.url).values()
    renderer = Renderer(workers=2)
    alone = [await renderer.render(spec) for spec in good]
    renderer.close()
    renderer = Renderer(workers=2)
    rude = [hostile.escape()["regexp function"], hostile.calculated("datum.x()")]
    *among, _, _, _ = await asyncio.gather(
        *(renderer.render(spec) for spec in good),
        asyncio.gather(*(renderer.render(spec) for spec in bad), return_exceptions=True),
        *(asyncio.to_thread(behind_the_linter, renderer, spec) for spec in rude),
    )
    renderer.close()
    assert among == alone
