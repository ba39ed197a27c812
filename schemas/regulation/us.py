"""Clocks of the United States' securities, frontier-model and workplace law, and duties without a statute's clock."""

# Colorado has no clock: SB 24-205, which had 90 days to the Attorney General, was repealed by SB 26-189 (signed 14 May
# 2026, effective 1 January 2027). What took its place asks for explanations, review and records, not incident reports.

from datetime import date

from schemas.regulation.clocks import Clock, Offset, Regime, Trigger, Unit

_READ = date(2026, 11, 21)


def _hours(number: int) -> Offset:
    return Offset(number=number, unit=Unit.HOURS)


_FOUR = Offset(number=4, unit=Unit.BUSINESS_DAYS)

SEC = Regime(
    name="sec_8k_105",
    title="SEC: material cybersecurity incident",
    citation="Form 8-K, Item 1.05 and General Instruction B.1",
    verified_on=_READ,
    roles=("registrant",),
    recipient="Securities and Exchange Commission",
    note="Materiality is determined without unreasonable delay after discovery. The Attorney General may have it "
    "delayed, by 30, 30 and 60 days. Until materiality is determined the clock is shown from awareness.",
    clocks=(
        Clock(
            name="report",
            regime="sec_8k_105",
            trigger=Trigger.MATERIAL,
            offset=_FOUR,
            quote="within four business days after the registrant determines that it has experienced a material "
            "cybersecurity incident",
            article="Form 8-K, General Instruction B.1",
        ),
        Clock(
            name="amendment",
            regime="sec_8k_105",
            trigger=Trigger.NEW_INFORMATION,
            offset=_FOUR,
            quote="within four business days after the registrant, without unreasonable delay, determines such "
            "information or within four business days after such information becomes available",
            article="Form 8-K, Item 1.05, Instruction 2",
            after="report",
        ),
    ),
)

_FRONTIER = "an authority that is appropriate to the incident, such as law enforcement or public safety"
SB_53 = Regime(
    name="sb53",
    title="California SB 53: critical safety incident",
    citation="California Business and Professions Code § 22757.13",
    verified_on=_READ,
    roles=("frontier developer",),
    recipient="Office of Emergency Services",
    clocks=(
        Clock(
            name="report",
            regime="sb53",
            trigger=Trigger.DISCOVERED,
            offset=Offset(number=15, unit=Unit.CALENDAR_DAYS),
            quote="to the Office of Emergency Services within 15 days of discovering the critical safety incident",
            article="§ 22757.13(c)(1)",
        ),
        Clock(
            name="imminent",
            regime="sb53",
            trigger=Trigger.DISCOVERED,
            offset=_hours(24),
            quote="shall disclose that incident within 24 hours to an authority",
            article="§ 22757.13(c)(2)",
            needs=("imminent_risk",),
            authority=_FRONTIER,
        ),
    ),
)

RAISE = Regime(
    name="raise",
    title="New York RAISE Act: critical safety incident",
    citation="New York General Business Law § 1422",
    applies_from=date(2027, 1, 1),
    verified_on=_READ,
    roles=("frontier developer",),
    recipient="the office in the Department of Financial Services",
    note="It counts from a determination, or from facts that make a reasonable belief: until the first is recorded, "
    "from awareness.",
    clocks=(
        Clock(
            name="report",
            regime="raise",
            trigger=Trigger.DETERMINED,
            offset=_hours(72),
            quote="within seventy-two hours from a determination that a critical safety incident has occurred or "
            "within seventy-two hours of the frontier developer learning facts sufficient to establish a reasonable "
            "belief that a critical safety incident has occurred",
            article="§ 1422(3)(a)",
        ),
        Clock(
            name="imminent",
            regime="raise",
            trigger=Trigger.DISCOVERED,
            offset=_hours(24),
            quote="shall disclose that incident within twenty-four hours to an authority",
            article="§ 1422(3)(b)",
            needs=("imminent_risk",),
            authority=_FRONTIER,
        ),
    ),
)


def _injury(tier: str, need: str) -> Clock:
    return Clock(
        name="severe_injury",
        tier=tier,
        regime="osha_1904_39",
        trigger=Trigger.OCCURRED,
        offset=_hours(24),
        quote="Within 24 hours after the in-patient hospitalization of one or more employees, or an employee's "
        "amputation, or an employee's loss of an eye, as a result of a work-related incident",
        article="29 CFR 1904.39(a)(2)",
        verbatim=False,
        needs=(need,),
    )


OSHA = Regime(
    name="osha_1904_39",
    title="OSHA: work-related death or severe injury",
    citation="29 CFR 1904.39",
    verified_on=_READ,
    roles=("employer",),
    recipient="Occupational Safety and Health Administration",
    note="Where a robot or another AI-driven machine hurts an employee. Numbers and wording were read in secondary "
    "copies only; check both before filing.",
    clocks=(
        Clock(
            name="fatality",
            regime="osha_1904_39",
            trigger=Trigger.OCCURRED,
            offset=_hours(8),
            quote="Within eight (8) hours after the death of any employee as a result of a work-related incident",
            article="29 CFR 1904.39(a)(1)",
            needs=("worker_death",),
        ),
        _injury("hospitalization", "worker_hospitalized"),
        _injury("amputation", "worker_amputation"),
        _injury("eye_loss", "worker_eye_loss"),
    ),
)

SOX = Regime(
    name="sox_deficiency",
    title="SOX: deficiency of internal control over financial reporting",
    citation="Sarbanes-Oxley Act, sections 302, 404 and 802",
    verified_on=_READ,
    roles=("issuer",),
    recipient="management, and the auditor",
    note="No clock for incidents (read in secondary sources only). A remediated model inside financial reporting needs "
    "a change that was authorised, tested and can be traced. Seven years of retention: unverified.",
)

INTERNAL = Regime(
    name="internal_audit",
    title="Internal audit",
    citation="the organisation's own rules",
    verified_on=_READ,
    roles=("operator",),
    recipient="internal audit",
    note="No clock of its own: an organisation declares one as a contract clock.",
)

CONTRACT = Regime(
    name="customer_contract",
    title="Contracts with customers and vendors",
    citation="the contract",
    verified_on=_READ,
    roles=("party to the contract",),
    recipient="the other party",
    note="Its clocks stand in the records of vendors and systems, each with the clause that carries its number.",
)

REGIMES = (SEC, SB_53, RAISE, OSHA, SOX, INTERNAL, CONTRACT)
