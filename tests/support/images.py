"""A loopback image generator in OpenAI's wire format, with every fault that a server may have."""

from __future__ import annotations

import base64
import hashlib
import io
import threading
import time
from collections.abc import Mapping
from typing import Any

from inward_chat.testing import HttpReply, PolicyServer
from PIL import Image, ImageDraw

ROUTE = "/v1/images/generations"


def drawn(body: Mapping[str, Any]) -> bytes:
    """A PNG of the size that was asked for: bars by the prompt, shades by the seed."""
    width, height = map(int, body["size"].split("x"))
    image = Image.new("RGB", (width, height), "white")
    pen = ImageDraw.Draw(image)
    shade = "#" + hashlib.sha256(str(body["seed"]).encode()).hexdigest()[:6]
    heights = hashlib.sha256(body["prompt"].encode()).digest()[:6]
    for number, value in enumerate(heights):
        left = width * (number + 1) // 8
        top = height * (280 - value) // 320
        pen.rectangle((left, top, left + width // 10, height * 9 // 10), fill=shade)
    return png(image)


def png(image: Image.Image) -> bytes:
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


def reply(picture: bytes) -> dict[str, Any]:
    return {"created": 0, "data": [{"b64_json": base64.b64encode(picture).decode()}]}


class ImageServer(PolicyServer):
    """Draws `drawn`, or does what the fault in `fault` does; `bodies` holds the requests.

    `fault` may be changed while it serves: a name of `FAULTS`, or None.
    """

    def __init__(self, fault: str | None = None) -> None:
        super().__init__(lambda body: {"content": ""}, posts={ROUTE: self._generate})
        self.fault = fault
        self.bodies: list[dict[str, Any]] = []
        self.at_once = self.most_at_once = 0
        self._counting = threading.Lock()
        self._pairs = threading.Barrier(2)

    def _generate(self, body: dict[str, Any]) -> Mapping[str, Any] | HttpReply:
        with self._counting:
            self.bodies.append(body)
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            return self._answer(body)
        finally:
            with self._counting:
                self.at_once -= 1

    def _answer(self, body: dict[str, Any]) -> Mapping[str, Any] | HttpReply:
        match self.fault:
            case None:
                return reply(drawn(body))
            case "in pairs":
                self._pairs.wait(30)
                return reply(drawn(body))
            case "hang":
                time.sleep(2)
                return reply(drawn(body))
            case "429":
                return HttpReply(429, {"detail": "queue is full"}, {"Retry-After": "0"})
            case "500":
                return HttpReply(500, {"error": {"message": "CUDA out of memory", "code": 500}})
            case "recovers":
                return self._recovers(body)
            case "detail":
                return HttpReply(400, {"detail": "size is not supported"})
            case "detail list":
                entry = {"loc": ["body", "size"], "msg": "bad size", "input": body["prompt"]}
                return HttpReply(422, {"detail": [entry]})
            case "error":
                return HttpReply(400, {"error": {"message": "unknown model", "type": "invalid"}})
            case "key":
                return HttpReply(401, {"error": {"message": "no such key"}})
            case "refusal, detail":
                return HttpReply(400, {"detail": "Prompt was flagged by our safety filter"})
            case "refusal, error":
                error = {"code": "content_policy_violation", "message": "rejected"}
                return HttpReply(400, {"error": error})
            case "cut base64":
                whole = base64.b64encode(drawn(body)).decode()
                return {"data": [{"b64_json": whole[: len(whole) // 2 + 1]}]}
            case "cut picture":
                whole = drawn(body)
                return reply(whole[: len(whole) // 2])
            case "wrong size":
                return reply(drawn({**body, "size": "512x512"}))
            case "black":
                return reply(png(Image.new("RGB", tuple(map(int, body["size"].split("x"))))))
            case "no picture":
                return {"created": 0, "data": []}
            case "address":
                return {"created": 0, "data": [{"url": "http://127.0.0.1/x.png"}]}
            case "no JSON":
                return HttpReply(200, "<html>It works!</html>")
        raise AssertionError(self.fault)

    def _recovers(self, body: dict[str, Any]) -> Mapping[str, Any] | HttpReply:
        if len(self.bodies) == 1:
            return HttpReply(503, {"detail": "loading"}, {"Retry-After": "0"})
        return reply(drawn(body))
