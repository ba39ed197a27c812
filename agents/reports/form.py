"""A form as data, and the one function that fills any of them from facts: what is missing is said, never left blank."""

from collections.abc import Mapping
from dataclasses import dataclass

from agents.ledger.regions.clocks import ClockState, Counted
from agents.reports.document import Answer, Part, Report
from agents.reports.fact import NOT_RECORDED, Fact
from agents.reports.facts import filing, state_of
from agents.reports.record import Record
from agents.reports.words import when
from schemas.regulation.catalogue import REGIMES
from schemas.regulation.clocks import Regime


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field: number and label as in the form, the names of the facts that fill it, and what it asks for."""

    number: str
    label: str
    facts: tuple[str, ...] = ()
    hint: str = ""
    missing: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """Fields under one heading of the form."""

    number: str
    title: str
    fields: tuple[Field, ...]
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """A report's form.

    name
        What `--form` calls it.
    basis
        Law, framework or template, with its version.
    regimes
        Names of the catalogue whose clocks say by when it is due.
    note
        What has to be known of the form itself.
    """

    name: str
    title: str
    basis: str
    sections: tuple[Section, ...]
    regimes: tuple[str, ...] = ()
    note: str = ""


def fill(form: Form, facts: Mapping[str, Fact], record: Record) -> Report:
    """Return the form as far as the facts fill it."""
    known = {**facts, **filing(record, form.regimes)}
    parts = tuple(
        Part(
            number=section.number,
            title=section.title,
            text=(section.text,) if section.text else (),
            answers=tuple(answer(field, known) for field in section.fields),
        )
        for section in form.sections
    )
    return Report(
        form=form.name,
        title=form.title,
        basis=form.basis,
        facts=block(record),
        notices=(*notices(form, record), *([form.note] if form.note else [])),
        parts=parts,
    )


def answer(field: Field, facts: Mapping[str, Fact]) -> Answer:
    """Return the answer to a field: every fact that is known, and every one that is not, with the reason."""
    found = [facts.get(name, Fact(unknown=NOT_RECORDED)) for name in field.facts]
    missing = [*(fact.unknown for fact in found), field.missing or ("" if found else NOT_RECORDED)]
    return Answer(
        number=field.number,
        label=field.label,
        value="\n".join(fact.value for fact in found if fact.value),
        unknown="; ".join(dict.fromkeys(text.removesuffix(".") for text in missing if text)),
        entries=tuple(sorted({entry for fact in found for entry in fact.entries})),
        hint=field.hint,
    )


def block(record: Record) -> tuple[tuple[str, str], ...]:
    """Return what stands at the head of every report."""
    case, last = record.case, record.seen[-1]
    return (
        ("Incident", case.incident),
        ("System", case.system or "unknown"),
        ("Title", record.named(case.title) or "unknown"),
        ("Severity", case.severity.value.upper()),
        ("State", case.phase.value.replace("_", " ")),
        ("Exercise", "yes, a drill" if record.history.drill else "no"),
        ("As of", f"{when(last.at)}, entry {last.entry} of the ledger"),
    )


def notices(form: Form, record: Record) -> tuple[str, ...]:
    """Return what a reader has to know first: a draft, filed by a named person, by when."""
    draft = "This is a draft. Headgate files nothing: a named person checks it, completes it and files it."
    if record.history.drill:
        draft = "EXERCISE: nothing real went wrong. This is filed with nobody."
    if not form.regimes:
        return (draft,)
    every = [one for one in record.case.clocks.counted if one.regime.split(":", 1)[0] in form.regimes]
    counted = [one for one in every if one.state is not ClockState.SUPERSEDED]
    law = [_recipient(REGIMES[name]) for name in form.regimes]
    if not counted:
        named = " and ".join(REGIMES[name].citation for name in form.regimes)
        none = f"No clock of {named} runs on this case. Whether the duty applies is unknown until somebody decides."
        return (draft, none, *law)
    said = [f"{one.clock}: {state_of(one, record)}." for one in sorted(counted, key=_order)]
    return (draft, *said, *law)


def _recipient(regime: Regime) -> str:
    since = f" It applies from {regime.applies_from.isoformat()}." if regime.applies_from else ""
    return f"It goes to: {regime.recipient}. Duty of: {', '.join(regime.roles)}.{since}"


def _order(one: Counted) -> tuple[bool, int]:
    return (one.state is not ClockState.RUNNING, one.due)
