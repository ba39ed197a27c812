"""Clocks of the EU's data protection, security and device law: GDPR, NIS2, DORA, CRA, MDR."""

from datetime import date

from schemas.regulation.clocks import Clock, Offset, Regime, Roll, Trigger, Unit

_READ = date(2026, 11, 21)


def _hours(number: int) -> Offset:
    return Offset(number=number, unit=Unit.HOURS)


def _days(number: int) -> Offset:
    return Offset(number=number, unit=Unit.CALENDAR_DAYS)


_MONTH = Offset(number=1, unit=Unit.MONTHS)

GDPR_33 = Regime(
    name="gdpr_33",
    title="GDPR: notification of a personal data breach",
    citation="Regulation (EU) 2016/679, Article 33",
    verified_on=_READ,
    roles=("controller", "processor"),
    recipient="competent supervisory authority",
    note="Later than 72 hours: with the reasons for the delay. In phases where needed; every breach is documented. "
    "COM(2025) 837 would make it 96 hours for high risk only; it was tabled, not adopted, on 1 August 2026.",
    clocks=(
        Clock(
            name="authority",
            regime="gdpr_33",
            trigger=Trigger.AWARE,
            offset=_hours(72),
            quote="without undue delay and, where feasible, not later than 72 hours after having become aware of it",
            article="Art. 33(1)",
        ),
        Clock(
            name="controller",
            regime="gdpr_33",
            trigger=Trigger.AWARE,
            offset=None,
            quote="The processor shall notify the controller without undue delay after becoming aware of a personal "
            "data breach",
            article="Art. 33(2)",
            needs=("processor",),
            authority="controller",
        ),
    ),
)

GDPR_34 = Regime(
    name="gdpr_34",
    title="GDPR: communication of a breach to the persons",
    citation="Regulation (EU) 2016/679, Article 34",
    verified_on=_READ,
    roles=("controller",),
    recipient="the persons whose data it is",
    clocks=(
        Clock(
            name="persons",
            regime="gdpr_34",
            trigger=Trigger.AWARE,
            offset=None,
            quote="the controller shall communicate the personal data breach to the data subject without undue delay",
            article="Art. 34(1)",
            needs=("high_risk_to_persons",),
        ),
    ),
)

NIS2 = Regime(
    name="nis2_23",
    title="NIS2: significant incident",
    citation="Directive (EU) 2022/2555, Article 23(4)",
    verified_on=_READ,
    roles=("essential entity", "important entity"),
    recipient="CSIRT or competent authority of the Member State",
    note="An intermediate report is due when the authority asks for one. National law may be stricter.",
    clocks=(
        Clock(
            name="early_warning",
            regime="nis2_23",
            trigger=Trigger.AWARE,
            offset=_hours(24),
            quote="without undue delay and in any event within 24 hours of becoming aware of the significant incident, "
            "an early warning",
            article="Art. 23(4)(a)",
        ),
        Clock(
            name="notification",
            regime="nis2_23",
            trigger=Trigger.AWARE,
            offset=_hours(72),
            quote="without undue delay and in any event within 72 hours of becoming aware of the significant incident, "
            "an incident notification",
            article="Art. 23(4)(b)",
        ),
        Clock(
            name="final",
            regime="nis2_23",
            trigger=Trigger.PRIOR_SUBMISSION,
            offset=_MONTH,
            quote="a final report not later than one month after the submission of the incident notification under "
            "point (b)",
            article="Art. 23(4)(d)",
            roll=Roll.EU,
            after="notification",
        ),
    ),
)

