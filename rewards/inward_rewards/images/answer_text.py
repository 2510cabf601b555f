"""What an answer says: a name, a number, or which way a line goes."""

from __future__ import annotations

import math
import re
from functools import lru_cache

from inward_rewards.charts import Key, meaning


def other_year(key: Key) -> Key | None:
    """The same year, as a number for a date and the other way round; None: it is no year."""
    if isinstance(key, float):
        return f"{key:.0f}" if key.is_integer() and 1000 <= key <= 9999 else None
    year = named(key)
    return float(year) if re.fullmatch(r"[1-9]\d{3}", year) else None


@lru_cache(1024)
def named(text: str) -> str:
    """A name but for case, spaces, quotes and a full stop; a month, a day or a year in any writing
    as a date."""
    # A bin is the number of its middle.
    bare = str(meaning(" ".join(text.strip(" \t\"'“”‘’`*.").split())))
    return re.sub(r"^(\d{4}(?:-\d\d)??)(?:-01)+$", r"\1", bare).casefold()


def way_in(text: str) -> str | None:
    """`rises` or `falls`, whichever word an answer has; None where it has neither, or both."""
    found = re.findall(
        r"\b(?:(ris|rose|increas|grow|grew)|(fall|fell|decreas|declin))", text[:200], re.I
    )
    ways = {"rises" if up else "falls" for up, _ in found}
    return ways.pop() if len(ways) == 1 else None


def number_in(text: str) -> float | None:
    """The first number of an answer, as it stands: `1,200` is 1200, `12 %` is 12."""
    found = re.search(
        r"[-−]?(?:\d{1,3}(?:,\d{3}){1,12}(?!\d)|\d{1,40})(?:\.\d{1,40})?(?:[eE][-+]?\d{1,3})?",
        text[:200],
    )
    if found is None:
        return None
    number = float(found[0].replace(",", "").replace("−", "-"))
    return number if math.isfinite(number) else None
