"""What a statutory clock is: from which event it counts, how far, by whose words, and which facts select it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from types import MappingProxyType


class Trigger(StrEnum):
    """The event that a clock counts from."""

    OCCURRED = "occurred"
    AWARE = "aware"
    REPORTABLE_AWARE = "reportable_aware"
    DISCOVERED = "discovered"
    CLASSIFIED_MAJOR = "classified_major"
    MATERIAL = "material"
    DETERMINED = "determined"
    PRIOR_SUBMISSION = "prior_submission"
    YEAR_END = "year_end"
    RESOLVED = "resolved"
    REMEDY_AVAILABLE = "remedy_available"
    NEW_INFORMATION = "new_information"


AWARENESS = (Trigger.AWARE, Trigger.REPORTABLE_AWARE, Trigger.DISCOVERED)
"""Triggers that say that somebody knew; where one is unknown, the earliest of the others stands in for it."""

LATER = (Trigger.RESOLVED, Trigger.REMEDY_AVAILABLE, Trigger.NEW_INFORMATION)
"""Triggers that need not have happened yet: unknown, they start nothing."""


class Unit(StrEnum):
    """What a period is counted in."""

    HOURS = "hours"
    CALENDAR_DAYS = "calendar_days"
    WORK_DAYS = "work_days"
    BUSINESS_DAYS = "business_days"
    MONTHS = "months"


class Roll(StrEnum):
    """What becomes of a period that ends on a day off."""

    NONE = "none"
    """It ends there."""
    EU = "eu"
    """Regulation 1182/71 Art. 3(4): it ends with the next working day; from two days on it has two working days."""
    DORA = "dora"
    """Delegated Regulation 2025/301 Art. 5(4): noon of the next working day, but not for those that 5(5) names."""
    DORA_FINAL = "dora_final"
    """The same for the final report, which 5(5) does not name: for everybody."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Offset:
    """How far a clock counts."""

    number: int
    unit: Unit


@dataclass(frozen=True, kw_only=True, slots=True)
class Clock:
    """One period of one duty; clocks of one regime with the same name are tiers of one report.

    Attributes
    ----------
    name, tier
        The report that is due, and which case of it this is.
    offset
        None where the law gives no number ("immediately", "without undue delay"): due at the trigger.
    quote, article, verbatim
        The words that carry number and unit, and where they stand; `verbatim` is false where only a summary of the
        article was read.
    after
        The report that has to be submitted first; with Trigger.PRIOR_SUBMISSION it counts from that submission.
    repeats
        Whether it counts again from each submission of its own, until the regime's last report is submitted.
    needs, unless
        Facts that select the tier when they are not known to be false, and facts that exclude it once they are true.
    lapses
        The trigger whose coming after this clock's due time ends it: another tier takes its place.
    authority
        Who is told, where it is not the regime's recipient.
    """

    name: str
    regime: str
    tier: str = ""
    trigger: Trigger
    offset: Offset | None
    quote: str
    article: str
    verbatim: bool = True
    roll: Roll = Roll.NONE
    after: str | None = None
    repeats: bool = False
    needs: tuple[str, ...] = ()
    unless: tuple[str, ...] = ()
    lapses: Trigger | None = None
    authority: str = ""

    @property
    def key(self) -> str:
        """The clock's name in the catalogue: regime.name or regime.name.tier."""
        return ".".join(part for part in (self.regime, self.name, self.tier) if part)


@dataclass(frozen=True, kw_only=True, slots=True)
class Regime:
    """One duty under one law; without clocks where the law asks for records or controls, but sets no period.

    Attributes
    ----------
    applies_from, applies_until
        The days between which the duty applies; None where no date is recorded here.
    verified_on
        The day on which numbers and quotes were last compared with their sources.
    roles
        Whose duty it is.
    note
        What a reader has to know before relying on it.
    """

    name: str
    title: str
    citation: str
    applies_from: date | None = None
    applies_until: date | None = None
    verified_on: date
    roles: tuple[str, ...]
    recipient: str
    note: str = ""
    clocks: tuple[Clock, ...] = ()


FACTS: Mapping[str, str] = MappingProxyType(
    {
        "death": "Did a person die, or may one have died of it?",
        "widespread_infringement": "Are people in several Member States affected in their collective interests?",
        "critical_infrastructure": "Was critical infrastructure disrupted, seriously and irreversibly?",
        "serious_incident": "Is it a serious incident in the sense of Art. 3(49) of the AI Act?",
        "presents_risk": "May use of the system present a risk in the sense of Art. 79(1) of the AI Act?",
        "cybersecurity_breach": "Is it a serious cybersecurity breach, such as model weights taken out?",
        "high_risk_to_persons": "Is a high risk to the rights and freedoms of persons likely?",
        "processor": "Do we process the personal data for somebody else?",
        "exploited_vulnerability": "Is a vulnerability of the product being actively exploited?",
        "severe_incident": "Is it a severe incident that affects the security of the product?",
        "over_500_in_one_state": "Are more than 500 residents of one State or jurisdiction affected?",
        "affected_500_or_more": "Are 500 or more individuals affected?",
        "remedial_action": "Is remedial action needed to prevent an unreasonable risk of substantial harm?",
        "field_action": "Is a field safety corrective action planned?",
        "correction_or_removal": "Was a correction or removal of the device begun?",
        "public_health_threat": "Is it a serious threat to public health?",
        "serious_deterioration": "Did a person's state of health deteriorate seriously and unexpectedly?",
        "imminent_risk": "Does it pose an imminent risk of death or serious physical injury?",
        "worker_death": "Did an employee die of it?",
        "worker_hospitalized": "Was an employee hospitalized as an in-patient?",
        "worker_amputation": "Did an employee suffer an amputation?",
        "worker_eye_loss": "Did an employee lose an eye?",
    }
)
"""The facts that select clocks, each as the question that a person answers; not answered means unknown."""
