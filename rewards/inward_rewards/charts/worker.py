"""The renderer's process: one request at a time, with no way to a file or a socket.

The order at the start is the point. Fonts are looked up while no file can be opened, so that only
the built-in one is found and every machine letters charts alike. Then one chart is drawn, which
loads all that is loaded late, and from there on the process may open no descriptor at all.
"""

from __future__ import annotations

import hashlib
import json
import os
import resource
import signal
import sys
import traceback
from dataclasses import asdict
from typing import Any, BinaryIO

from .compare import compare, reference_of
from .draw import draw
from .errors import RenderError
from .frames import Message, pack, unpack
from .lint import lint, parse
from .scene import Scene

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


def main(cpu_seconds: float, memory_bytes: int) -> None:
    requests, replies = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_DATA, (memory_bytes, memory_bytes))
    import vl_convert

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, hard))
    vl_convert.svg_to_png(BLANK)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    known = _known()
    warm = draw(lint(KNOWN))
    compare(warm, reference_of(warm.png), warm.scene)
    null = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(null, standard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, 0))
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    _send(replies, {"ready": known})
    while True:
        try:
            header, blobs = unpack(lambda size: _take(requests, size))
        except EOFError:
            return
        signal.setitimer(signal.ITIMER_PROF, cpu_seconds)
        reply, reply_blobs = _answer(header, blobs)
        # Whoever failed must draw a chart that is known before it draws another that is not.
        if ("failed" in reply or "fault" in reply) and _known() != known:
            os._exit(70)
        signal.setitimer(signal.ITIMER_PROF, 0)
        _send(replies, reply, *reply_blobs)


def _known() -> str:
    """What this process makes of a chart that is known."""
    drawn = draw(lint(KNOWN))
    return hashlib.sha256(drawn.png + drawn.scene.packed).hexdigest()


def _answer(header: dict[str, Any], blobs: list[bytes]) -> Message:
    """Draws `spec`; where a picture comes along, and maybe a scene, scores the drawing by them."""
    try:
        spec = lint(parse(header["spec"]))
    except RenderError as error:
        return {"refused": str(error)}, []
    try:
        reference = reference_of(blobs[0]) if blobs else None
        truth = Scene.from_json(json.loads(blobs[1])) if len(blobs) > 1 else None
    except Exception:
        return {"fault": traceback.format_exc()}, []
    try:
        drawn = draw(spec)
        reply = {
            "width": drawn.width,
            "height": drawn.height,
            "scene": drawn.scene.to_json(),
        }
        if reference is not None:
            reply["score"] = asdict(compare(drawn, reference, truth))
    except RenderError as error:
        return {"failed": str(error)}, []
    except Exception as error:
        # No limit was met and no rule broken, yet this chart alone cannot be read: `main` makes
        # sure that others still can.
        return {"failed": f"the drawn chart cannot be read: {type(error).__name__}: {error}"}, []
    return reply, [drawn.png]


def _take(stream: BinaryIO, size: int) -> bytes:
    data = stream.read(size)
    if len(data) < size:
        raise EOFError
    return data


def _send(stream: BinaryIO, header: dict[str, Any], *blobs: bytes) -> None:
    stream.write(pack(header, *blobs))
    stream.flush()


if __name__ == "__main__":
    main(float(sys.argv[1]), int(sys.argv[2]))
