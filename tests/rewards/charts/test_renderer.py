"""The pool and the cache: whose fault a failure is, and what is drawn only once."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import threading
import warnings
from pathlib import Path

import pytest
from inward_rewards.charts import renderer as renderer_module
from inward_rewards.charts.cache import Cache
from inward_rewards.charts.errors import RendererDown, RenderError
from inward_rewards.charts.renderer import Renderer
from rewards.charts.hostile import bar


def test_picture_and_size(renderer: Renderer) -> None:
    rendered = renderer.render_sync(bar(width=300, height=200))
    assert rendered.png.startswith(b"\x89PNG")
    assert rendered.width > 300
    assert rendered.height > 200


async def test_same_from_loop_and_thread(renderer: Renderer) -> None:
    spec = bar(title="from everywhere")
    assert await renderer.render(spec) == renderer.render_sync(spec)
    found = []
    threads = [
        threading.Thread(target=lambda: found.append(asyncio.run(renderer.render(spec))))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [await renderer.render(spec)] * 4


def test_same_bytes_in_every_process() -> None:
    pictures = []
    for _ in range(2):
        renderer = Renderer(workers=1)
        pictures.append(renderer.render_sync(bar(title="the same")))
        renderer.close()
    assert pictures[0] == pictures[1]


def test_compiler_error_is_the_specifications_fault(renderer: Renderer) -> None:
    with pytest.raises(RenderError, match="callee"):
        renderer.render_sync(bar(transform=[{"calculate": "datum.a()", "as": "c"}]))


def test_a_chart_that_cannot_be_read_is_the_specifications_fault(renderer: Renderer) -> None:
    page = {"type": "bar", "opacity": {"expr": "1"}}
    with pytest.raises(RenderError):
        renderer.render_sync(bar(mark=page))
    with pytest.raises(RenderError, match="opacity '50%': write it as a number"):
        renderer.render_sync(bar(encoding={**bar()["encoding"], "opacity": {"value": "50%"}}))


def test_a_table_larger_than_its_limit_is_refused(renderer: Renderer) -> None:
    rows = [{"n": str(i % 10), "v": i + 1} for i in range(900)]
    letters = {"calculate": f"'{'x' * 180}'", "as": "c"}
    doubled = [{"calculate": "datum.c + datum.c", "as": "c"}] * 4
    # Labels are cut where they are long, and tell the names apart all the same.
    named = {"calculate": "datum.n + datum.c", "as": "c"}
    x = {"field": "c", "type": "nominal"}
    spec = {
        "data": {"values": rows},
        "mark": "tick",
        "transform": [letters, *doubled, named],
        "encoding": {"x": x, "y": {"field": "v", "type": "quantitative"}},
    }
    with pytest.raises(RenderError, match=r"table and texts: \d+ bytes, more than 1048576"):
        renderer.render_sync(spec)


async def test_a_broken_reference_is_the_machines_fault(renderer: Renderer) -> None:
    with pytest.raises(RendererDown, match="reference_of"):
        await renderer.score(bar(), b"no picture", None)


def test_killed_worker_is_replaced() -> None:
    renderer = Renderer(workers=1)
    first = renderer.render_sync(bar())
    (worker,) = renderer._pool._idle
    os.kill(worker.pid, signal.SIGKILL)
    assert renderer.render_sync(bar(title="again")).scene.rows == first.scene.rows
    renderer.close()


def test_pool_that_cannot_start_raises(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    broken = tmp_path / "python"
    broken.write_text("#!/bin/sh\necho no such interpreter >&2\nexit 3\n")
    broken.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(broken))
    renderer = Renderer(workers=1)
    with pytest.raises(RendererDown, match="no such interpreter"):
        renderer.render_sync(bar())
    renderer.close()


def test_missing_extra_names_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> str:
        raise renderer_module.PackageNotFoundError(name)

    monkeypatch.setattr(renderer_module, "version", missing)
    with pytest.raises(ImportError, match=r"pip install \"inward-rewards\[charts\]\""):
        Renderer()


def test_cache_outlives_the_process(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    writer = Renderer(workers=1, cache_dir=tmp_path)
    drawn = writer.render_sync(bar())
    writer.close()
    reader = Renderer(workers=1, cache_dir=tmp_path)
    monkeypatch.setattr(reader._pool, "call", lambda *_: pytest.fail("drawn again"))
    assert reader.render_sync(bar()) == drawn
    assert reader.render_sync(json.dumps(bar())) == drawn
    with pytest.raises(pytest.fail.Exception):
        reader.render_sync(bar(width=321))
    reader.version = "another renderer"
    with pytest.raises(pytest.fail.Exception):
        reader.render_sync(bar())
    reader.close()


def test_a_broken_cache_entry_is_named_and_drawn_anew(tmp_path: Path) -> None:
    renderer = Renderer(workers=1, cache_dir=tmp_path)
    drawn = renderer.render_sync(bar())
    (entry,) = (path for path in tmp_path.rglob("*") if path.is_file())
    whole = entry.read_bytes()
    for broken in (b"", whole[:2], whole[:7], whole[:-5]):
        entry.write_bytes(broken)
        renderer._known.clear()
        renderer._cache = Cache(tmp_path)
        with pytest.warns(RuntimeWarning, match=entry.name):
            assert renderer.render_sync(bar()) == drawn
        assert entry.read_bytes() == whole
    renderer.close()


def test_a_cache_that_cannot_be_written_costs_one_warning(tmp_path: Path) -> None:
    folder = tmp_path / "a file"
    folder.touch()
    renderer = Renderer(workers=1, cache_dir=folder)
    with pytest.warns(RuntimeWarning, match="nothing is kept"):
        renderer.render_sync(bar(title="one"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        renderer.render_sync(bar(title="two"))
    renderer.close()


def test_cache_entries_follow_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        Cache(tmp_path).put("abcdef", ({}, [b"png"]))
    finally:
        os.umask(before)
    (entry,) = (path for path in tmp_path.rglob("*") if path.is_file())
    assert entry.stat().st_mode & 0o777 == 0o640


def test_concurrent_writers_share_a_folder(tmp_path: Path) -> None:
    renderers = [Renderer(workers=1, cache_dir=tmp_path) for _ in range(2)]
    specs = [bar(title=str(i % 3)) for i in range(6)]
    with_threads = [
        threading.Thread(target=lambda r=r: [r.render_sync(spec) for spec in specs])
        for r in renderers
    ]
    for thread in with_threads:
        thread.start()
    for thread in with_threads:
        thread.join()
    for renderer in renderers:
        renderer.close()
    assert sum(path.is_file() for path in tmp_path.rglob("*")) == 3
