"""Round axis ticks, and numbers as d3-format writes them (the few formats that the charts use)."""

from __future__ import annotations

import math

MINUS = "−"
"""d3 writes a negative number with U+2212, not with the hyphen."""

_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)
_PREFIXES = {0: "", 3: "k", 6: "M", 9: "G"}


def nice_ticks(low: float, high: float, count: int) -> tuple[float, ...]:
    """About `count` round ticks that enclose [low, high]; the first and last are its new ends."""
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise ValueError(f"ticks need low < high, both finite: got {low!r}, {high!r}")
    raw = (high - low) / count
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(s * power for s in _STEPS if s * power >= raw * (1 - 1e-9))
    first = math.floor(low / step + 1e-9)
    last = math.ceil(high / step - 1e-9)
    return tuple(tidy(i * step) for i in range(first, last + 1))


def tidy(value: float) -> float:
    """The number without the dust of binary fractions: twelve significant digits."""
    return float(f"{value:.12g}")


def tick_decimals(ticks: tuple[float, ...]) -> int:
    """Digits after the point that tell neighbouring ticks apart."""
    for decimals in range(7):
        if all(abs(t - round(t, decimals)) < 1e-9 * max(1.0, abs(t)) for t in ticks):
            return decimals
    return 7


def format_number(value: float, spec: str) -> str:
    """`value` as d3-format writes it for one of `,.Nf`, `.Nf`, `.N%`, `$,.Nf` or `SHORT`."""
    if spec == SHORT:
        body = _si(abs(value))
    elif spec.endswith("%"):
        body = f"{abs(value) * 100:.{int(spec[1:-1])}f}%"
    else:
        prefix = "$" if spec.startswith("$") else ""
        comma = "," if "," in spec else ""
        decimals = spec.removeprefix("$").removeprefix(",")[1:-1]
        body = f"{prefix}{abs(value):{comma}.{int(decimals)}f}"
    negative = value < 0 and any(digit in body for digit in "123456789")
    return MINUS + body if negative else body


def power_of_ten(value: float) -> str:
    """A power of ten with its exponent after a caret: 10^-3, -10^2. See `raised`."""
    return f"{'-' if value < 0 else ''}10^{round(math.log10(abs(value)))}"


def significant(value: float, digits: int = 3) -> float:
    """The number to so many significant digits."""
    return float(f"{value:.{digits}g}")


SHORT = ".4~s"
"""SI prefixes, each number its own, at most four digits, zeros trimmed: 750, 1.25k, 3M."""


def shortens(ticks: tuple[float, ...]) -> bool:
    """Whether `SHORT` saves digits of the ticks and loses none."""
    return max(abs(tick) for tick in ticks) >= 1000 and all(
        tick == 0 or (abs(tick) >= 1 and float(f"{tick:.4g}") == tick) for tick in ticks
    )


def _si(value: float) -> str:
    power = min(9, 3 * math.floor(math.log10(value) / 3)) if value >= 1 else 0
    return f"{value / 10**power:.4g}{_PREFIXES[power]}"


def format_date(day: str, spec: str) -> str:
    """An ISO date as d3-time-format writes it for `%Y`, `%b` and `%d` (English)."""
    year, month, number = day.split("-")
    return spec.replace("%Y", year).replace("%b", _MONTHS[int(month) - 1]).replace("%d", number)


_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
