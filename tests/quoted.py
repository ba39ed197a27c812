"""Whether a quote says a number and a unit, in digits or in English words."""

import re

from schemas.regulation.clocks import Offset, Unit

_ONES = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"),
    *("thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"),
)
_TENS = {20: "twenty", 30: "thirty", 40: "forty", 50: "fifty", 60: "sixty", 70: "seventy", 80: "eighty", 90: "ninety"}
_UNITS = {
    Unit.HOURS: r"hours?",
    Unit.CALENDAR_DAYS: r"(calendar )?days?",
    Unit.WORK_DAYS: r"work(ing)? days?",
    Unit.BUSINESS_DAYS: r"business days?",
    Unit.MONTHS: r"months?",
}


def _word(number: int) -> str:
    if number < len(_ONES):
        return _ONES[number]
    tens, ones = _TENS.get(number // 10 * 10, ""), number % 10
    return f"{tens}-{_ONES[ones]}" if tens and ones else tens


def _said(number: int, unit: str) -> str:
    spelled = "|".join(part for part in (str(number), _word(number)) if part)
    return rf"\b({spelled})( \({number}\))?[ -]{unit}\b"


def says(quote: str, offset: Offset) -> bool:
    """Return whether the quote carries the offset's number and unit; four weeks are 28 calendar days."""
    wanted = [_said(offset.number, _UNITS[offset.unit])]
    if offset.unit is Unit.CALENDAR_DAYS and offset.number % 7 == 0:
        wanted.append(_said(offset.number // 7, r"weeks?"))
    return any(re.search(pattern, quote, re.IGNORECASE) for pattern in wanted)
