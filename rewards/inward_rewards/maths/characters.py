"""Unicode in an answer as the ASCII and LaTeX that it stands for."""

import re
import unicodedata

_SUPERSCRIPTS = {"⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁽⁾ⁿⁱ"[k]: "0123456789+-()ni"[k] for k in range(16)}
_SUBSCRIPTS = {"₀₁₂₃₄₅₆₇₈₉₊₋₍₎ₙ"[k]: "0123456789+-()n"[k] for k in range(15)}
_GREEK = {
    chr(0x3B1 + k): rf"\{name} "
    for k, name in enumerate(
        "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi omicron pi rho "
        "varsigma sigma tau upsilon phi chi psi omega".split()
    )
}
_SYMBOLS = {
    "\\times ": "×✕✖⨯",
    "\\cdot ": "·⋅∙",
    "-": "−–—‐‑‒－﹣",
    "/": "÷⁄∕",
    "*": "∗＊",
    ":": "∶",
    "\\pm ": "±",
    "\\infty ": "∞",
    "\\le ": "≤⩽",
    "\\ge ": "≥⩾",
    "\\ne ": "≠",
    "\\approx ": "≈",
    "\\equiv ": "≡",
    "\\cup ": "∪",
    "\\cap ": "∩",
    "\\in ": "∈",
    "\\setminus ": "∖",
    "\\mid ": "∣",
    "\\emptyset ": "∅",
    "^\\circ ": "°º˚",
    "\\mathbb{R}": "ℝ",
    "\\mathbb{Z}": "ℤ",
    "\\mathbb{N}": "ℕ",
    "\\mathbb{Q}": "ℚ",
    "\\mathbb{C}": "ℂ",
    "\\lfloor ": "⌊",
    "\\rfloor ": "⌋",
    "\\lceil ": "⌈",
    "\\rceil ": "⌉",
    "\\sum ": "∑",
    "\\to ": "→",
    "(": "⟨〈",
    ")": "⟩〉",
    '"': "“”„″",
    "'": "‘’′",
    "...": "…",
}
_TABLE = str.maketrans(
    _GREEK
    | {sign: text for text, signs in _SYMBOLS.items() for sign in signs}
    | {"Δ": r"\Delta ", "Ω": r"\Omega ", "Σ": r"\Sigma ", "\t": " "}
)
_RAISED = re.compile(f"[{''.join(_SUPERSCRIPTS)}]+")
_LOWERED = re.compile(f"[{''.join(_SUBSCRIPTS)}]+")
_FRACTION = re.compile("[¼½¾⅐-⅞↉]")
# A compatibility form is at most so long; longer ones (one sign that is a whole phrase) stay.
_LONGEST = 4


def plain(text: str) -> str:
    """Superscripts, fractions, signs and letters of other alphabets in ASCII and LaTeX.

    What has no width is dropped; what has no ASCII form stays.
    """
    if text.isascii():
        return text
    text = _RAISED.sub(lambda run: "^{" + _spelt(run[0], _SUPERSCRIPTS) + "}", text)
    text = _LOWERED.sub(lambda run: "_{" + _spelt(run[0], _SUBSCRIPTS) + "}", text)
    text = _FRACTION.sub(_fraction, text)
    return "".join(map(_compatible, text.translate(_TABLE))).translate(_TABLE)


def _spelt(run: str, letters: dict[str, str]) -> str:
    return "".join(letters[sign] for sign in run)


def _fraction(match: re.Match[str]) -> str:
    top, _, bottom = unicodedata.normalize("NFKC", match[0]).partition("⁄")
    return rf"\frac{{{top}}}{{{bottom}}}"


def _compatible(sign: str) -> str:
    if sign.isascii():
        return sign
    if unicodedata.category(sign) == "Cf":
        return ""
    form = unicodedata.normalize("NFKC", sign)
    return form if len(form) <= _LONGEST else sign
