"""Words that reports share: times, people, and plain language for categories and purposes."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from types import MappingProxyType

from schemas.values import Category, Role, Severity

HAPPENED: Mapping[Category, str] = MappingProxyType(
    {
        Category.DATA_DRIFT: "the data that reached the model no longer looked like the data it was built for",
        Category.DATA_QUALITY: "the data that reached the model was damaged or incomplete",
        Category.CONFIDENCE: "the model became unsure of its own answers",
        Category.PERFORMANCE: "the model gave more wrong answers than it may",
        Category.FAIRNESS: "the model treated groups of people differently",
        Category.ATTACK: "somebody seems to have attacked or misused the model",
        Category.OUTPUT_SAFETY: "the model gave answers that it must not give",
        Category.INFRASTRUCTURE: "the computers on which the model runs did not work as they should",
        Category.HUMAN_REPORT: "a person reported that the model seems to fail",
    }
)
SEVERE: Mapping[Severity, str] = MappingProxyType(
    {
        Severity.SEV1: "1 of 4, the most serious",
        Severity.SEV2: "2 of 4, serious",
        Severity.SEV3: "3 of 4, limited",
        Severity.SEV4: "4 of 4, the least serious",
    }
)
PHASES: Mapping[str, str] = MappingProxyType(
    {
        "triage": "It is being looked at; whether it is an incident is not decided.",
        "dismissed": "People decided that it was no incident.",
        "merged": "It turned out to be a part of another incident and goes on there.",
        "declared": "It is an incident; nothing has been changed yet.",
        "containing": "The harm is being stopped.",
        "contained": "The harm has been stopped; the cause has not been put right yet.",
        "investigating": "The harm has been stopped, and people look for the cause.",
        "remediating": "The cause is being put right.",
        "recovering": "The cause was put right, and it is being watched whether that holds.",
        "resolved": "It is over.",
        "review": "It is over, and people work out what to learn from it.",
        "closed": "It is over and closed.",
    }
)


def when(at: int) -> str:
    """Return a point in time (ms) in UTC, to the second."""
    try:
        return datetime.fromtimestamp(at / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    except (ValueError, OverflowError, OSError):
        return f"{at} ms"


def plain(word: str) -> str:
    """Return the value of an enumeration as words."""
    return word.replace("_", " ")


def called(role: Role) -> str:
    """Return the name of a role."""
    return plain(role.value.replace("ml_", "ML "))


def listed(items: Iterable[str]) -> str:
    """Return items as a list in a sentence."""
    every = list(dict.fromkeys(items))
    return every[0] if len(every) == 1 else f"{', '.join(every[:-1])} and {every[-1]}" if every else ""


def lasting(ms: int) -> str:
    """Return a length of time in words, in its two largest units."""
    seconds = max(ms, 0) // 1000
    units = (("day", seconds // 86400), ("hour", seconds // 3600 % 24), ("minute", seconds // 60 % 60))
    said = [f"{count} {name}{'' if count == 1 else 's'}" for name, count in units if count][:2]
    return " ".join(said) if said else f"{seconds} second{'' if seconds == 1 else 's'}"
