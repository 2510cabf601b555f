"""An answer's text in the notation that math-verify reads rightly.

Each rule mends one thing that math-verify misreads or cannot read; the rows marked `mended` in
`tests/rewards/maths/verdicts.tsv` are examples.
"""

import re
from collections.abc import Callable
from fractions import Fraction

_UNICODE = str.maketrans(
    {
        "−": "-",
        "–": "-",
        "×": r"\times ",
        "·": r"\cdot ",
        "⋅": r"\cdot ",
        "÷": "/",
        "±": r"\pm ",
        "π": r"\pi ",
        "θ": r"\theta ",
        "∞": r"\infty ",
        "≤": r"\le ",
        "≥": r"\ge ",
        "≠": r"\ne ",
        "≈": r"\approx ",
        "∪": r"\cup ",
        "∩": r"\cap ",
        "∈": r"\in ",
        "∅": r"\emptyset ",
        "°": r"^\circ ",
        "⟨": "(",
        "⟩": ")",
        "²": "^2",
        "³": "^3",
        "½": r"\frac{1}{2}",
        "¼": r"\frac{1}{4}",
        "¾": r"\frac{3}{4}",
        "\u00a0": " ",
        "\u202f": " ",
    }
)
_FUNCTIONS = "arcsin|arccos|arctan|sin|cos|tan|cot|sec|csc|log|ln"
_TRIG = "sin|cos|tan|cot|sec|csc"
_GREEK = "pi|theta|alpha|beta|gamma|phi|infty"
_GROUP = r"\{((?:[^{}]|\{[^{}]*\})*)\}"  # braces, with one level of braces inside
_NUMBER = r"\d+(?:\.\d+)?"
_LARGE = {"dozen": "12", "hundred": "10^{2}", "thousand": "10^{3}", "million": "10^{6}"}
_LARGE |= {"billion": "10^{9}", "trillion": "10^{12}"}


def _large(match: re.Match[str]) -> str:
    return rf" \cdot {_LARGE[match[1]]} "


def _large_in_text(match: re.Match[str]) -> str:
    return _large(match) + r"\text{"


def _repeating(match: re.Match[str]) -> str:
    """0.1\\overline{6} as a fraction."""
    whole, fixed, repeated = match["whole"] or "0", match["fixed"], match["repeated"]
    value = Fraction(int(f"{whole}{fixed}{repeated}") - int(f"{whole}{fixed}"))
    value /= 10 ** len(fixed) * (10 ** len(repeated) - 1)
    return rf"\frac{{{value.numerator}}}{{{value.denominator}}}"


def _items(match: re.Match[str]) -> str:
    """`A and C` in one text command as a list of two."""
    items = re.split(r",\s*(?:and\b)?|\band\b", match[1])
    return ", ".join(rf"\text{{{item.strip()}}}" for item in items)


