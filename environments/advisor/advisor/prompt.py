"""What the advisor is asked, and how its advice reaches the solver."""

from __future__ import annotations

from typing import Any

import verifiers.v1 as vf

ASK = """\
Another model is given the task below, and your advice after it. Write advice that helps it to \
solve the task: reply with the advice alone. It is shown the first {limit} characters of your \
reply. Your score is its score with your advice minus its score without advice.{refused}

The task:
"""
REFUSED = " Advice that states the answer is not passed on, and scores 0."
ADVICE = "\n\nAdvice on this task:\n{advice}"


def advice_prompt(data: vf.TaskData, limit: int, *, told: bool) -> vf.TaskData:
    """The advisor's task: all that the solver will see, in one message. `told`: that an answer is
    refused."""
    parts: list[vf.ContentPart] = [_text(ASK.format(limit=limit, refused=REFUSED if told else ""))]
    if data.system_prompt:
        parts.append(_text(f"{data.system_prompt}\n"))
    if isinstance(data.prompt, str):
        parts.append(_text(data.prompt))
    else:
        for message in data.prompt or ():
            parts += _parts(message.content or "")
    return vf.TaskData(
        idx=data.idx, id=data.id, name=data.name, prompt=[vf.UserMessage(content=_joined(parts))]
    )


def advised(task: Any, advice: str) -> Any:
    """A copy of any taskset's task with the advice at the end of its prompt."""
    prompt, added = task.data.prompt, ADVICE.format(advice=advice)
    if prompt is None:
        raise ValueError(
            f"{type(task).__name__} has no prompt that advice could follow: its user opens the "
            "conversation"
        )
    clone = task.with_data(
        prompt=prompt + added if isinstance(prompt, str) else _with(prompt, added)
    )
    # Judged as without advice: a verifier may read the problem, which the advisor must not write.
    clone.score = task.score
    return clone


def _with(messages: vf.Messages, added: str) -> vf.Messages:
    """At the end of the last message, which stays the one that is answered."""
    *before, last = messages
    if not isinstance(last, vf.UserMessage):
        return [*messages, vf.UserMessage(content=added.strip())]
    content = _joined([*_parts(last.content), _text(added)])
    return [*before, vf.UserMessage(content=content)]


def _parts(content: vf.MessageContent) -> list[vf.ContentPart]:
    return [_text(content)] if isinstance(content, str) else list(content)


def _joined(parts: list[vf.ContentPart]) -> vf.MessageContent:
    """As plain text where there is nothing else: not every endpoint takes lists."""
    texts = [part.text for part in parts if isinstance(part, vf.TextContentPart)]
    return "".join(texts) if len(texts) == len(parts) else parts


def _text(text: str) -> vf.TextContentPart:
    return vf.TextContentPart(text=text)
