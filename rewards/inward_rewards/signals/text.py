"""Rewards of a reply's text and length."""

from __future__ import annotations

from collections import Counter

from inward_rewards.lengths import soft_overlong

PHRASES = (
    "i need to",
    "we need to",
    "wait",
    "alternatively",
    "let me check",
    "let me see",
    "let's focus on",
    "we know that",
    "we can observe ",
    "we can see ",
    "let me try",
    "let's try",
    "let us try",
    "first, ",
    "firstly, ",
    "next, ",
    "finally, ",
    "let us first",
    "let's first",
    "let me first",
    "try again",
    "still not",
    "not working",
    "not correct",
    "does not work",
    "doesn't work",
    "makes sence",  # as released
    "since we ",
    "because we ",
    "consequently",
    "as a result",
    "thus",
    "therefore",
    "hence",
    "so that",
    "thereby",
    "if we",
    "given there ",
    "for instance ",
    "for example ",
)
ENOUGH = 20
"""Distinct phrases that earn the whole reward."""
NGRAM = 20
MAX_CHARS = 100_000
"""Of a reply that is read for phrases; what follows counts as nothing."""


def reasoning_patterns(text: str, *, answered: bool = True) -> float:
    """min(1, distinct phrases / 20) - share of repeated 20-grams - role marks, at least 0.

    `text`: thinking and answer, in any case. `answered`: whether an answer could be read; without
    one it is 0, as in the released code. A role mark is "user: ", by which a reply goes on with a
    conversation of its own.
    Source: RPR (arXiv 2505.22653), released code: 40 phrases, of which 20 are enough (the paper's
    figure 9 divides by 40). Alone it ends in endless thinking (figure 10).
    """
    if not answered:
        return 0.0
    lower = text[:MAX_CHARS].lower()
    phrases = min(1.0, sum(phrase in lower for phrase in PHRASES) / ENOUGH)
    return max(0.0, phrases - repeated_ngrams(lower) - lower.count("user: "))


def repeated_ngrams(text: str, n: int = NGRAM) -> float:
    """(distinct n-grams of words that come more than once) / (all n-grams); 0 where there are none.

    As the source counts: the repeated n-grams are counted once each and the total is not, so that
    the ratio falls again where something is said a hundred times.
    """
    words = text.split()
    grams = Counter(zip(*(words[start:] for start in range(n)), strict=False))
    total = sum(grams.values())
    return sum(count > 1 for count in grams.values()) / total if total else 0.0


def calibrated(score: float, patterns: float, *, weight: float = 0.1) -> float:
    """score + 0.1 · RPR where a reward model's score lies below 0.5, else the score.

    Source: arXiv 2505.22653: it softens the model's false negatives.
    """
    return score + weight * patterns if score < 0.5 else score


def magistral(
    *, well_formed: bool, right: bool, one_language: bool, tokens: int, limit: int, cache: int
) -> float:
    """0 for a reply out of its format; else 0.1 + 0.9 · right + 0.1 · one_language + length, where
    length falls from 0 at limit - cache to -0.1 at `limit`. Range: 0 to 1.1.

    Source: Magistral (arXiv 2506.10910), section 2.2.
    """
    if not well_formed:
        return 0.0
    length = 0.1 * soft_overlong(tokens, limit, cache)
    return 0.1 + 0.9 * right + 0.1 * one_language + length


def huatuo(*, right: bool, reasoned: bool) -> float:
    """1 for a right reply, 0.1 for a wrong one, 0 for one without reasoning before its answer.

    Source: HuatuoGPT-o1 (arXiv 2412.18925), where a judge says what is right.
    """
    if not reasoned:
        return 0.0
    return 1.0 if right else 0.1
