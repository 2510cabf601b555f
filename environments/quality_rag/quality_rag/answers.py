"""How the letter is read out of a final reply.

Models put their answer in many forms, and a form that is not read is a right answer scored 0. So
everything is read that can mean one letter only, and nothing that could mean two.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

LETTERS = "ABCD"
LONGEST = 20_000
"""Characters at the end of a reply in which an answer is looked for."""


def parse_answer(reply: str, options: Sequence[str]) -> str | None:
    """The letter that a final reply answers with, or None where it gives no answer.

    An answer is stated (`Answer: B`, `The answer is B.`, `\\boxed{B}`, `<answer>B</answer>`, or a
    heading and the letter below it); the last statement counts. Without one, the whole reply may be
    the answer: `B`, or `B) The text of option B`, where letter and text confirm each other. Prose
    may follow the letter unless it names another one. An option's text without its letter, two
    letters, a letter with another option's text, and all that is thought (`<think>`, closed or not)
    are no answer.
    """
    text = _clean(reply)
    lines = [line.strip() for line in text[-LONGEST:].splitlines() if re.search(r"\w", line)]
    statements = list(_statements(lines, options))
    if not statements:
        return _whole_reply(lines, options) if len(text) <= LONGEST else None
    last = statements[-1]
    letter = _read(last.text, options)
    if letter is None or _contradicted(letter, statements, lines, options):
        return None
    return letter


# Cleaning: what stands around the words of an answer and means nothing.

_NAMES = r"(?:think(?:ing)?|thoughts?|reasoning)"
_THOUGHT = re.compile(
    rf"^.*(?:<\s*/\s*{_NAMES}\s*>|\[/THINK\]|◁/think▷|<\|channel\|>\s*final\s*<\|message\|>)",
    re.DOTALL | re.IGNORECASE,
)
_THINKING = re.compile(
    rf"<\s*{_NAMES}\s*>|\[THINK\]|◁think▷|<\|channel\|>\s*(?:analysis|commentary)", re.IGNORECASE
)
_WIDE = {
    **{code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)},
    **dict.fromkeys((0xA0, 0x202F, 0x3000), " "),
    **dict.fromkeys((0xAD, *range(0x200B, 0x2010), 0x2060, 0xFEFF), None),
}
"""Full-width signs and odd spaces to plain ones; what has no width is dropped."""
_FACES = r"\\(?:text|math)(?:bf|it|rm|sf|tt|normal)?\s*\{([^{}]*)\}"
_MARKS = (
    (re.compile(r"<(?:final[ _])?answer>", re.IGNORECASE), "\nAnswer: "),
    (re.compile(r"</(?:final[ _])?answer>|<br */?>|<\|[^|<>\n]{1,40}\|>", re.IGNORECASE), "\n"),
    (re.compile(r"<([A-D])>(?=\W*$)", re.MULTILINE), r"\1"),
    (re.compile(r"</?[a-z][^<>\n]{0,60}>|\[(?:/?INST|EOS|end of text)\]", re.IGNORECASE), " "),
    (re.compile(_FACES), r"\1"),
    (re.compile(_FACES), r"\1"),
    (re.compile(r"\\f?boxed\s*\{([^{}\n]*)\}"), r" Answer: \1 "),
    (re.compile(r"\$|\\[()\[\]]|[*`~\"“”„«»]"), ""),
    (re.compile(r"_"), " "),
)


def _clean(reply: str) -> str:
    text = _THINKING.split(_THOUGHT.sub("", reply.translate(_WIDE)), maxsplit=1)[0]
    for pattern, instead in _MARKS:
        text = pattern.sub(instead, text)
    return unicodedata.normalize("NFC", text)


# Statements: where a reply says that now the answer comes.

_NOUN = (
    r"(?<!\w)(?:answers?|ans|(?:choice|option)(?=\s*:)|(?:correct|right|best|final|my|chosen"
    r"|selected|likely|appropriate|accurate)\s+(?:choice|option|letter))(?!\w)"
)
_SIGN = r"(?:\s*(?::|=+>?|[-–—]>|→|\|)|\s+[-–—](?=\s))"
_VERB = (
    r"\s+(?:is|was|(?:would|should|must|will|has\s+to|seems\s+to"
    r"|appears\s+to)\s+be)\b(?:,?\s+(?:most\s+likely|likely|probably|clearly|therefore|thus"
    r"|definitely|indeed|simply|obviously|actually)\b,?)?"
)
_STATEMENT = re.compile(
    rf"{_NOUN}(?:\s+(?:choice|option|letter|key)\b)?(?:\s+to\s[^:]{{1,200}}?)?"
    rf"(?:(?:{_VERB})?(?P<sign>{_SIGN})|{_VERB})",
    re.IGNORECASE,
)
_HEADING = re.compile(
    r"\W*(?:\d+\W+)?(?:the\s+)?(?:(?:final|correct|best|my)\s+)?answer\W*", re.IGNORECASE
)
_DOUBT = re.compile(
    r"\b(?:not|never|no|cannot|if|whether|unless|doubt|unlikely|wrong|incorrect|neither|except"
    r"|(?:an)?other|suppose|assum\w+)\b|n['’]t\b",
    re.IGNORECASE,
)
_SO = re.compile(r"^\W*(?:so|thus|therefore|hence|finally|overall)\b\W*", re.IGNORECASE)
_LEAD = re.compile(
    rf"(?:{_SO.pattern})?\W*(?:(?:and|the|my|final|correct|right|best)\b\W*)*", re.IGNORECASE
)
_DENIED = re.compile(r"\b(?:wrong|incorrect|false|not(?:\s+(?:an?|the|my))?)\s*$", re.IGNORECASE)


@dataclass(frozen=True)
class _Statement:
    text: str
    """What is stated: to the next statement or the end of the line; the next line where nothing
    else stands on its own."""
    lead: str
    """What stands before it on its line, to the statement before."""
    start: int
    end: int
    """Numbers of its line and of the first line after it."""


def _statements(lines: Sequence[str], options: Sequence[str]) -> Iterator[_Statement]:
    for number, line in enumerate(lines):
        below = lines[number + 1] if number + 1 < len(lines) else ""
        if _HEADING.fullmatch(line):
            # `Answer:` promises an answer, the heading `Answer` need not.
            if _read(below, options) is not None or re.search(r"[:=]", line):
                yield _Statement(_alone(below), "", number, number + 2)
            continue
        found = [match for match in _STATEMENT.finditer(line) if _states(match, line, options)]
        starts, ends = [0, *(m.end() for m in found)], [*(m.start() for m in found), len(line)]
        for at, match in enumerate(found):
            lead, text = line[starts[at] : ends[at]], line[match.end() : ends[at + 1]]
            if re.search(r"\w", text) or match is not found[-1]:
                yield _Statement(text, "" if at else lead, number, number + 1)
            else:
                yield _Statement(_alone(below), "" if at else lead, number, number + 2)


def _alone(line: str) -> str:
    """A line as the answer that the line above it promised; empty where it states one itself."""
    return "" if _STATEMENT.search(line) else line


def _states(match: re.Match[str], line: str, options: Sequence[str]) -> bool:
    """Whether a match is a statement, or prose that happens to use the same words."""
    lead = re.split(r"[.!?;:,]", line[max(0, match.start() - 200) : match.start()])[-1]
    choice = _CHOICE.match(line, match.end())
    if match["sign"] is not None:
        promised = choice is not None or _LEAD.fullmatch(lead)
        return bool(promised) and _DENIED.search(lead) is None
    if choice is None or _DOUBT.search(lead):
        return False
    article = choice["letter"] in "aA" and not _names_other(choice["tail"], "A")
    return not article or _read(line[match.end() :], options) is not None


# Reading: a letter, and whether what follows lets it stand.

_CHOICE = re.compile(
    r"[^\w!¬≠]*(?:(?:the\s+)?(?:(?:correct|right|best)\s+)?(?P<noun>option|choice|letter|answer)"
    r"(?:\s+is)?\b[^\w!¬≠]*)?"
    r"(?P<letter>[A-D])(?![\w\u0300-\u036f]|['’]\w)(?P<tail>.*)",
    re.IGNORECASE | re.DOTALL,
)
_GIVES_REASON = re.compile(
    r"(?:because|since|as|for|due|given|based|according|per|is|which)\b", re.IGNORECASE
)
_HEDGES = re.compile(r"\W*(?:and|or|nor|either)\b", re.IGNORECASE)
_DENIES = re.compile(
    r"\W*(?:(?:is|was)\s+(?:not|wrong|incorrect|false)\b|isn['’]t\b)", re.IGNORECASE
)
_NAMED = re.compile(r"(?:(?<![\w'’])[a-d]|(?<!\w)[A-F])(?![\w\u0300-\u036f]|-[a-z]|['’](?!s\b)\w)")
_NOUN_AFTER_ARTICLE = re.compile(
    r"\s+(?!(?:is|was|and|or|but|nor|also|too|could|can|cannot|would|should|may|might|must|will|"
    r"did|does|do|had|be|if|in|on|to|with|at|by|because|though|while|than|then|not|only|"
    r"alone|instead|both|correct|right|wrong|true|false|incorrect|would|fit|for|over)\b)"
    r"[a-z]+(?<!s)(?<!ed)(?<!ly)\b"
)


def _read(text: str, options: Sequence[str]) -> str | None:
    """The letter that `text` begins with, if all the rest of it agrees."""
    choice = _CHOICE.match(text)
    if choice is None:
        return None
    letter, tail = choice["letter"].upper(), choice["tail"]
    own = _length(options[LETTERS.index(letter)], tail)
    rest = tail[own:]
    if _names_other(rest, letter) or _tells_other(text, tail, own, letter, options):
        return None
    if _DENIES.match(rest):
        return None
    words = re.sub(r"^\W+", "", tail)
    if own or not words:
        return letter
    if re.match(r"[-'’]\w", tail) or _HEDGES.match(tail):
        return None
    # Without a sign or a reason after it, "A" may be an article, and a small letter anything.
    apart = re.match(r"\s*[^\w\s]", tail) or _GIVES_REASON.match(words) or choice["noun"]
    return letter if apart or choice["letter"] in "BCD" else None


def _names_other(text: str, letter: str) -> bool:
    """Whether a letter of another option stands in `text`. An article "a" is none."""
    for match in _NAMED.finditer(text):
        if match[0].upper() == letter:
            continue
        before = text[max(0, match.start() - 9) : match.start()].rstrip(" ('‘[")
        begins = match[0] == "a" or not before or before[-1] in ".!?:;–—)"
        if match[0] not in "aA" or not begins:
            return True
        if _NOUN_AFTER_ARTICLE.match(text, match.end()) is None:
            return True
    return False


def _tells_other(text: str, tail: str, own: int, letter: str, options: Sequence[str]) -> bool:
    """Whether an option's text stands there without its letter, or with another one's."""
    begin = re.sub(r"^\W+", "", text).casefold()
    for option in options:
        # "D. H. Lawrence" begins with a letter that is none; in "A) dog" it is one.
        same = len(option) > 1 and begin.startswith(option.casefold()[:3])
        if same and _length(option, text, article=True):
            return True
    others = [option for mark, option in zip(LETTERS, options, strict=True) if mark != letter]
    rest = tail[own:]
    return any(
        _length(other, tail) > own or (len(other.split()) >= 3 and _pattern(other).search(rest))
        for other in others
    )


_ARTICLE = re.compile(r"^\W*(?:an?|the)\s+(?=\w)", re.IGNORECASE)


@lru_cache(maxsize=1024)
def _pattern(option: str, *, article: bool = False) -> re.Pattern[str]:
    """An option's text whatever its case, spaces, signs and first article; `article`: with it."""
    text = unicodedata.normalize("NFC", option.translate(_WIDE))
    words = re.sub(r"[\W_]+", "", text if article else _ARTICLE.sub("", text))
    signs = r"[\W_]*".join(map(re.escape, words)) or "(?!)"
    first = "" if article else r"(?:(?:an?|the)\s+)?"
    return re.compile(rf"(?<!\w){first}{signs}(?!\w)", re.IGNORECASE)


