"""An answer's text in the notation that math-verify reads rightly.

Each rule mends one thing that math-verify misreads or cannot read; the rows marked `mended` in
`tests/rewards/maths/verdicts.tsv` are examples.
"""

import re
from collections.abc import Callable
from fractions import Fraction

from inward_rewards.maths import angles, characters
from inward_rewards.maths.brackets import depth_at, split_at_commas
from inward_rewards.maths.wrapping import TEXT_COMMAND, unwrapped

_FUNCTIONS = "arcsin|arccos|arctan|sin|cos|tan|cot|sec|csc|log|ln"
_GREEK = "pi|theta|alpha|beta|gamma|phi|infty"
_PAREN = r"\(((?:[^()]|\([^()]*\))*)\)"  # round brackets, with one level inside
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
    whole, fixed = match["whole"] or "0", match["fixed"]
    repeated = re.sub(r"\D", "", match["repeated"])
    value = Fraction(int(f"{whole}{fixed}{repeated}") - int(f"{whole}{fixed}"))
    value /= 10 ** len(fixed) * (10 ** len(repeated) - 1)
    return rf"\frac{{{value.numerator}}}{{{value.denominator}}}"


def _items(match: re.Match[str]) -> str:
    """`A and C` in one text command as a list of two."""
    items = re.split(r",\s*(?:and\b)?|\band\b", match[1])
    return ", ".join(rf"\text{{{item.strip()}}}" for item in items)


_FUNCTION_NAME = re.compile(r"\\[a-zA-Z]+\s*$")


def _side_by_side(match: re.Match[str]) -> str:
    """Numbers that only spaces part: factors where one is a power, else a list."""
    if _FUNCTION_NAME.search(match.string[: match.start()]):  # \\sin^2 30, \\log_2 8
        return match[0]
    power = match["raised"] or match["next"]
    return match["one"] + (r" \cdot " if power else ", ")


def _ungrouped(match: re.Match[str]) -> str:
    """1 234 567, 1_234_567 and 1.234.567 without the marks."""
    return re.sub(r"[\s_]", "", match[1]).replace(".", "") + (match[2] or "")


_BASES = "two three four five six seven eight nine ten eleven twelve".split()
_PREFIXES = {"0b": 2, "0o": 8, "0x": 16}


def _base(match: re.Match[str]) -> str:
    return f"_{{{_BASES.index(match[1].lower()) + 2}}}"


def _prefixed(match: re.Match[str]) -> str:
    return f"{match[2]}_{{{_PREFIXES[match[1].lower()]}}}"


def _matrix(match: re.Match[str]) -> str:
    rows = re.findall(r"\[([^\[\]]*)\]", match[1])
    lines = r" \\ ".join(row.replace(",", " & ") for row in rows)
    return rf"\begin{{pmatrix}} {lines} \end{{pmatrix}}"


def _outward(match: re.Match[str]) -> str:
    """`]2, 3[` as `(2, 3)`."""
    left, right = "(" if match[1] == "]" else "[", ")" if match[3] == "[" else "]"
    return left + match[2] + right


_LE = r"(?:[<>]|\\(?:le|ge|lt|gt|ne|leq|geq|neq|leqslant|geqslant)(?![a-zA-Z]))"
_REALS = r"[a-zA-Z]\s*\\in\s*\\mathbb\s*(?:\{\s*R\s*\}|R)"
_ALL = r"(?:\\mathbb\s*(?:\{\s*R\s*\}|R)|\(\s*-\s*\\infty\s*,\s*\+?\s*\\infty\s*\))"

