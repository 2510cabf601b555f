"""Real vision models of transformers, made on the spot, through the code that loads any of them."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from inward_rewards.images import EmbeddingConfig, EmbeddingSimilarity, RedrawError
from support.pictures import picture

torch = pytest.importorskip("torch", reason="needs the models group")
transformers = pytest.importorskip("transformers", reason="needs the models group")
from aiohttp import web  # noqa: E402
from inward_rewards.images.similarity.model import LocalEmbedder  # noqa: E402
from inward_rewards.images.similarity.pixels import cropped, normalised, opened  # noqa: E402
from inward_rewards.images.similarity.server import application  # noqa: E402

pytestmark = pytest.mark.models

SMALL = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}
TOWER = {**SMALL, "image_size": 64, "patch_size": 16, "intermediate_size": 64}
TEXT = {**SMALL, "intermediate_size": 64, "vocab_size": 99}
NORMALISED = {"image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225]}
BOTH = {"text_config": TEXT, "vision_config": TOWER}
KINDS: dict[str, tuple[str, dict[str, Any]]] = {
    "dinov2": ("Dinov2", {**SMALL, "image_size": 56, "patch_size": 14}),
    "registers": ("Dinov2WithRegisters", {**SMALL, "image_size": 56, "patch_size": 14}),
    "dinov3": ("DINOv3ViT", {**TOWER, "num_register_tokens": 4}),
    "siglip": ("Siglip", BOTH),
    "resnet": ("ResNet", {"embedding_size": 8, "hidden_sizes": [8, 16], "depths": [1, 1]}),
}


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Random weights by kind, each in a folder as the hub has them."""
    folders = {}
    for name, (kind, shape) in KINDS.items():
        torch.manual_seed(0)
        config = getattr(transformers, f"{kind}Config")(**shape)
        folder = tmp_path_factory.mktemp(name)
        getattr(transformers, f"{kind}Model")(config).save_pretrained(folder)
        (folder / "preprocessor_config.json").write_text(json.dumps(NORMALISED))
        folders[name] = str(folder)
    return folders


@pytest.mark.parametrize("pool", ["cls", "patch"])
@pytest.mark.parametrize("name", KINDS)
async def test_each_kind_of_model_is_read(name: str, pool: Any, models: dict[str, str]) -> None:
    size = 64 if name == "resnet" else None
    config = EmbeddingConfig(model=models[name], pool=pool, size=size, device="cpu")
    similarity = EmbeddingSimilarity(config)
    drawings = [picture(), picture(100, 200, "blue"), picture(color="black")]
    same, *others = await asyncio.gather(*(similarity(picture(), one) for one in drawings))
    assert same.cosine == pytest.approx(1, abs=1e-5)
    assert all(-1 <= one.cosine < 1 - 1e-6 for one in others)


def test_the_class_token_and_the_patches_are_what_the_model_gives(models: dict[str, str]) -> None:
    """As its own code gives them, of the same pixels."""
    model = transformers.AutoModel.from_pretrained(models["dinov2"]).eval()
    config = EmbeddingConfig(model=models["dinov2"], legacy=True, device="cpu")
    pixels = normalised(cropped(opened(picture())), *NORMALISED.values())
    with torch.inference_mode():
        states = model(torch.from_numpy(pixels)[None]).last_hidden_state[0].numpy()
    [ours] = LocalEmbedder(config).embed([picture()])
    assert ours.shape == (1, 32)
    assert np.allclose(ours[0], states[0] / np.linalg.norm(states[0]), atol=1e-5)
    patches = EmbeddingConfig(model=models["dinov2"], pool="patch", size=70, device="cpu")
    [found] = LocalEmbedder(patches).embed([picture()])
    assert found.shape == (25, 32)


def test_the_legacy_pixels_are_those_of_the_model_s_own_processor() -> None:
    processor = transformers.models.bit.image_processing_pil_bit.BitImageProcessorPil(
        do_resize=True, size={"shortest_edge": 256}, resample=3, do_center_crop=True,
        crop_size={"height": 224, "width": 224}, **NORMALISED,
    )  # fmt: skip
    small = opened(picture(300, 170))
    small.thumbnail((224, 224))
    theirs = processor(small, return_tensors="np")["pixel_values"][0]
    ours = normalised(cropped(opened(picture(300, 170))), *NORMALISED.values())
    assert np.abs(ours - theirs).mean() < 0.02


async def test_a_batch_gives_what_single_pictures_give(models: dict[str, str]) -> None:
    config = EmbeddingConfig(model=models["dinov2"], device="cpu")
    embedder = LocalEmbedder(config)
    several = [picture(), picture(90, 200), picture(color="green")]
    together = embedder.embed(several)
    alone = [embedder.embed([one])[0] for one in several]
    assert np.allclose(np.stack(together), np.stack(alone), atol=1e-5)


@contextmanager
def served(config: EmbeddingConfig) -> Iterator[str]:
    """The real server on loopback, in a thread."""
    ready, addresses = threading.Event(), []
    loop = asyncio.new_event_loop()

    async def start() -> None:
        runner = web.AppRunner(application(config), access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        addresses.append(runner.addresses[0][1])
        ready.set()
        await stop.wait()
        await runner.cleanup()

    stop = asyncio.Event()
    thread = threading.Thread(target=loop.run_until_complete, args=(start(),), daemon=True)
    thread.start()
    assert ready.wait(60)
    try:
        yield f"http://127.0.0.1:{addresses[0]}/v1"
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(10)


@pytest.mark.parametrize("pool", ["cls", "patch"])
async def test_our_server_gives_what_a_model_in_process_gives(
    pool: Any, models: dict[str, str]
) -> None:
    local = EmbeddingConfig(model=models["dinov2"], pool=pool, device="cpu")
    here = await EmbeddingSimilarity(local)(picture(), picture(color="blue"))
    with served(local) as url:
        asked = EmbeddingSimilarity(local.model_copy(update={"base_url": url}))
        there = await asked(picture(), picture(color="blue"))
        assert there.cosine == pytest.approx(here.cosine, abs=1e-5)
        with pytest.raises(RedrawError, match="bytes that should be a picture"):
            await asked(picture(), b"no picture")
        other = {"pool": "cls" if pool == "patch" else "patch", "base_url": url}
        with pytest.raises(RedrawError, match="this server has pool"):
            await EmbeddingSimilarity(local.model_copy(update=other))(picture(), picture())


async def test_what_cannot_be_loaded_says_the_mend(
    models: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    absent = EmbeddingSimilarity(EmbeddingConfig(model=str(tmp_path), device="cpu"))
    with pytest.raises(RedrawError, match=r"cannot be loaded .* give similarity.model a folder"):
        await absent(picture(), picture())
    strange = EmbeddingSimilarity(EmbeddingConfig(model=models["dinov2"], device="abacus"))
    with pytest.raises(RedrawError, match="'abacus'"):
        await strange(picture(), picture())