def _length(option: str, text: str, *, article: bool = False) -> int:
    """Characters up to the end of the option's text, where `text` begins with it, else 0."""
    start = len(text) - len(re.sub(r"^\W+", "", text))
    match = _pattern(option, article=article).match(text, start)
    return match.end() if match else 0


# The whole of a reply.

_ADJACENT = re.compile(r"\W*(?:(?:and|or|maybe|perhaps|possibly|also|the|my|final|correct)\b\W*)*")
_IS_CORRECT = re.compile(
    r"\W*is\s+(?:the\s+)?(?:correct|right|best)(?:\s+(?:answer|option|choice|one))?\W*",
    re.IGNORECASE,
)


def _contradicted(
    letter: str, statements: Sequence[_Statement], lines: Sequence[str], options: Sequence[str]
) -> bool:
    """Whether the answer is one of several: `Answer: A or Answer: B`, or a list of letters."""
    last = statements[-1]
    if len(statements) > 1:
        before = statements[-2]
        choice = _CHOICE.match(before.text)
        if choice and choice["letter"].upper() != letter:
            between = [choice["tail"], *lines[before.end : last.start], last.lead]
            joined = " ".join(between).casefold()
            sign = before.start == last.start and re.search(r"[/&|+]", joined)
            if (sign or re.search(r"\b(?:and|or)\b", joined)) and _ADJACENT.fullmatch(joined):
                return True
    return any(
        other not in (None, letter)
        for line in lines[last.end :]
        if (other := _line(re.sub(r"^\W*(?:or|and)\b", "", line), options, exact=True))
    )


