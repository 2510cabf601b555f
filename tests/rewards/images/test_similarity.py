"""The likeness by embeddings: the pixels, the wire and its faults. Models: `test_vision_models`."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from inward_chat.testing import HttpReply, PolicyServer
from inward_rewards.images import EmbeddingConfig, EmbeddingSimilarity, RedrawError
from inward_rewards.images.similarity.pixels import cropped, opened, padded, shuffled
from PIL import Image, ImageDraw
from pydantic import ValidationError
from support.pictures import picture

Post = Callable[[dict[str, Any]], Any]


class Means:
    """An embedder of one's own: the mean colours of 2 x 2 parts."""

    def __init__(self) -> None:
        self.batches: list[int] = []

    def embed(self, pictures: Sequence[bytes]) -> list[Any]:
        self.batches.append(len(pictures))
        small = [padded(opened(one), 64).resize((2, 2), Image.Resampling.BOX) for one in pictures]
        flat = [np.asarray(one, np.float32).reshape(1, -1) - 128 for one in small]
        return [one / np.linalg.norm(one) for one in flat]


def test_padding_keeps_all_of_a_picture_and_the_legacy_crop_does_not() -> None:
    wide = Image.new("RGB", (400, 100), "white")
    ImageDraw.Draw(wide).rectangle((0, 0, 30, 99), fill="red")
    whole, part = np.asarray(padded(wide, 224)), np.asarray(cropped(wide))
    assert whole.shape == part.shape == (224, 224, 3)
    assert (whole[112, :10] != 255).any()
    assert (part == 255).all()


def test_a_shuffled_picture_holds_the_same_tiles() -> None:
    one = picture(64, 64)
    mixed = np.asarray(opened(shuffled(one)))
    assert shuffled(one) == shuffled(one)
    true = np.asarray(opened(one))
    assert (mixed != true).any()
    assert sorted(mixed.reshape(-1, 3).tolist()) == sorted(true.reshape(-1, 3).tolist())


async def test_a_group_embeds_its_original_once_and_batches_its_drawings() -> None:
    means = Means()
    similarity = EmbeddingSimilarity(EmbeddingConfig(), embedder=means)
    drawings = [picture(color=f"#{n:02x}8020") for n in range(40)]
    found = await asyncio.gather(*(similarity(picture(), one) for one in drawings))
    assert sum(means.batches) == 41
    assert len(means.batches) < 10
    assert max(means.batches) <= 32
    again = await asyncio.gather(*(similarity(picture(), one) for one in drawings))
    assert again == found
    assert sum(means.batches) == 41


@pytest.mark.parametrize("legacy", [False, True])
async def test_a_picture_is_like_itself_most(legacy: bool) -> None:
    similarity = EmbeddingSimilarity(EmbeddingConfig(legacy=legacy), embedder=Means())
    likeness = await similarity(picture(), picture())
    assert likeness.value == likeness.cosine == pytest.approx(1)
    other = await similarity(picture(), picture(color="black", width=90))
    assert other.value == ((other.cosine + 1) / 2 if legacy else max(0, other.cosine))
    assert other.value < 1


