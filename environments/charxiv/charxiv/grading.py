"""Whether a reply gives the gold answer, as far as that can be said without a judge.

A question is graded by its rubric: reasoning questions by their category (`inst_category` 1-4 of
arXiv 2406.18521, Table 2), descriptive ones by their template (1-19). Numbers are equal in value or
not: that verdict is final. Of texts only equality is certain: what differs may still mean the same,
and is left to a judge.
"""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal, InvalidOperation
from typing import Literal

Rubric = Literal["text", "number", "choice", "list", "layout", "trend"]
Verdict = Literal["right", "wrong", "unsure"]

NOT_APPLICABLE = "not applicable"
REASONING: dict[int, Rubric] = {1: "text", 2: "text", 3: "number", 4: "number"}
NUMERIC_TEMPLATES = (8, 9, 10, 12, 14, 15, 17, 19)

MAX_REPLY = 20_000
"""Characters of a reply that are read, its last ones: the answer stands at the end."""

_SAID = re.compile(
    r"\b(?:answer|response)(?:\s+to\s+th(?:e|is)\s+question)?\**\s*"
    r"(?:\bis\b|\bshould be\b|\bwould be\b|[:=])[\s:=]*",
    re.IGNORECASE,
)
_BOXED = re.compile(r"\\boxed\{((?:[^{}]|\{[^{}]*\})*)\}")
_POWER = re.compile(
    r"(?:(\d+(?:\.\d+)?)\s*(?:\\times|[x×*·])\s*)?10\s*\^\s*\{?\s*([-+]?\d+)\s*\}?",
    re.ASCII,
)
_NUMBER = re.compile(r"[-+]?(?:\d{1,3}(?:,\d{3})+|\d+)?(?:\.\d+)?(?:[eE][-+]?\d+)?", re.ASCII)
_ANY_NUMBER = re.compile(
    r"(?<![\w.])[-+]?(?:(?:\d+(?:\.\d+)?\s*(?:\\times|[x×*·])\s*)?10\s*\^\s*\{?\s*[-+]?\d+\s*\}?"
    r"|(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?:[eE][-+]?\d+)?|\.\d+)(?!\w|\.\d)",
    re.ASCII,
)
_WRAPPING = re.compile(
    r"\\(?:text|mathrm|mathbf|mathit|textbf|mathcal|left|right)\b|\*\*|[$`\"“”{}]"
)
_QUALIFIED = re.compile(
    r"\b(?:hundred|thousand|million|billion|trillion|not|less|more|under|over|than|about)\b"
)
_UNICODE_POWER = re.compile(r"(?<=10)[⁻⁺]?[⁰¹²³⁴-⁹]+")
_POWERS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺", "0123456789-+")
_GREEK = re.compile(
    r"\\(alpha|beta|gamma|delta|epsilon|zeta|eta|theta|iota|kappa|lambda|mu|nu|xi|pi|rho|sigma|tau|"
    r"phi|chi|psi|omega)(?![a-z])",
    re.IGNORECASE,
)


def rubric(kind: str, number: int) -> Rubric:
    """Of a reasoning category or a descriptive template."""
    if kind == "reasoning":
        return REASONING[number]
    if number in NUMERIC_TEMPLATES:
        return "number"
    return {11: "choice", 13: "list", 16: "trend", 18: "layout"}.get(number, "text")  # type: ignore[return-value]


def grade(rule: Rubric, reply: str, gold: str) -> Verdict:
    """`wrong` where no judge could say otherwise: no answer, another number, another choice."""
    answer = final_answer(reply)
    if not answer:
        return "wrong"
    said, wanted = plain(answer), plain(gold)
    if rule == "number" and NOT_APPLICABLE not in (said, wanted):
        return _numbers(answer, gold)
    if said == wanted:
        return "right"
    if wanted == NOT_APPLICABLE:
        return "unsure"
    if said == NOT_APPLICABLE and rule != "text":
        return "wrong"
    if rule == "layout":
        return "right" if _sizes(answer) == _sizes(gold) is not None else "wrong"
    if rule == "choice":
        first = re.match(r"(yes|no)\b", said)
        if first is None:
            return "unsure"
        return "right" if first[1] == wanted else "wrong"
    if rule == "list" and _terms(answer) == _terms(gold):
        return "right"
    if rule == "text" and (value := number(gold)) is not None and number(answer) == value:
        return "right"
    return "unsure"


