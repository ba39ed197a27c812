"""Clocks of health law: HIPAA breach notification, FDA device reports, EU devices."""

from datetime import date

from schemas.regulation.clocks import Clock, Offset, Regime, Roll, Trigger, Unit

_READ = date(2026, 11, 21)
_TOLLED = "A statement of law enforcement tolls it (45 CFR 164.412). Documents are kept for six years (164.316)."
_SIXTY = Offset(number=60, unit=Unit.CALENDAR_DAYS)
_BREACH = "without unreasonable delay and in no case later than 60 calendar days after discovery of a breach"


def _hipaa(name: str, title: str, section: str, recipient: str, clock: Clock) -> Regime:
    return Regime(
        name=f"hipaa_{name}",
        title=f"HIPAA: {title}",
        citation=f"45 CFR {section}",
        verified_on=_READ,
        roles=("business associate",) if name == "ba" else ("covered entity",),
        recipient=recipient,
        note=_TOLLED,
        clocks=(clock,),
    )


def _sixty(regime: str, article: str, *needs: str) -> Clock:
    return Clock(
        name="notice",
        regime=regime,
        trigger=Trigger.DISCOVERED,
        offset=_SIXTY,
        quote=_BREACH,
        article=article,
        needs=needs,
    )


HIPAA = (
    _hipaa(
        "individual",
        "notice to individuals",
        "164.404",
        "each affected individual",
        _sixty("hipaa_individual", "45 CFR 164.404(b)"),
    ),
    _hipaa(
        "media",
        "notice to the media",
        "164.406",
        "prominent media outlets of the State or jurisdiction",
        _sixty("hipaa_media", "45 CFR 164.406(b)", "over_500_in_one_state"),
    ),
    _hipaa(
        "hhs",
        "notice to the Secretary, 500 or more",
        "164.408(b)",
        "Secretary of Health and Human Services",
        Clock(
            name="notice",
            regime="hipaa_hhs",
            trigger=Trigger.DISCOVERED,
            offset=_SIXTY,
            quote="contemporaneously with the notice required by § 164.404(a), which is due " + _BREACH,
            article="45 CFR 164.408(b) with 164.404(b)",
            verbatim=False,  # two provisions, joined by us
            needs=("affected_500_or_more",),
        ),
    ),
    _hipaa(
        "annual",
        "notice to the Secretary, fewer than 500",
        "164.408(c)",
        "Secretary of Health and Human Services",
        Clock(
            name="log",
            regime="hipaa_annual",
            trigger=Trigger.YEAR_END,
            offset=_SIXTY,
            quote="not later than 60 days after the end of each calendar year",
            article="45 CFR 164.408(c)",
            unless=("affected_500_or_more",),
        ),
    ),
    _hipaa(
        "ba",
        "business associate to covered entity",
        "164.410",
        "covered entity",
        _sixty("hipaa_ba", "45 CFR 164.410(b)"),
    ),
)

FDA_30 = Regime(
    name="fda_803_30",
    title="FDA: device report of a manufacturer",
    citation="21 CFR 803.50, 803.56, 806.10",
    verified_on=_READ,
    roles=("device manufacturer",),
    recipient="Food and Drug Administration",
    note="Aware is when any employee is. A correction or removal counts from its beginning. The wording of the "
    "supplement (803.56) was not read.",
    clocks=(
        Clock(
            name="report",
            regime="fda_803_30",
            trigger=Trigger.AWARE,
            offset=Offset(number=30, unit=Unit.CALENDAR_DAYS),
            quote="no later than 30 calendar days after the day that you receive or otherwise become aware of "
            "information",
            article="21 CFR 803.50(a)",
        ),
        Clock(
            name="correction",
            regime="fda_803_30",
            trigger=Trigger.REMEDY_AVAILABLE,
            offset=Offset(number=10, unit=Unit.WORK_DAYS),
            quote="within 10-working days of initiating such correction or removal",
            article="21 CFR 806.10(b)",
            needs=("correction_or_removal",),
        ),
        Clock(
            name="supplement",
            regime="fda_803_30",
            trigger=Trigger.NEW_INFORMATION,
            offset=Offset(number=30, unit=Unit.CALENDAR_DAYS),
            quote="a supplement within 30 calendar days of each new fact",
            article="21 CFR 803.56",
            verbatim=False,
            after="report",
        ),
    ),
)

FDA_5 = Regime(
    name="fda_803_5",
    title="FDA: five-day device report of a manufacturer",
    citation="21 CFR 803.53",
    verified_on=_READ,
    roles=("device manufacturer",),
    recipient="Food and Drug Administration",
    note="Also on a written request of the agency. For the remedial limb, aware is when management or staff for "
    "adverse events are; trend analysis counts.",
    clocks=(
        Clock(
            name="report",
            regime="fda_803_5",
            trigger=Trigger.REPORTABLE_AWARE,
            offset=Offset(number=5, unit=Unit.WORK_DAYS),
            quote="no later than 5 work days after the day that you become aware",
            article="21 CFR 803.53",
            needs=("remedial_action",),
        ),
    ),
)

FDA_USER = Regime(
    name="fda_803_user_facility",
    title="FDA: device report of a user facility",
    citation="21 CFR 803.30",
    verified_on=_READ,
    roles=("user facility",),
    recipient="the manufacturer, and for a death the Food and Drug Administration",
    clocks=(
        Clock(
            name="report",
            regime="fda_803_user_facility",
            trigger=Trigger.AWARE,
            offset=Offset(number=10, unit=Unit.WORK_DAYS),
            quote="no more than 10 work days after the day that you become aware",
            article="21 CFR 803.30(a)",
        ),
    ),
)


def _mdr(tier: str, number: int, quote: str, article: str, *needs: str) -> Clock:
    return Clock(
        name="report",
        tier=tier,
        regime="mdr_87",
        trigger=Trigger.AWARE,
        offset=Offset(number=number, unit=Unit.CALENDAR_DAYS),
        quote=quote,
        article=article,
        roll=Roll.EU,
        needs=needs,
    )


_PERSON = (
    "not later than 10 days after the date on which the manufacturer becomes aware of the serious incident",
    "Art. 87(5)",
)
MDR = Regime(
    name="mdr_87",
    title="EU medical devices: serious incident, field action",
    citation="Regulation (EU) 2017/745, Article 87",
    verified_on=_READ,
    roles=("device manufacturer",),
    recipient="competent authority",
    note="Trend reports (Art. 88) have no period.",
    clocks=(
        _mdr("general", 15, "not later than 15 days after they become aware of the incident", "Art. 87(3)"),
        _mdr("death", 10, *_PERSON, "death"),
        _mdr("deterioration", 10, *_PERSON, "serious_deterioration"),
        _mdr(
            "public_health",
            2,
            "immediately, and not later than 2 days after the manufacturer becomes aware of that threat",
            "Art. 87(4)",
            "public_health_threat",
        ),
        Clock(
            name="field_action",
            regime="mdr_87",
            trigger=Trigger.AWARE,
            offset=None,
            quote="without undue delay, report the field safety corrective action in advance of the field safety "
            "corrective action being undertaken",
            article="Art. 87(8)",
            verbatim=False,  # shortened by a reference to paragraph 1
            needs=("field_action",),
        ),
    ),
)

REGIMES = (*HIPAA, FDA_30, FDA_5, FDA_USER, MDR)