async def test_specificity_is_what_the_place_of_things_adds() -> None:
    similarity = EmbeddingSimilarity(EmbeddingConfig(specificity=True), embedder=Means())
    likeness = await similarity(picture(), picture())
    assert likeness.specificity is not None
    assert likeness.value == likeness.specificity > 0
    blank = await similarity(picture(), picture(color="white"))
    assert 0 <= blank.value < likeness.value


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"legacy": True, "pool": "patch"}, "source's reward: leave pool at 'cls'"),
        ({"api_key_var": "KEY"}, "goes with base_url"),
        ({"batch": 0}, "greater than or equal to 1"),
        ({"modle": "x"}, "Extra inputs"),
    ],
)
def test_a_wrong_configuration_is_named(wrong: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        EmbeddingConfig(**wrong)


def test_the_default_model_is_pinned_and_another_is_not() -> None:
    assert len(EmbeddingConfig().pinned_revision or "") == 40
    assert EmbeddingConfig(model="another/model").pinned_revision is None


def test_a_missing_key_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_SUCH_KEY", raising=False)
    config = EmbeddingConfig(base_url="http://127.0.0.1:1/v1", api_key_var="NO_SUCH_KEY")
    with pytest.raises(ValueError, match=r"'NO_SUCH_KEY' .* is not set"):
        EmbeddingSimilarity(config)


def replying(body: dict[str, Any], **changed: Any) -> dict[str, Any]:
    """As a server of embeddings answers that gives the lengths of the pictures."""
    vectors = [[float(len(url)), 1.0] for url in body["input"]]
    data = [{"object": "embedding", "index": n, "embedding": v} for n, v in enumerate(vectors)]
    usage = {"prompt_tokens": 0, "total_tokens": 0}
    return {"object": "list", "model": body["model"], "data": data, "usage": usage, **changed}


async def through(post: Post, **config: Any) -> Any:
    with PolicyServer(lambda body: {}, posts={"/v1/embeddings": post}) as server:
        asked = EmbeddingConfig(model="m", base_url=server.base_url, **{"retries": 0} | config)
        return await EmbeddingSimilarity(asked)(picture(), picture(color="blue"))


async def test_a_server_is_asked_with_data_urls_and_tried_again() -> None:
    seen: list[dict[str, Any]] = []

    def post(body: dict[str, Any]) -> Any:
        seen.append(body)
        return HttpReply(429, {"error": "busy"}) if len(seen) == 1 else replying(body)

    likeness = await through(post, retries=2)
    assert likeness.value == pytest.approx(1, abs=0.01)
    assert seen[0]["input"][0].startswith("data:image/png;base64,")
    assert {seen[0][name] for name in ("modality", "pool")} == {"image", "cls"}


async def test_vectors_in_base64_and_of_patches_are_read() -> None:
    flat = np.arange(1, 9, dtype="<f4")
    encoded = base64.b64encode(flat.tobytes()).decode()

    def post(body: dict[str, Any]) -> Any:
        item = {"object": "embedding", "embedding": encoded, "places": 4, "index": 0}
        return replying(body, data=[item])

    assert (await through(post, pool="patch")).cosine == pytest.approx(1)
    with pytest.raises(RedrawError, match="patches where one vector was asked for"):
        await through(post)


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (lambda body: HttpReply(500, {"error": "out of memory"}), "out of memory"),
        (lambda body: HttpReply(401, {"error": "who"}), "similarity.api_key_var"),
        (lambda body: HttpReply(404, {"error": "what"}), "check similarity.base_url"),
        (lambda body: HttpReply(400, {"error": "this server has pool 'cls'"}), "pool 'cls'"),
        (lambda body: replying(body, model="other"), "of the model 'other'"),
        (lambda body: replying(body, data=[]), "its reply cannot be used"),
        (lambda body: {"hello": 1}, "its reply cannot be used"),
        (
            lambda body: replying(body, data=[{"index": 0, "embedding": [0.0, 0.0]}]),
            "is not finite, or 0",
        ),
    ],
)
async def test_each_fault_of_a_server_raises(fault: Post, words: str) -> None:
    with pytest.raises(RedrawError, match=words):
        await through(fault)


async def test_a_server_that_is_down_is_named() -> None:
    config = EmbeddingConfig(model="m", base_url="http://127.0.0.1:9/v1", retries=0)
    with pytest.raises(RedrawError, match=r"127.0.0.1:9/v1.*is it running"):
        await EmbeddingSimilarity(config)(picture(), picture())


async def test_likenesses_are_kept_over_runs_bit_for_bit(tmp_path: Path) -> None:
    calls: list[int] = []

    def post(body: dict[str, Any]) -> Any:
        calls.append(1)
        return replying(body)

    with PolicyServer(lambda body: {}, posts={"/v1/embeddings": post}) as server:
        config = EmbeddingConfig(model="m", base_url=server.base_url)
        pair = picture(), picture(color="blue")
        first = await EmbeddingSimilarity(config, tmp_path)(*pair)
        again = await EmbeddingSimilarity(config, tmp_path)(*pair)
    assert first == again
    assert len(calls) == 2


async def test_a_failed_picture_is_not_remembered() -> None:
    class Once(Means):
        failed = False

        def embed(self, pictures: Sequence[bytes]) -> list[Any]:
            if not self.failed:
                self.failed = True
                raise RedrawError("gone")
            return super().embed(pictures)

    similarity = EmbeddingSimilarity(EmbeddingConfig(), embedder=Once())
    with pytest.raises(RedrawError):
        await similarity(picture(), picture())
    assert (await similarity(picture(), picture())).value == pytest.approx(1)