_Replacement = str | Callable[[re.Match[str]], str]
_RULES: list[tuple[re.Pattern[str], _Replacement]] = [
    (re.compile(pattern), replacement)
    for pattern, replacement in (
        # Spacing, emphasis, and one name a command.
        (r"\\!\s*", ""),
        (r"(?<=\d)\\[,;]\s*(?=\d{3}(?!\d))", ""),
        (r"(?<!\\)\\[,;:> ]|~|\\q?quad(?![a-zA-Z])|\n", " "),
        (r"\*\*\s*([^*]+?)\s*\*\*", r"\1"),
        (r"\\(?:big|Big|bigg|Bigg)[lrm]?(?![a-zA-Z])\s*", ""),
        (r"\\(?:display|text|script)style(?![a-zA-Z])\s*|\\ensuremath\s*(?=\{)", ""),
        (r"\\([lr])brace(?![a-zA-Z])", lambda match: r"\{" if match[1] == "l" else r"\}"),
        (r"\\[lr]paren(?![a-zA-Z])", lambda match: "(" if match[0] == r"\lparen" else ")"),
        (r"\\[lr]brack(?![a-zA-Z])", lambda match: "[" if match[0] == r"\lbrack" else "]"),
        (r"\\(?:math)?strut(?![a-zA-Z])|\\noalign\s*\{[^{}]*\}|\\middle(?![a-zA-Z])", ""),
        (r"\\cr(?![a-zA-Z])", r"\\\\"),
        (r"\\mathbin\s*\{\s*(\\c[ua]p)\s*\}", r"\1 "),
        (r"\\big(c[ua]p)(?![a-zA-Z])", r"\\\1 "),
        (r"(?<=[)\]}])\s*(?:\\text\s*\{\s*)?\bunion\b\s*\}?\s*(?=[(\[\\])", r" \\cup "),
        (r"(?<=[\w}\])])\{\s*\}", ""),
        (r"(\\(?:begin|end)\s*)\{(?:B|small)matrix\}", r"\1{pmatrix}"),
        (r"\\(?:lor|vee)(?![a-zA-Z])", r"\\text{ or }"),
        (r"\\(?:land|wedge)(?![a-zA-Z])", r"\\text{ and }"),
        (r"\\[dtc]frac(?![a-zA-Z])", r"\\frac"),
        (rf"\\(?:operatorname|mathrm|text)\s*\{{\s*({_FUNCTIONS})\s*\}}", r"\\\1 "),
        (r"\\(?:hat|vec)\s*\{\s*\\(?:mathbf|imath|jmath)\s*\{?\s*([ijk]?)\s*\}?\s*\}", r"u_{\1}"),
        (r"\\(?:mathbf|boldsymbol|bm|hat|vec)\s*\{\s*([ijk])\s*\}", r"u_{\1}"),
        (
            r"\\(?:math(?:rm|it)|operatorname|text(?:rm|it)?)\s*\{\s*([ei])\s*\}"
            r"|\{\s*\\rm\s+([ei])\s*\}|\\mathrm\s+([ei])(?![a-zA-Z])",
            r"\1\2\3",
        ),
        (r"\\imath(?![a-zA-Z])", "i"),
        (r"\\mathit\s*\{\s*([a-zA-Z])\s*\}", r"\1"),
        (rf"{TEXT_COMMAND}\s*(?=\{{)", r"\\text"),
        (r"\\langle\s*(?=[^\\]*,.*\\rangle)", "("),
        (r"\\rangle(?![a-zA-Z])", ")"),
        (r"\\varnothing(?![a-zA-Z])", r"\\emptyset "),
        (r"\\degree(?![a-zA-Z])", r"^\\circ "),
        (r"(?<=\d)\s*\^\s*(?:o(?![a-zA-Z])|\{\s*o\s*\})", r"^\\circ "),
        (r"√\s*(\d+|[a-zA-Z])", r"\\sqrt{\1}"),
        (r"√\s*(?=\{)", r"\\sqrt"),
        (r"√\s*\(([^()]*)\)", r"\\sqrt{\1}"),
        (r"∛\s*\(?(\d+|[a-zA-Z])\)?", r"\\sqrt[3]{\1}"),
        # Plain text.
        (r"\*\*", "^"),
        (r"(?<![\\a-zA-Z])(?:oo|inf|infinity)(?![a-zA-Z])", r"\\infty "),
        (rf"(?<![\\a-zA-Z])exp\s*{_PAREN}", r"e^{\1}"),
        (rf"\\exp\s*(?:\\left)?\s*{_PAREN}", r"e^{\1}"),
        (rf"(?<![\\a-zA-Z])abs\s*{_PAREN}", r"\\left|\1\\right|"),
        (rf"(?<![\\a-zA-Z])floor\s*{_PAREN}", r"\\lfloor \1 \\rfloor "),
        (rf"(?<![\\a-zA-Z])ceil(?:ing)?\s*{_PAREN}", r"\\lceil \1 \\rceil "),
        (rf"(?<![\\a-zA-Z])(?:cbrt|∛)\s*{_PAREN}", r"\\sqrt[3]{\1}"),
        (r"(?<![\\a-zA-Z])(?:binom|comb)\s*\(\s*(\w+)\s*,\s*(\w+)\s*\)", r"\\binom{\1}{\2}"),
        (r"(?<![\\a-zA-Z])a(sin|cos|tan)\s*(?=\()", r"\\arc\1"),
        (r"(?<![\\a-zA-Z])log_?(2|10)\s*(?=\()", r"\\log_{\1}"),
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
            r"(?P<whole>\d*)\.(?P<fixed>\d*)\\(?:overline|bar)\s*\{?(?P<repeated>\d+)\}?",
            _repeating,
        ),
        (
            r"(?P<whole>\d*)\.(?P<fixed>\d*?)"
            r"(?P<repeated>\\dot\s*\{?\d\}?(?:\d*\\dot\s*\{?\d\}?)?)$",
            _repeating,
        ),
        (r"(?P<whole>\d*)\.(?P<fixed>\d*)\((?P<repeated>\d+)\)$", _repeating),
        (
            r"(?P<whole>\d+)\.(?P<fixed>\d*?)(?P<repeated>\d)(?P=repeated){2,}"
            r"\s*(?:\.{3}|\\[lc]?dots)$",
            _repeating,
        ),
        (r"^(-?\d{1,3}(?: \d{3})+|-?\d{1,3}(?:_\d{3})+)(\.\d+)?$", _ungrouped),
        (r"^(-?\d{1,3}(?:\.\d{3}){2,})()$", _ungrouped),
        (r"(?<![\d.,/^_{])(\d+)\s+(\d+)\s*/\s*(\d+)(?!\d|\s*/)", r"\1\\frac{\2}{\3}"),
        (r"(?<![\w./^}\\])(\d+)/(\d+)\s+(?=\\pi|\\sqrt|[a-zA-Z](?![a-zA-Z]))", r"\\frac{\1}{\2} "),
        (rf"(?<=\d)\s*\\text\s*\{{\s*({'|'.join(_LARGE)})(?![a-z])", _large_in_text),
        (rf"(?<=\d)\s*({'|'.join(_LARGE)})(?![a-z])", _large),
        (r"\s*\\text\s*\{\s*percent\s*\}", r"\\%"),
        # A number's base.
        (r"^(?:\\left\s*)?\((\w+)\s*(?:\\right\s*)?\)\s*(?=_)", r"\1"),
        (r"^(\w+)\s*(?:\\text\s*\{)?\s*\(?base[\s}-]*(\w+)\)?\s*\}?$", r"\1_{\2}"),
        (r"_\{?\s*(?:\\text\s*\{)?\s*base\s*\}?\s*(\w+)\s*\}?$", r"_{\1}"),
        (rf"_\{{?({'|'.join(_BASES)})\}}?$", _base),
        (r"^(0[bB]|0[oO]|0[xX])([0-9A-Fa-f]+)$", _prefixed),
        # Two numbers side by side: math-verify adds them, as in a mixed number.
        (
            r"(?P<one>(?P<raised>[\^_]\s*\{?\s*-?)\d+\}?|(?<![\d.])\d+)\s+"
            r"(?=\d+(?P<next>[a-zA-Z]?\s*\^)?)",
            _side_by_side,
        ),
        (r"(?<![\w^.{])(\d+)\s*\((?=\s*-?\d+\s*\))", r"\1 \\cdot ("),
        (r"\(\s*(-?\d+)\s*\)\s*(?=\(\s*-?\d|\d)", r"(\1) \\cdot "),
        (rf"(\\frac{_GROUP}{_GROUP})\s*(?=\d)", r"\1 \\cdot "),
        # Sets and relations.
        (r"^\[\s*(\[[^\[\]]*\](?:\s*,\s*\[[^\[\]]*\])*)\s*\]$", _matrix),
        (
            rf"^(?:\\left\s*)?\\?\{{\s*[a-zA-Z]\s*(?:\\in\s*\\mathbb\s*(?:\{{\s*R\s*\}}|R)\s*)?"
            rf"(?:\\mid(?![a-zA-Z])|\\vert(?![a-zA-Z])|\\colon(?![a-zA-Z])|\||:)"
            rf"\s*([^|:]*?{_LE}[^|:]*?)\s*(?:\\right\s*)?\\?\}}$",
            r"\1",
        ),
        (rf"^{_REALS}\s*(?:,|:|\||\\mid|\\text\s*\{{[^{{}}]*\}})\s*(?=.*{_LE})", ""),
        (rf"(?<=\S)\s*,\s*{_REALS}\s*$", ""),
        (
            rf"({_ALL})\s*(?:-|\\setminus(?![a-zA-Z])|\\backslash(?![a-zA-Z]))\s*(?=\\\{{)",
            r"\\mathbb{R} \\setminus ",
        ),
        (r"(?<=[)\]])\s*U\s*(?=(?:\\left\s*)?[(\[])", r" \\cup "),
        (
            r"^(?:[a-zA-Z]\s*\\equiv\s*)?([^=]*?)\s*"
            r"(?:\\[pb]?mod|\(\s*(?:\\?mod|\\(?:text|operatorname)\s*\{\s*mod\s*\}?))\s*"
            r"\{?\s*(\d+)\s*\}?\s*\)?$",
            r"\1 \\text{mod \2}",
        ),
        (r"^[a-zA-Z]\s*\\in(?![a-zA-Z])", ""),
        (r"^[a-zA-Z]\s*\(\s*-?\d+\s*\)\s*=(?=[^=]*$)", ""),
        (r"^(\d+)\s*(?:\\text\s*\{\s*to\s*\}|\bto\b)\s*(\d+)$", r"\1:\2"),
        (r"^([\[\]])([^\[\],]+,[^\[\],]+)([\[\]])$", _outward),
        (r"^\s*(?:=|\\(?:approx|sim)(?![a-zA-Z]))", ""),
        (r"^\\text\s*\{([^{}]*(?:,|\band\b)[^{}]*)\}$", _items),
        (rf"^(?=\s*{_LE})", "x "),
    )
]


