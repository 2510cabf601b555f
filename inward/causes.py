"""Why rollouts failed: one line each, counted by cause."""

from __future__ import annotations

import html
import re
from collections import Counter
from collections.abc import Sequence

import verifiers.v1 as vf
from inward_chat import without_secrets

from inward.runs import Rollout
from inward.terminal import clipped, one_line

MAX_CHARACTERS = 1000
"""Of a line; `inward show` has the whole."""
UNFINISHED = "unfinished: it was stopped before it had a result"

HTML = re.compile(r"<!doctype html|<html\b", re.IGNORECASE)
TITLE = re.compile(r"<(title|h1)\b[^>]*>(.*?)</\1", re.IGNORECASE | re.DOTALL)
TRACEBACK = "Traceback (most recent call last):"
ADVICE = re.compile(r"\s*For further information visit https://errors\.pydantic\.dev/\S*")
STATUS = re.compile(r"(?<![\w.])[1-5]\d\d(?![\w.])")
VARYING = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}|\b(?=\w*\d)(?=\w*[A-Za-z])\w{6,}\b|\d+(?:\.\d+)?")
"""Identifiers and numbers: what differs between two failures of one cause."""


def counted(rollouts: Sequence[Rollout]) -> list[tuple[str, int]]:
    """Causes of failed rollouts, the most frequent first, each with its first example."""
    examples: dict[str, str] = {}
    counts: Counter[str] = Counter()
    for rollout in rollouts:
        line = cause(rollout)
        key = kind(line)
        examples.setdefault(key, line)
        counts[key] += 1
    return [(examples[key], count) for key, count in counts.most_common()]


def cause(rollout: Rollout) -> str:
    """The last error of a rollout, or of its episode, as one line."""
    found = [(rollout.trace, error) for error in rollout.errors]
    found = found or [(t, error) for t in rollout.episode.traces for error in t.errors]
    if not found:
        return UNFINISHED
    trace, error = found[-1]
    return line_of(error, _endpoint(trace) if error.type == "ProviderError" else None)


def _endpoint(trace: vf.WireTrace | None) -> str | None:
    """Where the model of a rollout was asked, without secrets."""
    client = trace.agent.config.client if trace is not None else None
    return None if client is None else without_secrets(client.base_url)


def line_of(error: vf.Error, endpoint: str | None = None) -> str:
    """The type, the model's endpoint where it is one's fault, and the useful part of the message,
    whole: no traceback, no page of HTML."""
    page = _page(error)
    text = page if page is not None else _useful(error.message)
    name = f"{error.type} of {endpoint}" if endpoint else error.type
    line = f"{name}: {one_line(text)}" if text.strip() else one_line(name)
    return clipped(line, MAX_CHARACTERS)


def _page(error: vf.Error) -> str | None:
    """What an HTML page that came instead of an answer says of itself; None for other text."""
    found = HTML.search(error.message)
    if found is None:
        return None
    titles = [html.unescape(re.sub(r"<[^>]*>", " ", m[2])) for m in TITLE.finditer(error.message)]
    title = next((" ".join(t.split()) for t in titles if t.strip()), None)
    titled = f" titled {title!r}" if title else ""
    status = f" with status {error.status_code}" if error.status_code else ""
    before = error.message[: found.start()].partition("\n")[0].strip()
    context = f" ({before})" if before else ""
    return f"an HTML page{titled}{status} instead of a model's answer{context}"


def _useful(message: str) -> str:
    """Without the advice of pydantic; of a traceback, what stood before it and its error."""
    message = ADVICE.sub("", message)
    before, found, trace = message.partition(TRACEBACK)
    if not found:
        return message
    errors = trace.rpartition(TRACEBACK)[2].splitlines()
    last = max((n for n, line in enumerate(errors) if line.startswith("  ")), default=-1)
    return f"{before} {' '.join(errors[last + 1 :])}"


def kind(line: str) -> str:
    """The line without what differs between two of one cause."""
    return VARYING.sub(lambda m: m[0] if STATUS.fullmatch(m[0]) else "#", line)
