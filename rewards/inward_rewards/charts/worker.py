"""The program of the renderer's processes: no way to a file or a socket while it draws.

The order at the start is the point. Fonts are looked up while no file can be opened, so that only
the built-in one is found and every machine letters charts alike. Then one chart is drawn, which
loads all that is loaded late, and from there on the process may open no descriptor at all.
"""

from __future__ import annotations

import hashlib
import json
import resource
from dataclasses import asdict
from typing import Any

import vl_convert

from inward_rewards.charts.compare import compare, reference_of
from inward_rewards.charts.draw import draw
from inward_rewards.charts.errors import RenderError
from inward_rewards.charts.reading import Rendered, Scene
from inward_rewards.charts.specification import lint, parse
from inward_rewards.sandbox import Broken, Message

BLANK = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><text y="9">a</text></svg>'
KNOWN = {
    "title": "Known chart",
    "data": {"values": [{"a": "b", "c": 1}, {"a": "d", "c": 2}]},
    "mark": "bar",
    "encoding": {
        "x": {"field": "a", "type": "nominal"},
        "y": {"field": "c", "type": "quantitative"},
    },
}
_known = ""
"""What this process made of the known chart at its start."""


def prepare() -> None:
    """Nothing: the compiler's threads would not outlive a fork."""


def start() -> None:
    global _known
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, hard))
    vl_convert.svg_to_png(BLANK)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    warm = draw(lint(KNOWN))
    _known = _fingerprint(warm)
    compare(warm, reference_of(warm.png), warm.scene)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, 0))


def answer(header: dict[str, Any], blobs: list[bytes]) -> Message:
    """Draws `spec`; where a picture comes along, and maybe a scene, scores the drawing by them.

    `strict`: only what can be read well is in the scene. `refused` says why nothing was drawn. Any
    exception but `RenderError` is a fault of ours.
    """
    try:
        spec = lint(parse(header["spec"]))
    except RenderError as error:
        return {"refused": str(error)}, []
    reference = reference_of(blobs[0]) if blobs else None
    truth = Scene.from_json(json.loads(blobs[1])) if len(blobs) > 1 else None
    try:
        drawn = draw(spec, strict=header.get("strict", False))
    except RenderError as error:
        # Whoever failed must draw a chart that is known before it draws another that is not.
        if _fingerprint(draw(lint(KNOWN))) != _known:
            raise Broken from error
        return {"refused": str(error)}, []
    reply = {"width": drawn.width, "height": drawn.height, "scene": drawn.scene.to_json()}
    if reference is not None:
        reply["score"] = asdict(compare(drawn, reference, truth))
    return reply, [drawn.png]


def _fingerprint(drawn: Rendered) -> str:
    return hashlib.sha256(drawn.png + drawn.scene.packed).hexdigest()