_GOES_ON = re.compile(r"(\.\d+)\.{3}")


def rewritten(text: str) -> str:
    """The same answer in plain LaTeX."""
    text = unwrapped(_GOES_ON.sub(r"\1\\ldots ", characters.plain(text)))
    for pattern, replacement in _RULES:
        text = pattern.sub(replacement, text)
    return _both_signs(angles.in_functions(text)).strip()


def _both_signs(text: str) -> str:
    """`\\frac{1 \\pm \\sqrt{5}}{2}` as the list of its two values.

    math-verify reads the sign only where it stands in no brackets.
    """
    if not _SIGNS.search(text):
        return text
    inner = text[2:-2] if text.startswith(r"\{") and text.endswith(r"\}") else text
    items = [half for item in split_at_commas(inner) for half in _halves(item)]
    listed = ", ".join(items)
    return listed if inner is text else rf"\{{{listed}\}}"


_SIGNS = re.compile(r"\\(?:pm|mp)(?![a-zA-Z])\s*")


def _halves(item: str) -> list[str]:
    signs = list(_SIGNS.finditer(item))
    if len(signs) != 1 or depth_at(item, signs[0].start()) == 0:
        return [item]
    before, after = item[: signs[0].start()], item[signs[0].end() :]
    return [f"{before}+{after}", f"{before}-{after}"]
