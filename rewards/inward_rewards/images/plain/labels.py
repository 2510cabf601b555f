"""Names of things without the little words and verbs around them: `the bar for Oslo is at`."""

from __future__ import annotations

import re

from inward_rewards.images.plain.text import NAME

MAX_LABEL = 80
_LEAD = frozenset(
    "the a an for in at on of by and then while with about approximately around roughly nearly "
    "almost only just its it is are was were has have had to from first second third fourth fifth "
    "sixth seventh eighth ninth tenth last final next one bar bars slice slices segment segments "
    "wedge column columns line point dot sector value values category remaining also there here "
    "part portion proportion fraction amount quantity number height "
    "reaching standing sitting measuring showing accounting representing coming making taking tall "
    "taller short shorter high higher low lower slightly much reads stops "
    "so finally where as followed another than category that this these those respectively "
    "largest smallest highest lowest tallest shortest both i.e e.g namely "
    "share percentage beginning starting ending dominated headed topped you ve "
    "we i who "
    "that's there's what see corresponding ahead whopping mere staggering impressive modest "
    "massive measly paltry none".split()
)
_TRAIL = _LEAD | frozenset(
    "exported imported shows showed represents represented accounts accounted makes made gets got "
    "records recorded leads led follows followed comes came stands stood reaches reached takes "
    "took up total totals totalled peak low high sits sat lies lay earns earned scores scored ~ ≈ "
    "peaks rises falls drops climbs grows ends begins starts opens dips jumps hits stays remains "
    "close being equals equal measures below above under over maximum minimum valued whose height "
    "length bottom top just slightly covers contributes holds drew attains achieves sees saw "
    "count counts averages averaged produced produces sold sells received colored coloured "
    "runs ranges range goes spans".split()
)
VERBS = re.compile(
    r"\b(?:is|was|are|were|has|have|had|with|at|reach(?:es|ed)?|takes?|took|shows?|showed|leads?|"
    r"led|represents?|account(?:s|ed)?|makes?|gets?|got|records?|comes?|came|stands?|stood|sits?|"
    r"scores?|earns?|equals?|measures?|totals?|hits?|peaks?|averages?|achieves?|holds?|covers?|"
    r"contributes?|produces?|sells?|sees?|saw|rises?|rose|falls?|fell|drops?|climbs?|grows?|grew|"
    r"ends?|starts?|begins?|opens?|dips?|jumps?|stays?|remains?|attains?|goes|"
    r"went|lies|who|which|that|drank|trails?|lags?|top(?:s|ped)? the|tops|receives?|registers?"
    r"|attracts?|employs?|spends?|consumes?|generates?|emits?|ranks|finish(?:es)?|weighs?|pays?"
    r"|adds?|amounts?|brings?|collects?|occupies|constitutes?|comprises?|wins?|won|sank|slid"
    r"|supplies|delivers?|enjoys?|boasts?|captures?|manages?|needs?|loses?|lost|gains?|keeps?"
    r"|brought|spent|became|improves?|worsens?|charges?|takes home|"
    r"[a-z]{3,}ed)\b"
)
_SIGN = re.compile(r"[B-HJ-Z]|[A-Z]{2,}")
"""A name of capitals: `IT` is no `it`."""
_WHEN = re.compile(
    r"^\s*(?:and\s+)?(?:[Ii]n|[Aa]t|[Oo]n|[Bb]y|[Dd]uring)\s+(\S.*?)\s+(?:the|"
    r"we|I|it|there|its|they|a|an)\s.*$"
)
"""`In January the price was`: the name is the time."""
_NOT_NAMES = frozenset(
    "chart figure image plot graph axis axes bars lines there it data values dots points it has "
    "series panels panel slices legend title increments steps value count scale trend "
    "gap each size survey study sample".split()
)


def clean(label: str) -> str:
    """A name without the little words and verbs around it; empty where nothing else is there."""
    label = label.strip(" \t\n,;:()[]=*'’–—").removesuffix("'s").removesuffix("’s")
    if re.fullmatch(r"[A-Z]", label):
        return label
    if quoted := re.search(NAME, label):
        return quoted.group()
    for part in reversed(label.split(",")):
        if when := _WHEN.match(part):
            part = when[1]
        words = _without_verb(part.split())
        while words:
            rest = " ".join(words)
            verb = VERBS.search(rest)
            before = [] if verb is None else _trimmed(rest[: verb.start()].split())
            if verb is None or before:
                words = before or words
                break
            words = _trimmed(rest[verb.end() :].split())
        found = " ".join(words).removesuffix("'s").removesuffix("’s")
        if found and (_SIGN.fullmatch(found) or found.lower() not in _NOT_NAMES):
            return found[:MAX_LABEL]
    return ""


def _without_verb(words: list[str]) -> list[str]:
    """`Chloe drinks a mere`: what stands between a proper name and the amount is its verb."""
    trimmed = _trimmed(words)
    if len(trimmed) != 2 or not trimmed[0][:1].isupper() or not re.match("[a-z]+s$", trimmed[1]):
        return trimmed
    follows = words[words.index(trimmed[1]) + 1 :][:1]
    return trimmed[:1] if follows in (["a"], ["an"], ["only"], ["just"], ["about"]) else trimmed


def _trimmed(words: list[str]) -> list[str]:
    while words and words[0].strip("(),'").lower() in _LEAD and not _SIGN.fullmatch(words[0]):
        words = words[1:]
    while words and words[-1].strip("(),'").lower() in _TRAIL and not words[-1].isupper():
        words = words[:-1]
    return words