DORA = Regime(
    name="dora_19",
    title="DORA: major ICT-related incident",
    citation="Regulation (EU) 2022/2554, Article 19; Delegated Regulation (EU) 2025/301, Article 5",
    verified_on=_READ,
    roles=("financial entity",),
    recipient="competent authority of the financial entity",
    note="Tell the authority before a time limit is missed (Art. 5(3)). Classified only after the 24 hours: four hours "
    "from then. Two incidents in six months with one root cause can add up to a major one (Delegated Regulation (EU) "
    "2024/1772, Art. 8).",
    clocks=(
        Clock(
            name="initial",
            tier="classified",
            regime="dora_19",
            trigger=Trigger.CLASSIFIED_MAJOR,
            offset=_hours(4),
            quote="within four hours from the classification of the ICT-related incident as a major ICT-related "
            "incident",
            article="Delegated Regulation (EU) 2025/301, Art. 5(1)(a) and 5(2)",
            roll=Roll.DORA,
        ),
        Clock(
            name="initial",
            tier="aware",
            regime="dora_19",
            trigger=Trigger.AWARE,
            offset=_hours(24),
            quote="no later than 24 hours from the moment the financial entity has become aware of the ICT-related "
            "incident",
            article="Delegated Regulation (EU) 2025/301, Art. 5(1)(a)",
            roll=Roll.DORA,
            lapses=Trigger.CLASSIFIED_MAJOR,
        ),
        Clock(
            name="intermediate",
            regime="dora_19",
            trigger=Trigger.PRIOR_SUBMISSION,
            offset=_hours(72),
            quote="at the latest within 72 hours from the submission of the initial notification, even where the "
            "status or the handling of the incident have not changed",
            article="Delegated Regulation (EU) 2025/301, Art. 5(1)(b)",
            roll=Roll.DORA,
            after="initial",
        ),
        Clock(
            name="final",
            regime="dora_19",
            trigger=Trigger.PRIOR_SUBMISSION,
            offset=_MONTH,
            quote="no later than one month after either the submission of the intermediate report, or, where "
            "applicable, after the latest updated intermediate report",
            article="Delegated Regulation (EU) 2025/301, Art. 5(1)(c)",
            roll=Roll.DORA_FINAL,
            after="intermediate",
        ),
    ),
)


def _cra(name: str, offset: Offset, quote: str, article: str) -> Clock:
    exploited = "vulnerability" in name
    return Clock(
        name=name,
        regime="cra_14",
        trigger=Trigger.AWARE,
        offset=offset,
        quote=quote,
        article=article,
        needs=("exploited_vulnerability",) if exploited else ("severe_incident",),
    )


CRA = Regime(
    name="cra_14",
    title="Cyber Resilience Act: exploited vulnerability, severe incident",
    citation="Regulation (EU) 2024/2847, Article 14",
    applies_from=date(2026, 9, 11),
    verified_on=_READ,
    roles=("manufacturer of a product with digital elements",),
    recipient="CSIRT designated as coordinator and ENISA, through the single reporting platform",
    clocks=(
        _cra(
            "vulnerability_warning",
            _hours(24),
            "without undue delay and in any event within 24 hours of the manufacturer becoming aware of it",
            "Art. 14(2)(a)",
        ),
        _cra(
            "vulnerability_notification",
            _hours(72),
            "without undue delay and in any event within 72 hours of the manufacturer becoming aware of the actively "
            "exploited vulnerability",
            "Art. 14(2)(b)",
        ),
        Clock(
            name="vulnerability_final",
            regime="cra_14",
            trigger=Trigger.REMEDY_AVAILABLE,
            offset=_days(14),
            quote="a final report, no later than 14 days after a corrective or mitigating measure is available",
            article="Art. 14(2)(c)",
            roll=Roll.EU,
            needs=("exploited_vulnerability",),
        ),
        _cra(
            "incident_warning",
            _hours(24),
            "without undue delay and in any event within 24 hours of the manufacturer becoming aware of it",
            "Art. 14(4)(a)",
        ),
        _cra(
            "incident_notification",
            _hours(72),
            "without undue delay and in any event within 72 hours of the manufacturer becoming aware of the incident",
            "Art. 14(4)(b)",
        ),
        Clock(
            name="incident_final",
            regime="cra_14",
            trigger=Trigger.PRIOR_SUBMISSION,
            offset=_MONTH,
            quote="a final report, within one month after the submission of the incident notification under point (b)",
            article="Art. 14(4)(c)",
            roll=Roll.EU,
            after="incident_notification",
            needs=("severe_incident",),
        ),
    ),
)

REGIMES = (GDPR_33, GDPR_34, NIS2, DORA, CRA)
