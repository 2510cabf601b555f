"""`inward cache`: what environments keep beside the indexes."""

import json

import pytest
from inward_rewards.charts.cache import Cache, digest
from support.runs import call


@pytest.fixture
def kept(tmp_path, monkeypatch):
    """A cache as chart-reconstruction and advisor fill it, with a file of somebody else in each."""
    monkeypatch.setenv("INWARD_CACHE_DIR", str(tmp_path))
    name = digest("work")
    Cache(tmp_path / "redraw").put(name, ({}, []))
    files = [f"redraw/{name[:2]}/.{name[2:]}.12.34", f"advisor/{name}.json"]
    files += ["redraw/notes.txt", "advisor/mine.json", "other/x"]
    for file in files:
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_text(json.dumps({"reward": 0.5}))
    return tmp_path


def test_drawings_and_baselines_are_listed_and_cleared(kept):
    done = call("inward", "cache", "list", cwd=kept)
    assert done.code == 0, done.err
    assert done.out.splitlines()[-2:] == [
        f"drawings: 2, 0.0 MB, in {kept / 'redraw'}",
        f"baselines: 1, 0.0 MB, in {kept / 'advisor'}",
    ]
    done = call("inward", "cache", "clear", cwd=kept)
    assert done.code == 0, done.err
    assert f"removed drawings: 2, 0.0 MB, from {kept / 'redraw'}" in done.out
    left = {path.name for path in kept.rglob("*") if path.is_file()}
    assert left - {".inward-index-cache"} == {"notes.txt", "mine.json", "x"}
