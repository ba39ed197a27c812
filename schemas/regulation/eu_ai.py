"""Clocks of the EU AI Act: serious incidents of high-risk systems, and of general-purpose models with systemic risk."""

from datetime import date

from schemas.regulation.clocks import Clock, Offset, Regime, Roll, Trigger, Unit

_READ = date(2026, 11, 21)
_DAYS = Unit.CALENDAR_DAYS
_HIGH_RISK = (
    "It reaches systems that Art. 6 makes high-risk: those of Annex III from 2 December 2027, those of Annex I from "
    "2 August 2028 (Regulation (EU) 2026/1744). Check role and classification with counsel. "
)

ART_73 = Regime(
    name="ai_act_art73",
    title="AI Act: report of a serious incident",
    citation="Regulation (EU) 2024/1689, Article 73",
    applies_from=date(2027, 12, 2),
    verified_on=_READ,
    roles=("provider", "deployer where the provider cannot be reached"),
    recipient="market surveillance authority of the Member State where the incident occurred",
    note=_HIGH_RISK
    + "Article 73 itself was not postponed. Systems on the provider's own general-purpose model, or inside a very "
    "large platform or search engine, report to the AI Office (Art. 75(1a)). These are days, not working days. Whether "
    "the roll-over of Regulation 1182/71 may be relied on is unsettled: keep to the strict due time. There is a "
    "draft of the guidance and its template; no final version was found.",
    clocks=(
        Clock(
            name="report",
            tier="general",
            regime="ai_act_art73",
            trigger=Trigger.AWARE,
            offset=Offset(number=15, unit=_DAYS),
            quote="not later than 15 days after the provider or, where applicable, the deployer, becomes aware of the "
            "serious incident",
            article="Art. 73(2)",
            roll=Roll.EU,
        ),
        Clock(
            name="report",
            tier="death",
            regime="ai_act_art73",
            trigger=Trigger.AWARE,
            offset=Offset(number=10, unit=_DAYS),
            quote="not later than 10 days after the date on which the provider or, where applicable, the deployer "
            "becomes aware of the serious incident",
            article="Art. 73(4)",
            roll=Roll.EU,
            needs=("death",),
        ),
        Clock(
            name="report",
            tier="widespread",
            regime="ai_act_art73",
            trigger=Trigger.AWARE,
            offset=Offset(number=2, unit=_DAYS),
            quote="immediately, and not later than two days after the provider or, where applicable, the deployer "
            "becomes aware of that incident",
            article="Art. 73(3)",
            roll=Roll.EU,
            needs=("widespread_infringement",),
        ),
        Clock(
            name="report",
            tier="infrastructure",
            regime="ai_act_art73",
            trigger=Trigger.AWARE,
            offset=Offset(number=2, unit=_DAYS),
            quote="immediately, and not later than two days after the provider or, where applicable, the deployer "
            "becomes aware of that incident",
            article="Art. 73(3) with Art. 3(49)(b)",
            roll=Roll.EU,
            needs=("critical_infrastructure",),
        ),
    ),
)

ART_26_5 = Regime(
    name="ai_act_art26_5",
    title="AI Act: what a deployer tells, and to whom first",
    citation="Regulation (EU) 2024/1689, Article 26(5)",
    applies_from=date(2027, 12, 2),
    verified_on=_READ,
    roles=("deployer",),
    recipient="the provider first, then importer or distributor and the market surveillance authority",
    note=_HIGH_RISK
    + "Use is suspended as well where it may present a risk. The draft guidance reads 'immediately' as 24 hours, and a "
    "provider that is silent for 24 hours as one that cannot be reached; the article has no number.",
    clocks=(
        Clock(
            name="risk",
            regime="ai_act_art26_5",
            trigger=Trigger.AWARE,
            offset=None,
            quote="they shall, without undue delay, inform the provider or distributor and the relevant market "
            "surveillance authority, and shall suspend the use of that system",
            article="Art. 26(5)",
            needs=("presents_risk",),
            authority="provider or distributor, and the market surveillance authority",
        ),
        Clock(
            name="serious",
            regime="ai_act_art26_5",
            trigger=Trigger.AWARE,
            offset=None,
            quote="they shall also immediately inform first the provider, and then the importer or distributor and the "
            "relevant market surveillance authorities of that incident",
            article="Art. 26(5)",
            needs=("serious_incident",),
        ),
    ),
)


def _initial(tier: str, number: int, quote: str, needs: tuple[str, ...]) -> Clock:
    return Clock(
        name="initial",
        tier=tier,
        regime="gpai_art55",
        trigger=Trigger.AWARE,
        offset=Offset(number=number, unit=_DAYS),
        quote=quote,
        article="Code of Practice, Safety and Security, Measure 9.3",
        verbatim=False,
        needs=needs,
    )


GPAI = Regime(
    name="gpai_art55",
    title="AI Act: serious incident of a general-purpose model with systemic risk",
    citation="Regulation (EU) 2024/1689, Article 55(1)(c); General-Purpose AI Code of Practice, Measure 9.3",
    verified_on=_READ,
    roles=("provider of a general-purpose AI model with systemic risk",),
    recipient="AI Office",
    note="The article says 'without undue delay' and applies already; the numbers are those of the Code of Practice, "
    "read through secondary sources only (unverified wording). Records are kept for at least five years.",
    clocks=(
        _initial(
            "infrastructure",
            2,
            "two days for a serious and irreversible disruption of critical infrastructure",
            ("critical_infrastructure",),
        ),
        _initial(
            "cybersecurity",
            5,
            "five days for a serious cybersecurity breach, including the (self-)exfiltration of model weights and "
            "cyberattacks",
            ("cybersecurity_breach",),
        ),
        _initial("death", 10, "10 days for a death", ("death",)),
        _initial("other", 15, "15 days otherwise", ()),
        Clock(
            name="interim",
            regime="gpai_art55",
            trigger=Trigger.PRIOR_SUBMISSION,
            offset=Offset(number=28, unit=_DAYS),
            quote="at least every four weeks after the initial report",
            article="Code of Practice, Safety and Security, Measure 9.3",
            verbatim=False,
            after="initial",
            repeats=True,
        ),
        Clock(
            name="final",
            regime="gpai_art55",
            trigger=Trigger.RESOLVED,
            offset=Offset(number=60, unit=_DAYS),
            quote="not later than 60 days after the serious incident has been resolved",
            article="Code of Practice, Safety and Security, Measure 9.3",
            verbatim=False,
        ),
    ),
)

REGIMES = (ART_73, ART_26_5, GPAI)
