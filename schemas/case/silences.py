"""Silences: what is known to be noisy opens no incident and pages nobody for a while; it is recorded all the same."""

from dataclasses import dataclass
from enum import StrEnum

from schemas.avro import Millis


class Aspect(StrEnum):
    """What of a signal a matcher looks at."""

    SYSTEM = "system"
    MODEL = "model"
    VERSION = "version"
    INSTANCE = "instance"
    MODE = "mode"
    CATEGORY = "category"
    DETECTOR = "detector"
    SUBJECT = "subject"


@dataclass(frozen=True, slots=True, kw_only=True)
class Matcher:
    """Holds where an aspect of the signal is exactly the value."""

    aspect: Aspect
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AddSilence:
    """Silence what all matchers match, once or again and again.

    starts_at, until
        From when on, and the end, in ms. With a rule: of the first window's start, and of the last window.
    rule
        Empty for once; else a recurrence rule (RFC 5545, 3.3.10) of the starts of windows, without COUNT and UNTIL.
    zone
        IANA time zone in which the rule counts days.
    window_seconds
        Length of each window of a rule; 0 without one.
    """

    matchers: tuple[Matcher, ...]
    starts_at: Millis
    until: Millis
    rule: str
    zone: str
    window_seconds: int
    reason: str
    repeat: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class EndSilence:
    """End a silence before its time."""

    silence: str
    reason: str
    repeat: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpireSilence:
    """State that a silence's end has passed."""

    silence: str
    until: Millis
    repeat: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SilenceAdded:
    """A silence is in force; its owner is the principal who asked for it."""

    silence: str
    matchers: tuple[Matcher, ...]
    starts_at: Millis
    until: Millis
    rule: str
    zone: str
    window_seconds: int
    reason: str
    principal: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SilenceEnded:
    """A silence holds no longer: ``ended`` by a person, or ``expired``."""

    silence: str
    why: str
    principal: str
    reason: str


COMMANDS = (AddSilence, EndSilence, ExpireSilence)
EVENTS = (SilenceAdded, SilenceEnded)