def _whole_reply(lines: Sequence[str], options: Sequence[str]) -> str | None:
    """The letter of a reply that states nothing: all of it, or its last or first line."""
    if not lines:
        return None
    if letter := _line(" ".join(lines), options):
        return letter
    for line, others in ((lines[-1], lines[:-1]), (lines[0], lines[1:])):
        letter = _line(line, options)
        bare = letter is not None and len(re.findall(r"\w", line)) == 1
        if letter is None or (bare and letter not in line):
            continue
        doubted = others and line is lines[-1] and _DOUBT.search(others[-1])
        if not doubted and not any(_names_other(other, letter) for other in others):
            return letter
    return None


def _line(line: str, options: Sequence[str], *, exact: bool = False) -> str | None:
    """The letter of a line that is one, or one and its option's text; `exact`: no word more."""
    line = _SO.sub("", line)
    choice = _CHOICE.match(line)
    if choice is None or (choice["noun"] or "").lower() in ("letter", "answer"):
        return None
    letter, tail = choice["letter"].upper(), choice["tail"]
    if not re.search(r"\w", tail) or _IS_CORRECT.fullmatch(tail):
        return letter
    own = _length(options[LETTERS.index(letter)], tail)
    apart = re.match(r"\s*[^\w\s]", tail) or choice["letter"] in "BCD"
    if not own or not apart or (exact and re.search(r"\w", tail[own:])):
        return None
    return _read(line, options)
