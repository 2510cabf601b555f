"""describe-specific in a taskset that is not ours, against a loopback server that embeds pictures
by what is where, and texts by the words for it."""

from __future__ import annotations

import asyncio
import base64
import io
from types import SimpleNamespace

import numpy as np
import pytest
import verifiers.v1 as vf
from inward_chat.testing import HttpReply, PolicyServer
from inward_specific import SpecificJudge, SpecificJudgeConfig
from PIL import Image
from rewards.runs import run_judged

SIDE = 64
TASKSET = """
import verifiers.v1 as vf

__all__ = ["FlagsTaskset"]
URIS = {uris!r}


class FlagsData(vf.TaskData):
    pass


class FlagsTask(vf.Task[FlagsData]):
    pass


class FlagsTaskset(vf.Taskset[FlagsTask]):
    def load(self):
        for n in range({tasks}):
            parts = [{{"type": "text", "text": f"{{n}}: describe the flag"}}]
            parts += [{{"type": "image_url", "image_url": {{"url": uri}}}} for uri in URIS]
            prompt = [{{"role": "user", "content": parts}}]
            yield FlagsTask(FlagsData(prompt=prompt), self.config.task)
"""
RED, BLUE = np.array([1.0, 0.0]), np.array([0.0, 1.0])
TEXTS = {
    "red above blue": np.array([[RED] * 4] * 2 + [[BLUE] * 4] * 2),
    "blue above red": np.array([[BLUE] * 4] * 2 + [[RED] * 4] * 2),
}
"""Red and blue in each of 4 x 4 tiles; every other text says of both that they may be anywhere."""
ANYWHERE = np.full((4, 4, 2), 0.5)
REPLIES = [
    "<think>stripes</think>red above blue",
    "red and blue",
    "A beautiful picture. " * 40,
    "",
    "0: describe the flag",
    "blue above red",
    "<think>red above blue</think>",
]


def flag() -> str:
    """A data URI: red above blue."""
    pixels = np.zeros((SIDE, SIDE, 3), np.uint8)
    pixels[: SIDE // 2, :, 0] = pixels[SIDE // 2 :, :, 2] = 255
    png = io.BytesIO()
    Image.fromarray(pixels).save(png, "PNG")
    return "data:image/png;base64," + base64.b64encode(png.getvalue()).decode()


def embed(body: dict) -> dict:
    [message] = body["messages"]
    [part] = message["content"]
    if part["type"] == "text":
        found = TEXTS.get(part["text"], ANYWHERE)
    else:
        data = base64.b64decode(part["image_url"]["url"].partition(",")[2])
        pixels = np.asarray(Image.open(io.BytesIO(data)).convert("RGB")) / 255
        tiles = pixels.reshape(4, SIDE // 4, 4, SIDE // 4, 3).mean((1, 3))
        found = tiles[:, :, [0, 2]]
    return {"data": [{"embedding": found.ravel().tolist()}]}


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)

    def evaluate(replies, embeddings):
        source = TASKSET.format(uris=[flag()], tasks=len(replies))
        (tmp_path / "flags.py").write_text(source)

        def policy(body):
            return {"content": replies[int(body["messages"][-1]["content"][0]["text"][0])]}

        with PolicyServer(policy, posts={"/v1/embeddings": embeddings}) as server:
            lines = f'id = "inward-specific"\nmodel = "clip"\nbase_url = "{server.base_url}"'
            return run_judged(tmp_path, "flags", lines, server)

    return evaluate


def test_what_a_description_earns_and_what_a_hack(run):
    asked = []

    def embeddings(body):
        asked.append(body)
        return embed(body)

    found = run(REPLIES, embeddings)
    assert [trace["ok"] for trace in found] == [True] * len(REPLIES), found[0]["errors"]
    scores = [trace["rewards"]["inward-specific"]["score"] for trace in found]
    specific, colours, boilerplate, empty, copied, inverted, thought = scores
    assert specific > 0.1
    # What fits the shuffled picture as well earns nothing, however long it is.
    assert [colours, boilerplate, copied] == pytest.approx([0, 0, 0], abs=1e-9)
    assert empty == thought == -1.0
    assert inverted == pytest.approx(-specific)
    pictures = {str(body) for body in asked if "image_url" in str(body)}
    assert len(pictures) == 2  # one shuffled copy for all rollouts
    assert {body["model"] for body in asked} == {"clip"}
    [sent] = {body["messages"][0]["content"][0]["text"] for body in asked
              if "stripes" in str(body) or "red above" in str(body)}  # fmt: skip
    assert sent == "red above blue"  # never the thinking


def judged(reply, *, uris=None, embeddings=embed, **settings):
    """The judge alone."""
    parts = [
        {"type": "image_url", "image_url": {"url": u}} for u in ([flag()] if uris is None else uris)
    ]
    task = vf.TaskData(prompt=[{"role": "user", "content": parts}])
    trace = SimpleNamespace(assistant_messages=[vf.AssistantMessage(content=reply)])
    with PolicyServer(lambda body: {}, posts={"/v1/embeddings": embeddings}) as server:
        config = SpecificJudgeConfig(model="clip", base_url=server.base_url, **settings)
        return asyncio.run(SpecificJudge(config).score(task, trace))


def test_another_seed_is_another_copy_and_the_same_one_repeats():
    first, again, other = (judged(REPLIES[0], seed=seed, patches=8) for seed in (1, 1, 2))
    assert first == again != other


def test_a_transparent_picture_is_shuffled_on_white():
    seen = []

    def embeddings(body):
        [part] = body["messages"][0]["content"]
        if part["type"] == "image_url":
            data = base64.b64decode(part["image_url"]["url"].partition(",")[2])
            seen.append(Image.open(io.BytesIO(data)))
        return embed(body) if part["type"] == "text" else {"data": [{"embedding": [1.0] * 32}]}

    picture = Image.new("RGBA", (SIDE, SIDE))
    picture.paste((255, 0, 0, 255), (0, 0, 16, 16))
    png = io.BytesIO()
    picture.save(png, "PNG")
    uri = "data:image/png;base64," + base64.b64encode(png.getvalue()).decode()
    judged(REPLIES[0], uris=[uri], embeddings=embeddings)
    [copy] = [one for one in seen if one.mode == "RGB"]
    assert {colour for _, colour in copy.getcolors()} == {(255, 0, 0), (255, 255, 255)}


@pytest.mark.parametrize(
    ("uris", "complaint"),
    [
        ([], "found 0"),
        (["https://example.org/a.png"], "as a data URI, and found 1"),
        (["data:image/png;base64,AA=!"], "no whole base64"),
    ],
)
def test_a_task_without_its_picture_is_named(uris, complaint):
    with pytest.raises(ValueError, match=complaint):
        judged(REPLIES[0], uris=uris)


@pytest.mark.parametrize(
    ("reply", "complaint"),
    [
        (HttpReply(404, "no such model"), "HTTP 404"),
        ({"data": []}, "it answered no embedding"),
        ({"data": [{"embedding": [0.0, 0.0]}]}, "an embedding of length 0.0"),
        ({"data": [{"embedding": ["nan"]}]}, "an embedding of length nan"),
    ],
)
def test_faults_of_the_server_are_named(reply, complaint):
    with pytest.raises(RuntimeError, match=complaint) as caught:
        judged(REPLIES[0], embeddings=lambda body: reply)
    assert "served there as a model of texts and pictures" in str(caught.value)