_Replacement = str | Callable[[re.Match[str]], str]
_RULES: list[tuple[re.Pattern[str], _Replacement]] = [
    (re.compile(pattern), replacement)
    for pattern, replacement in (
        # Spacing, emphasis, and one name a command.
        (r"\\!\s*", ""),
        (r"(?<=\d)\\[,;]\s*(?=\d{3}(?!\d))", ""),
        (r"(?<!\\)\\[,;:> ]|~|\\q?quad(?![a-zA-Z])", " "),
        (r"\*\*\s*([^*]+?)\s*\*\*", r"\1"),
        (r"\\[dtc]frac(?![a-zA-Z])", r"\\frac"),
        (rf"\\(?:operatorname|mathrm|text)\s*\{{\s*({_FUNCTIONS})\s*\}}", r"\\\1 "),
        (r"\\(?:mathrm|mathbf|mathit|mbox|text(?:bf|it|rm|normal|sf))\s*(?=\{)", r"\\text"),
        (r"\\langle\s*(?=[^\\]*,.*\\rangle)", "("),
        (r"\\rangle(?![a-zA-Z])", ")"),
        (r"\\varnothing(?![a-zA-Z])", r"\\emptyset "),
        (r"\\degree(?![a-zA-Z])", r"^\\circ "),
        (r"√\s*(\d+|[a-zA-Z])", r"\\sqrt{\1}"),
        (r"√\s*\(([^()]*)\)", r"\\sqrt{\1}"),
        # Plain text.
        (r"\*\*", "^"),
        (rf"(?<![\\a-zA-Z])({_FUNCTIONS}|{_GREEK})(?![a-zA-Z])", r"\\\1 "),
        (r"(?<![\\a-zA-Z])sqrt\s*\(((?:[^()]|\([^()]*\))*)\)", r"\\sqrt{\1}"),
        (r"(?<![\\a-zA-Z])sqrt\s*(\d+)", r"\\sqrt{\1}"),
        (r"\^\s*\(((?:[^()]|\([^()]*\))*)\)", r"^{\1}"),
        (r"\^\s*(-\d+|\d\d+)", r"^{\1}"),
        # Braces that TeX lets one leave out, as people mean them: \frac43, \sqrt13.
        (r"\\frac\s*([0-9a-zA-Z])\s*([0-9a-zA-Z])", r"\\frac{\1}{\2}"),
        (r"\\frac\s*([0-9a-zA-Z])\s*(?=\{)", r"\\frac{\1}"),
        (rf"\\frac\s*{_GROUP}\s*([0-9a-zA-Z])", r"\\frac{\1}{\2}"),
        (r"\\sqrt\s*(\d+|[a-zA-Z](?![a-zA-Z]))", r"\\sqrt{\1}"),
        (r"\\log_(\d)", r"\\log_{\1}"),
        (r"_\{\s*\\text\s*\{\s*(\w+)\s*\}\s*\}", r"_{\1}"),
        # Numbers.
        (rf"^(-?(?:{_NUMBER}|\.\d+))[eE]([-+]?\d+)$", r"\1 \\cdot 10^{\2}"),
        (
            r"(?P<whole>\d*)\.(?P<fixed>\d*)\\(?:overline|bar)\s*\{(?P<repeated>\d+)\}",
            _repeating,
        ),
        (r"(?<![\d.,/^_{])(\d+)\s+(\d+)\s*/\s*(\d+)(?!\d|\s*/)", r"\1\\frac{\2}{\3}"),
        (rf"(?<=\d)\s*\\text\s*\{{\s*({'|'.join(_LARGE)})(?![a-z])", _large_in_text),
        (rf"(?<=\d)\s*({'|'.join(_LARGE)})(?![a-z])", _large),
        (r"\s*\\text\s*\{\s*percent\s*\}", r"\\%"),
        # Two numbers side by side: math-verify adds them, as in a mixed number.
        (r"(?<=\d)\s+(?=\d)", ", "),
        (r"(?<![\w^.{])(\d+)\s*\((?=\s*-?\d+\s*\))", r"\1 \\cdot ("),
        (r"\(\s*(-?\d+)\s*\)\s*(?=\(\s*-?\d|\d)", r"(\1) \\cdot "),
        (rf"(\\frac{_GROUP}{_GROUP})\s*(?=\d)", r"\1 \\cdot "),
        # Degrees count only inside trigonometric functions: 90^\circ and 90 are one answer.
        (
            rf"(\\(?:{_TRIG})(?:\^\{{?\d\}}?)?)\s*[({{]?\s*({_NUMBER})\s*"
            r"\^\s*(?:\\circ|\{\s*\\circ\s*\})\s*[)}]?",
            r"\1(\\frac{\2 \\pi}{180})",
        ),
        # Sets and relations.
        (r"^[a-zA-Z]\s*\\in(?![a-zA-Z])", ""),
        (r"^\s*(?:=|\\(?:approx|sim)(?![a-zA-Z]))", ""),
        (r"^\\text\s*\{([^{}]*(?:,|\band\b)[^{}]*)\}$", _items),
        (r"^(?=\s*(?:[<>]|\\(?:le|ge|lt|gt|ne|leq|geq|neq|leqslant|geqslant)(?![a-zA-Z])))", "x "),
    )
]


def rewritten(text: str) -> str:
    """The same answer in plain LaTeX."""
    text = _unwrapped(text.translate(_UNICODE))
    for pattern, replacement in _RULES:
        text = pattern.sub(replacement, text)
    return text.strip()


_DELIMITERS = [("$$", "$$"), ("$", "$"), (r"\(", r"\)"), (r"\[", r"\]")]
_BOXED = re.compile(rf"\\boxed\s*{_GROUP}")


def _unwrapped(text: str) -> str:
    text = re.sub(r"(?:\s|\\\\|(?<!\\)\.)+$", "", text).lstrip()
    for left, right in _DELIMITERS:
        inner = text[len(left) : -len(right)]
        if text.startswith(left) and text.endswith(right) and inner and left not in inner:
            return _unwrapped(inner)
    if match := _BOXED.fullmatch(text):
        return _unwrapped(match[1])
    return text
