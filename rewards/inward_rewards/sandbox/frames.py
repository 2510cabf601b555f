"""The format of messages to and from a worker, and of cache entries: a JSON header, then blobs."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from typing import Any

Message = tuple[dict[str, Any], list[bytes]]

MAX_BYTES = 32 << 20


def pack(header: dict[str, Any], *blobs: bytes) -> bytes:
    parts = [json.dumps(header).encode(), *blobs]
    sizes = [len(part) for part in parts]
    return struct.pack(f">{len(sizes) + 1}I", len(sizes), *sizes) + b"".join(parts)


def unpack(take: Callable[[int], bytes]) -> Message:
    """Reads one message; `take(n)` returns the next n bytes. A broken one raises `ValueError`."""
    head = take(4)
    if len(head) < 4:
        raise ValueError("a message without its head")
    (count,) = struct.unpack(">I", head)
    if not 1 <= count <= 8:
        raise ValueError(f"a message of {count} parts")
    sizes = struct.unpack(f">{count}I", take(4 * count).ljust(4 * count, b"\xff"))
    if sum(sizes) > MAX_BYTES:
        raise ValueError(f"a message of {sum(sizes)} bytes")
    header, *blobs = [take(size) for size in sizes]
    if any(len(part) < size for part, size in zip((header, *blobs), sizes, strict=True)):
        raise ValueError("a message without its end")
    return json.loads(header), blobs
