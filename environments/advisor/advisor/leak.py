"""Whether advice states the gold answer: found by its words, not by what they mean."""

from __future__ import annotations

import re
from typing import Any

SHORT = 3
"""Characters from which an answer is looked for anywhere. A shorter one ("2", "B") stands in any
text: it counts where it is said to be the answer."""

_DRESSING = re.compile(r"\\text|\\left|\\right|\\[ ,;!]|[$*_`{}\s]+")


def gold_answers(task: Any, field: str) -> list[str] | None:
    """The texts that state the gold answer: `task.gold_answers` where the task has it, else `field`
    of its data. None where neither is a text."""
    own = getattr(task, "gold_answers", None)
    if own is not None:
        return [str(text) for text in own]
    value = getattr(task.data, field, None)
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    return [str(value)]


def states(advice: str, golds: list[str]) -> bool:
    """Whether one of the answers stands in the advice: whole words, in any case, layout aside."""
    text = _plain(advice)
    return any(_stands(_plain(gold), text) for gold in golds)


def _stands(gold: str, text: str) -> bool:
    if not gold:
        return False
    start = r"(?<![\w.,^/\-])" if gold[0].isalnum() else ""
    word = rf"{start}{re.escape(gold)}(?![\w^/]|[.,]\d)"
    if len(gold) < SHORT:
        word = (
            rf"(?:\b(?:answer|result|solution|option|choice|choose|pick|select|equals|is)\b"
            rf"[^\w.;\n]*(?:(?:is|be|should|must|to|option|choice|answer|the)\b[^\w.;\n]*)*|=\s?)"
            rf"{re.escape(gold)}(?![\w^/]|[.,]\d)|\({re.escape(gold)}\)"
        )
    return re.search(word, text) is not None


def _plain(text: str) -> str:
    said = text.replace(r"\boxed", " answer ")
    return " ".join(_DRESSING.sub(" ", said).casefold().split())
