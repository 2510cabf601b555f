"""`diffusers` on real, tiny pipelines through the real loading code."""

from __future__ import annotations

import io
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from inward_rewards.images import Canvas, DiffusersConfig, RedrawError, Redrawn, redraw_of
from inward_rewards.images.pipeline import _pipeline
from PIL import Image
from support import pipelines

pytestmark = pytest.mark.models
CANVAS = Canvas(600, 300, "task")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The folder of a tiny pipeline, made once."""
    pytest.importorskip("diffusers", reason="needs the group `models`")
    root, folders = tmp_path_factory.mktemp("pipelines"), dict[str, Path]()

    def make(kind: str) -> Path:
        if kind not in folders:
            folders[kind] = root / kind
            getattr(pipelines, kind)(folders[kind])
        return folders[kind]

    return make


def config(model: Path, **more: Any) -> DiffusersConfig:
    return DiffusersConfig(
        **{
            "model": str(model), "steps": 2, "guidance": 1.0, "prompt_tokens": 20,
            "megapixels": 0.004, "device": "cpu", "dtype": "float32", **more,
        }
    )  # fmt: skip


async def drawn(given: DiffusersConfig, words: str, folder: Path | None = None) -> Redrawn:
    # As another process has it.
    redraw_of.cache_clear()
    _pipeline.cache_clear()
    return await redraw_of(given, folder)(words, CANVAS)


@pytest.mark.parametrize(
    ("kind", "left_out"),
    # T5 begins and ends a text with tokens of its own.
    [("flux2_klein", 4), ("flux1", 6)],
)
async def test_a_description_is_drawn(
    kind: str, left_out: int, made: Callable[[str], Path]
) -> None:
    words = "Bars, 123456789012345678"
    redrawn = await drawn(config(made(kind), k=2), words)
    first, second = (Image.open(io.BytesIO(png or b"")) for png in redrawn.pictures)
    assert first.size == second.size == (96, 32)
    assert first.tobytes() != second.tobytes()
    assert redrawn.metrics == {"refused": 0, "prompt_cut_tokens": left_out}
    # What is cut is what the encoder does not read: the drawing is that of the part it reads.
    assert (await drawn(config(made(kind), k=2), words + "9")).pictures == redrawn.pictures
    assert (await drawn(config(made(kind), k=2), words[:15])).pictures != redrawn.pictures
    assert (await drawn(config(made(kind), k=2, seed=1), words)).pictures != redrawn.pictures


async def test_it_is_kept_by_all_that_changes_it(
    made: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = made("flux2_klein")
    first = await drawn(config(model), "Bars.", tmp_path)
    other = await drawn(config(model, steps=1), "Bars.", tmp_path)
    assert other.pictures != first.pictures
    # From the cache: the weights are not even loaded.
    monkeypatch.setattr("diffusers.DiffusionPipeline.from_pretrained", None)
    assert await drawn(config(model), "Bars.", tmp_path) == first
    # A folder whose files have changed holds another model.
    (model / "note.txt").write_text("trained on")
    with pytest.raises(RedrawError, match="TypeError"):
        await drawn(config(model), "Bars.", tmp_path)


async def test_numbers_that_are_not_finite_are_no_refusal(
    made: Callable[[str], Path], tmp_path: Path
) -> None:
    """As a picture they would be black, which is what a safety filter gives."""
    torch = pytest.importorskip("torch", reason="needs the group `models`")
    from safetensors.torch import load_file, save_file

    model = tmp_path / "model"
    shutil.copytree(made("flux2_klein"), model)
    [file] = (model / "vae").glob("*.safetensors")
    weights = load_file(file)
    name = next(name for name in weights if name.startswith("decoder.") and "bias" in name)
    save_file({**weights, name: torch.full_like(weights[name], float("nan"))}, file)
    with pytest.raises(RedrawError, match=r"not finite in float32: the weights or the device"):
        await drawn(config(model), "Bars.")
    with pytest.raises(RedrawError, match=r"not finite in float16: set redraw.dtype to 'bfloat16'"):
        await drawn(config(model, dtype="float16"), "Bars.")


async def test_a_model_that_is_not_there_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("diffusers", reason="needs the group `models`")
    with pytest.raises(RedrawError, match=r"on cpu: OSError: .*model_index.json.*redraw.model"):
        await drawn(config(tmp_path), "Bars.")


def test_a_missing_library_names_the_extra(
    made: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "diffusers", None)
    redraw_of.cache_clear()
    with pytest.raises(ImportError, match=r'pip install "inward-rewards\[diffusion\]"'):
        redraw_of(config(made("flux2_klein")))
