"""What the record of one incident shows of the NIST AI RMF's outcomes and of ISO/IEC 42001's controls."""

from collections.abc import Mapping

from agents.reports.document import Part, Report
from agents.reports.fact import Fact
from agents.reports.form import block
from agents.reports.record import Record
from schemas.regulation.frameworks import ISO_42001, ISO_42001_VERSION, NIST_AI_RMF, NIST_AI_RMF_VERSION, Control

_SHOWN: Mapping[str, tuple[str, ...]] = {
    "GOVERN 4.3": ("signals", "how_detected"),
    "GOVERN 6.2": ("vendor", "fallback"),
    "MEASURE 2.4": ("signals", "evidence"),
    "MEASURE 2.6": ("contained_by", "fallback"),
    "MEASURE 2.7": ("technique",),
    "MEASURE 2.9": ("evidence",),
    "MEASURE 2.10": ("sensitivity",),
    "MEASURE 2.11": ("groups",),
    "MEASURE 3.3": ("how_detected", "reviews"),
    "MANAGE 2.3": ("contained_by", "approvers", "resolved"),
    "MANAGE 2.4": ("contained_by", "fallback", "approvers"),
    "MANAGE 3.1": ("vendor",),
    "MANAGE 3.2": (),
    "MANAGE 4.1": ("contained_by", "remedied_by", "resolved"),
    "MANAGE 4.2": ("post_mortem", "tasks"),
    "MANAGE 4.3": ("messages", "reports", "duties", "decisions"),
    "10.2": ("post_mortem", "root_causes", "tasks"),
    "A.3.3": (),
    "A.6.2.6": ("signals", "phase"),
    "A.6.2.8": ("ledger", "evidence"),
    "A.8.2": ("messages",),
    "A.8.3": (),
    "A.8.4": ("messages",),
    "A.8.5": ("reports",),
    "A.10.2": ("duties", "system_owner"),
    "A.10.3": ("vendor",),
}
_TITLES: Mapping[str, str] = {
    "signals": "signals",
    "how_detected": "detection",
    "vendor": "vendor or in-house",
    "fallback": "fallback",
    "evidence": "evidence kept",
    "contained_by": "containment",
    "technique": "attack technique",
    "sensitivity": "class of data",
    "groups": "groups compared",
    "approvers": "approval",
    "resolved": "resolution",
    "remedied_by": "remedy",
    "post_mortem": "post-mortem",
    "tasks": "tasks with owners",
    "reports": "statutory reports",
    "duties": "duties",
    "decisions": "decisions",
    "root_causes": "root causes",
    "phase": "state of the case",
    "messages": "messages sent",
    "reviews": "single decisions reviewed",
    "ledger": "signed ledger",
    "system_owner": "owner",
}
_COLUMNS = ("Id", "Title", "Headgate records", "This incident shows", "Not shown")


def mapping(facts: Mapping[str, Fact], record: Record) -> Report:
    """Return the table: each outcome and control, and what of it this incident shows or does not."""
    return Report(
        form="mapping",
        title="What the record shows of NIST AI RMF and ISO/IEC 42001",
        basis=f"NIST AI RMF {NIST_AI_RMF_VERSION}; {ISO_42001_VERSION}",
        facts=block(record),
        notices=(
            "This shows what one incident leaves as evidence. It is a draft and certifies nothing.",
            "An auditor judges conformity.",
        ),
        parts=(
            Part(number="1", title="NIST AI RMF", columns=_COLUMNS, rows=_rows(NIST_AI_RMF, facts)),
            Part(
                number="2",
                title="ISO/IEC 42001, Annex A and clause 10.2",
                columns=_COLUMNS,
                rows=_rows(ISO_42001, facts),
            ),
        ),
    )


def _rows(controls: tuple[Control, ...], facts: Mapping[str, Fact]) -> tuple[tuple[str, ...], ...]:
    return tuple(_row(control, facts) for control in controls)


def _row(control: Control, facts: Mapping[str, Fact]) -> tuple[str, ...]:
    names = _SHOWN.get(control.id, ())
    shown = [f"{_TITLES[name]}{_at(facts[name])}" for name in names if facts[name].value]
    without = [f"{_TITLES[name]}: {facts[name].unknown}" for name in names if not facts[name].value]
    if not names:
        without = ["unknown: a single incident's record does not show it"]
    title = control.title if control.verified else f"{control.title} (title not verified)"
    return (control.id, title, control.records, "; ".join(shown) or "nothing", "; ".join(without) or "–")


def _at(fact: Fact) -> str:
    numbers = ", ".join(str(entry) for entry in fact.entries[:4])
    more = ", …" if len(fact.entries) > 4 else ""
    return f" (entries {numbers}{more})" if numbers else ""
