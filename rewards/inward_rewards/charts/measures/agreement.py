"""Whether two charts are of the same sort: F1 of their marks and of their encodings, as sets."""

from __future__ import annotations

from collections.abc import Iterable


def mark_agreement(reference: Iterable[str], candidate: Iterable[str]) -> float:
    """F1 of the kinds of mark (`Scene.marks`) in [0, 1]."""
    return _set_f1(set(reference), set(candidate))


def encoding_agreement(reference: Iterable[str], candidate: Iterable[str]) -> float:
    """F1 of what is shown by which channel (`Scene.encodings`: `x:discrete`) in [0, 1]."""
    return _set_f1(set(reference), set(candidate))


def _set_f1(reference: set[str], candidate: set[str]) -> float:
    if not reference and not candidate:
        return 1.0
    return 2 * len(reference & candidate) / (len(reference) + len(candidate))
