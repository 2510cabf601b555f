"""Whether an answer is copied from its problem.

An answer that stands in the problem and is not the gold answer's own text has solved nothing, even
where its value is right: `2^{10}` for 1024. Spaces, delimiters and typesetting do not matter, nor
what an answer may leave out: a unit, a label, the brackets of a choice.
"""

import re
from collections.abc import Sequence

from inward_rewards.maths import characters, units, words
from inward_rewards.maths.brackets import enclosed, split_at_commas
from inward_rewards.maths.wrapping import TEXT_COMMAND, unwrapped

_TYPESETTING = [
    (re.compile(pattern), replacement)
    for pattern, replacement in (
        (rf"(?:{TEXT_COMMAND}|\\operatorname)\s*(?=\{{)", r"\\text"),
        (r"\\(?:left|right|big|Big|bigg|Bigg)[lrm]?(?![a-zA-Z])", ""),
        (r"\\(?:display|text|script)style(?![a-zA-Z])|\\(?:boxed|fbox)(?![a-zA-Z])", ""),
        (r"\\[!,;:> ]|\\q?quad(?![a-zA-Z])|~", " "),
        (r"\\[dtc]frac(?![a-zA-Z])", r"\\frac"),
        (r"\\frac\s*([0-9a-zA-Z])\s*([0-9a-zA-Z])", r"\\frac{\1}{\2}"),
        (r"\\(le|ge|ne)q?(?:slant)?(?![a-zA-Z])", r"\\\1 "),
        (r"(?<![\\a-zA-Z])(pi|theta|alpha|beta|gamma|phi|infty)(?![a-zA-Z])", r"\\\1 "),
        (r"(?<![\\a-zA-Z])sqrt\s*\(([^()]*)\)", r"\\sqrt{\1}"),
        (r"<=", r"\\le "),
        (r">=", r"\\ge "),
        (r"\\(?:cdot|times)(?![a-zA-Z])", "*"),
        (r"\\([lr])vert(?![a-zA-Z])", "|"),
        (r"\{,\}", ","),
        (r"(?<=\d),\s*(?=\d{3}(?!\d))", ""),
    )
]
# Dollar signs, braces and text commands have no part in it; escaped dollar signs and braces do.
_TOKEN = re.compile(r"\\[a-zA-Z]+|\\[^()\[\]]|\d+(?:\.\d+)?|\.\d+|[a-zA-Z]+|[^\s$\\{}`]")
_LABEL = re.compile(r"[a-zA-Z]\s*(?:=|\\in(?![a-zA-Z]))")
# What adds nothing to an expression.
_IDLE_FIRST = (("0", "+"), ("1", "*"), ("+",))
_IDLE_LAST = (("+", "0"), ("-", "0"), ("*", "1"), ("/", "1"), ("^", "1"))


def is_echo(problem: str, gold: str, answer: str) -> bool:
    answer = " ".join(answer.split())  # expressions below take long over runs of spaces
    sides = [answer]
    if "=" not in gold:  # of an equation, the last side is what counts
        sides += _equation(answer)[1:][-1:]
    if _own(gold, answer) or words.equal(gold, answer):
        return False
    text = _tokens(problem)
    return any(
        _stands_in(text, _essence(_tokens(unwrapped(characters.plain(side)))))
        and not _own(gold, side)
        for side in sides
    )


def _equation(text: str) -> list[str]:
    return re.split(r"(?<![<>!\\])=", text)


def _own(gold: str, answer: str) -> bool:
    return _bare(gold) == _bare(answer)


def _bare(text: str) -> list[str]:
    """The tokens of an answer without label, unit, percent sign and the brackets of a choice."""
    text = _typeset(unwrapped(characters.plain(text)))
    text = _LABEL.sub("", text, count=1) if _LABEL.match(text) else text
    text = re.sub(r"\\?%\s*$", "", units.split(text.strip()).value)
    return _essence(_tokens(text))


def _typeset(text: str) -> str:
    for pattern, replacement in _TYPESETTING:
        text = pattern.sub(replacement, text)
    return text


def _tokens(text: str) -> list[str]:
    text = _typeset(characters.plain(text)).lower()
    return [token for token in _TOKEN.findall(text) if token not in (r"\text", "\\\\")]


def _essence(tokens: list[str]) -> list[str]:
    """Without brackets around the whole and without what adds nothing, a few layers deep."""
    for _ in range(_LAYERS):
        tokens = _without_layer(tokens)
    return tokens


_LAYERS = 8


def _without_layer(tokens: list[str]) -> list[str]:
    whole = "".join(tokens)
    if whole.startswith("(") and enclosed(whole) and len(split_at_commas(whole[1:-1])) == 1:
        return tokens[1:-1]
    for idle in _IDLE_FIRST:
        if len(tokens) > len(idle) and tuple(tokens[: len(idle)]) == idle:
            return tokens[len(idle) :]
    for idle in _IDLE_LAST:
        if len(tokens) > len(idle) and tuple(tokens[-len(idle) :]) == idle:
            return tokens[: -len(idle)]
    return tokens


def _stands_in(problem: Sequence[str], answer: Sequence[str]) -> bool:
    size = len(answer)
    return size > 0 and any(
        problem[start : start + size] == answer for start in range(len(problem) - size + 1)
    )