def final_answer(reply: str) -> str:
    """What a reply gives as its answer: what it boxes, else what follows its last "answer is" or
    "Answer:", else its last line."""
    reply = reply[-MAX_REPLY:].strip()
    if boxed := _BOXED.findall(reply):
        return str(boxed[-1]).strip()
    lines = [line.strip() for line in reply.splitlines() if line.strip()]
    for line in reversed(lines):
        said = list(_SAID.finditer(line))
        if said and (answer := _bare(line[said[-1].end() :])):
            return answer
    return _bare(lines[-1]) if lines else ""


def _bare(text: str) -> str:
    """Without Markdown's bold around it and the full stop after it."""
    text = text.strip().removeprefix("**").removesuffix("**").strip()
    return re.sub(r"^\*([^*]+)\*$", r"\1", text).removesuffix(".").strip()


def number(text: str) -> Decimal | None:
    """The value of a text that is one number: 1,500 · 1.5e3 · 10^-2 · 3 x 10^4 · 85.5%."""
    text = _WRAPPING.sub("", _ascii(text)).strip().removesuffix("%").removesuffix("\\").strip()
    sign, bare = (-1, text[1:].strip()) if text.startswith("-") else (1, text)
    try:
        if power := _POWER.fullmatch(bare):
            if abs(int(power[2])) > 300:
                return None
            return sign * Decimal(power[1] or 1) * Decimal(10) ** int(power[2])
        if text and _NUMBER.fullmatch(text) and any(c.isdigit() for c in text):
            value = Decimal(text.replace(",", ""))
            return value if value.is_finite() and abs(value.adjusted()) <= 300 else None
    except (InvalidOperation, ValueError):
        pass
    return None


def plain(text: str) -> str:
    """For comparison: letters in one case, spaces, quotes, dollars and Greek names made one."""
    text = _GREEK.sub(lambda found: unicodedata.lookup(_greek(found[1])), _ascii(text))
    text = unicodedata.normalize("NFKC", _WRAPPING.sub("", text)).casefold()
    text = re.sub(r"[‐-―−]", "-", text)
    text = re.sub(r"\s*([_^,/=+])\s*", r"\1", " ".join(text.split()))
    return text.rstrip(" .").lstrip().removeprefix("the ")


def _greek(name: str) -> str:
    case = "CAPITAL" if name[0].isupper() else "SMALL"
    return f"GREEK {case} LETTER {'LAMDA' if name.lower() == 'lambda' else name.upper()}"


def _numbers(answer: str, gold: str) -> Verdict:
    """A gold answer of one number, or of several ("30, 40"). Of a sentence around them the numbers
    count, where there are just as many. What words may change ("five", "5 million", "not 5") is
    left open, and so is a gold answer that is no number ("180k")."""
    one = number(gold)
    wanted = [one] if one is not None else [number(part) for part in gold.split(",")]
    if None in wanted:
        return "right" if plain(answer) == plain(gold) else "unsure"
    value = number(answer)
    if value is not None:
        return "right" if [value] == wanted else "wrong"
    found = [number(text) for text in _ANY_NUMBER.findall(_ascii(answer))]
    if not found or _QUALIFIED.search(answer.casefold()):
        return "unsure"
    return "right" if found == wanted else "wrong"


def _ascii(text: str) -> str:
    """10⁻² as 10^-2, and every minus as one."""
    text = _UNICODE_POWER.sub(lambda found: "^" + found[0].translate(_POWERS), text)
    return text.replace("−", "-").replace("–", "-")


def _sizes(text: str) -> tuple[int, int] | None:
    found = re.search(r"(\d{1,3})\s*(?:by|x|×)\s*(\d{1,3})", plain(text))
    return (int(found[1]), int(found[2])) if found else None


def _terms(text: str) -> list[str]:
    return [plain(term) for term in text.split(",")]
