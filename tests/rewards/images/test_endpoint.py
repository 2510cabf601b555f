"""`images` against a real server on loopback: what is asked of it, and how each fault ends."""

from __future__ import annotations

import asyncio
import io
from pathlib import Path
from typing import Any

import pytest
from inward_rewards.images import Canvas, ImagesConfig, RedrawError, drawing, redraw_of
from inward_rewards.images.config import SCHNELL
from inward_rewards.images.drawings import UnfitPictureError, checked, printable, seed, size
from PIL import Image
from pydantic import ValidationError
from support.images import ImageServer, png

CANVAS = Canvas(600, 400, "task")


def config(server: ImageServer, **more: Any) -> ImagesConfig:
    more = {"megapixels": 0.05, "retries": 0, **more}
    return ImagesConfig(base_url=server.base_url, **more)


async def test_what_is_asked() -> None:
    with ImageServer() as server:
        redrawn = await redraw_of(config(server, k=2, seed=7))("Three bars.", CANVAS)
        first, second = server.bodies
    assert first == {
        "model": "black-forest-labs/FLUX.2-klein-4B",
        "prompt": "Three bars.",
        "n": 1,
        "size": "288x192",
        "response_format": "b64_json",
        "seed": seed("task", 7, 0),
        "num_inference_steps": 4,
        "guidance_scale": 1.0,
        "generator_device": "cpu",
    }
    assert second == {**first, "seed": seed("task", 7, 1)}
    assert [Image.open(io.BytesIO(p or b"")).size for p in redrawn.pictures] == [(288, 192)] * 2
    assert len(set(redrawn.pictures)) == 2
    assert redrawn.metrics == {"refused": 0, "prompt_cut_tokens": 0}


async def test_siblings_share_the_noise_and_tasks_do_not() -> None:
    with ImageServer() as server:
        redraw = redraw_of(config(server))
        for words, key in (("One.", "a"), ("Two.", "a"), ("One.", "b")):
            await redraw(words, Canvas(100, 100, key))
        one, two, other = (body["seed"] for body in server.bodies)
    assert one == two != other
    assert {seed("a", 0, 0), seed("a", 1, 0), seed("a", 0, 1)} > {one}
    assert all(0 <= seed(str(n), 0, 0) < 2**31 for n in range(100))


async def test_the_source_drew_squares() -> None:
    with ImageServer() as server:
        await redraw_of(config(server, model=SCHNELL, legacy=True, megapixels=1))("A.", CANVAS)
        [body] = server.bodies
    asked = {name: body[name] for name in ("size", "num_inference_steps", "guidance_scale")}
    assert asked == {"size": "1024x1024", "num_inference_steps": 4, "guidance_scale": 0}


def test_sizes_have_the_ratio_of_the_original() -> None:
    for width, height in ((768, 512), (300, 700), (768, 20), (5, 5)):
        drawn = size(Canvas(width, height, ""), 1.0, square=False)
        assert all(side % 32 == 0 for side in drawn)
        assert 0.9 < drawn[0] * drawn[1] / 2**20 < 1.1
        ratio = min(max(width / height, 1 / 4), 4)
        assert drawn[0] / drawn[1] == pytest.approx(ratio, rel=0.05)


async def test_a_long_description_is_cut_and_the_cut_is_told() -> None:
    with ImageServer() as server:
        redrawn = await redraw_of(config(server, prompt_tokens=5))("a b c d e f, g", CANVAS)
        [body] = server.bodies
    assert body["prompt"] == "a b c d e"
    assert redrawn.metrics["prompt_cut_tokens"] == 3


async def test_an_empty_description_asks_nothing() -> None:
    with ImageServer() as server:
        redrawn = await redraw_of(config(server))(" \n\x00\ud800", CANVAS)
    assert (redrawn.pictures, redrawn.reason) == ((), "the description is empty")
    assert server.bodies == []


def test_nothing_unprintable_is_sent() -> None:
    assert printable("a\x00b\ud83d\n\x1b[1m") == "a b\n [1m"


RAISED = {
    "429": "HTTP 429: queue is full: see its log, or lower redraw.concurrency",
    "500": "HTTP 500: CUDA out of memory: see its log",
    "hang": "Request timed out.*is it running, and does it answer within redraw.timeout=0.5 s",
    "detail": "HTTP 400: size is not supported: check the options under redraw",
    "detail list": "HTTP 422: bad size: check the options",
    "error": "HTTP 400: invalid unknown model: check the options",
    "key": "HTTP 401: no such key: name the environment variable.*redraw.api_key_var",
    "cut base64": "`b64_json` is no whole base64",
    "cut picture": "no whole picture",
    "wrong size": "asked for 288 x 192 pixels, got 512 x 512",
    "no picture": "no `data` with `b64_json`",
    "address": "no `data` with `b64_json`",
    "no JSON": "its reply cannot be used",
}


@pytest.mark.parametrize("fault", RAISED)
async def test_a_fault_of_the_server_raises(fault: str) -> None:
    with ImageServer(fault) as server:
        with pytest.raises(RedrawError, match=RAISED[fault]) as raised:
            # The prompt must not be taken for the server's words.
            await redraw_of(config(server, timeout=0.5))("Of content policy.", CANVAS)
        assert f"{server.base_url!r} (model 'black-forest-labs/FLUX.2-klein-4B')" in str(
            raised.value
        )
        assert "\n" not in str(raised.value)
        # Nothing of it is kept.
        server.fault = None
        assert (await redraw_of(config(server, timeout=0.5))("Of content policy.", CANVAS)).pictures


