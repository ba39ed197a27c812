"""Lengths of time as people write them in documents: 90s, 15m, 2h, 3d, and several of them together."""

import re
from datetime import timedelta

_UNITS = {"ms": "milliseconds", "s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_MAX_LENGTH = 40
_PART = re.compile(r"(\d{1,6}(?:\.\d{1,3})?)(ms|s|m|h|d)")


def span(text: object) -> timedelta:
    """Read ``1h30m``; ValueError for what is none, or a bare number, whose unit nobody knows."""
    if isinstance(text, timedelta):
        return text
    if not isinstance(text, str) or len(text) > _MAX_LENGTH or not re.fullmatch(rf"(?:{_PART.pattern})+", text):
        raise ValueError(f"{str(text)[:40]!r} is no length of time; write 90s, 15m, 2h, 3d or 1h30m")
    return sum((timedelta(**{_UNITS[unit]: float(number)}) for number, unit in _PART.findall(text)), timedelta())


def written(length: timedelta) -> str:
    """Return the length as people write it, its two largest units: ``1h30m``; ``0s`` where it is nothing."""
    left = round(length.total_seconds() * 1000)
    sign, left = ("-" if left < 0 else ""), abs(left)
    parts: list[str] = []
    for unit, size in (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)):
        count, left = divmod(left, size)
        if count:
            parts.append(f"{count}{unit}")
    return sign + ("".join(parts[:2]) or "0s")
