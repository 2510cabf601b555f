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
    """Reads one message; `take(n)` returns exactly n bytes or raises EOFError."""
    (count,) = struct.unpack(">I", take(4))
    if count > 8:
        raise ValueError(f"a message of {count} parts")
    sizes = struct.unpack(f">{count}I", take(4 * count))
    if sum(sizes) > MAX_BYTES:
        raise ValueError(f"a message of {sum(sizes)} bytes")
    header, *blobs = [take(size) for size in sizes]
    return json.loads(header), blobs