async def test_a_server_that_is_gone_raises() -> None:
    with ImageServer() as server:
        redraw = redraw_of(config(server))
    with pytest.raises(RedrawError, match=r"Connection error.*is it running"):
        await redraw("Bars.", CANVAS)


async def test_a_busy_server_is_asked_again() -> None:
    with ImageServer("recovers") as server:
        redrawn = await redraw_of(config(server, retries=1))("Bars.", CANVAS)
        assert len(server.bodies) == 2
    assert redrawn.pictures


@pytest.mark.parametrize("fault", ["refusal, detail", "refusal, error", "black"])
async def test_a_refusal_draws_nothing(fault: str, tmp_path: Path) -> None:
    with ImageServer(fault) as server:
        redraw = redraw_of(config(server, k=2), tmp_path)
        redrawn = await redraw("Bars.", CANVAS)
        assert (redrawn.pictures, redrawn.metrics["refused"]) == ((), 1)
        assert redrawn.reason is not None
        assert redrawn.reason.startswith("refused: " if "refusal" in fault else "the drawing is")
        # It is data as any drawing is: remembered.
        server.fault = "500"
        again = await redraw("Bars.", CANVAS)
    assert again == redrawn


async def test_equal_requests_are_drawn_once_and_few_at_once() -> None:
    with ImageServer("in pairs") as server:
        redraw = redraw_of(config(server, concurrency=2))
        words = [f"Bars {number % 6}." for number in range(24)]
        await asyncio.gather(*(redraw(text, CANVAS) for text in words))
        assert len(server.bodies) == 6
        assert server.most_at_once == 2


def damage(folder: Path) -> None:
    [entry] = [file for file in folder.rglob("*") if file.is_file()]
    entry.write_bytes(entry.read_bytes()[:-9] + b"damaged!!")


async def test_what_was_drawn_is_read_from_the_cache(tmp_path: Path) -> None:
    with ImageServer() as server:
        first = await redraw_of(config(server), tmp_path)("Bars.", CANVAS)
    redraw_of.cache_clear()  # as another process has it
    with_cache = redraw_of(config(server), tmp_path)
    assert await with_cache("Bars.", CANVAS) == first
    assert drawing(first.record["drawings"][0], tmp_path) == first.pictures[0]
    damage(tmp_path)
    redraw_of.cache_clear()
    with pytest.raises(RedrawError, match="is it running"):  # drawn anew, and nobody is there
        await redraw_of(config(server), tmp_path)("Bars.", CANVAS)


async def test_all_that_changes_a_drawing_is_in_its_key(tmp_path: Path) -> None:
    changes: list[dict[str, Any]] = [
        {}, {"seed": 1}, {"steps": 5}, {"guidance": 2.0}, {"revision": "b"}, {"megapixels": 0.1},
        {"model": SCHNELL}, {"legacy": True},
    ]  # fmt: skip
    with ImageServer() as server:
        for change in changes:
            await redraw_of(config(server, **change), tmp_path)("Bars.", CANVAS)
        await redraw_of(config(server), tmp_path)("Bars.", Canvas(600, 400, "another"))
        await redraw_of(config(server), tmp_path)("Lines.", CANVAS)
        assert len(server.bodies) == len(changes) + 2
        # A longer text that is cut to the same prompt is not drawn again.
        await redraw_of(config(server, prompt_tokens=2), tmp_path)("Bars. More.", CANVAS)
        assert len(server.bodies) == len(changes) + 2


async def test_a_cache_that_cannot_be_written_ends_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with ImageServer() as server, pytest.warns(RuntimeWarning, match="nothing is kept"):
        assert (await redraw_of(config(server), tmp_path / "file")("Bars.", CANVAS)).pictures


def test_pictures_of_other_formats_become_png() -> None:
    image = Image.new("RGB", (32, 32), "red")
    out = io.BytesIO()
    image.save(out, "WEBP")
    found = checked(out.getvalue(), 32, 32)
    assert found is not None
    assert found.startswith(b"\x89PNG")
    assert checked(png(Image.new("RGB", (32, 32), (8, 8, 8))), 32, 32) is None
    with pytest.raises(UnfitPictureError, match="no whole picture"):
        checked(b"GIF89a", 32, 32)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"base_url": "localhost:8000"}, "'localhost:8000' is no address"),
        ({"model": "me/mine"}, "nothing is known of it here: set steps, guidance, prompt_tokens"),
        ({"k": 0}, "greater than or equal to 1"),
        ({"guidance": float("inf")}, "finite"),
        ({"stepz": 4}, "Extra inputs"),
    ],
)
def test_a_wrong_configuration_is_named(wrong: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        ImagesConfig(**{"base_url": "http://127.0.0.1:1/v1", **wrong})


def test_a_key_that_is_not_set_is_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_SUCH_KEY", raising=False)
    given = ImagesConfig(base_url="http://127.0.0.1:1/v1", api_key_var="NO_SUCH_KEY")
    with pytest.raises(ValueError, match=r"'NO_SUCH_KEY' \(redraw.api_key_var\) is not set"):
        redraw_of(given)


def test_a_tokenizer_that_is_not_there_is_named(tmp_path: Path) -> None:
    given = ImagesConfig(base_url="http://127.0.0.1:1/v1", tokenizer=str(tmp_path))
    with pytest.raises(RedrawError, match=r"cannot be loaded.*count tokens by a rule"):
        redraw_of(given)
