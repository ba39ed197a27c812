"""Drafts for people outside: affected users, partners and the vendor. Nothing that a person wrote is copied."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from agents.communication.telling import UNKNOWN, Part, Told, as_of, moment, next_word, progress, since, some
from agents.communication.vendors import slas
from agents.reports.words import HAPPENED, SEVERE
from schemas.values import Category

SERVICE: Mapping[Category, str] = MappingProxyType(
    {
        Category.DATA_DRIFT: "received data of a kind that it was not built for; some of its answers may be wrong",
        Category.DATA_QUALITY: "received damaged or incomplete data; some of its answers may be wrong",
        Category.CONFIDENCE: "became unsure of its own answers; some of them may be wrong",
        Category.PERFORMANCE: "gave more wrong answers than it may",
        Category.FAIRNESS: "may have treated groups of people differently",
        Category.ATTACK: "may have been misused by somebody; some of its answers may be wrong",
        Category.OUTPUT_SAFETY: "gave answers that it must not give",
        Category.INFRASTRUCTURE: "did not work reliably",
        Category.HUMAN_REPORT: "is reported to fail; whether that is so is being looked at",
    }
)
"""What a service did, in words for people who know nothing of models."""


def happened(told: Told) -> str:
    """Return what happened for a reader outside."""
    return f"A service of ours that answers by itself {SERVICE[told.case.category]}."


def affected_users(told: Told) -> Iterator[Part]:
    """Return the message to the people about whom the service decided."""
    yield "", (as_of(told),)
    yield "What happened", (happened(told),)
    yield "Since when", since(told)
    yield (
        "Who is affected",
        (
            "People to whom, or about whom, this service gave an answer in that time.",
            "How many these are: unknown. Whether you are one of them: ask us.",
        ),
    )
    yield "What we have done", (progress(told.case),)
    yield "What is not known", _unknown(told)
    yield (
        "What you should do",
        (
            "If an answer from this time seems wrong to you, or a decision rests on it, ask us to look at it again.",
            "A person will look at it. You need not do anything else.",
        ),
    )
    yield next_word(told)


def partners(told: Told) -> Iterator[Part]:
    """Return the message to those who use the service's answers in work of their own."""
    yield "", (as_of(told),)
    yield "What happened", (happened(told), f"Its seriousness, as we judge it, is {SEVERE[told.case.severity]}.")
    yield "Since when", since(told)
    yield "Who is affected", ("Whoever used answers of this service in that time. How many people: unknown.",)
    yield "What we have done", (progress(told.case),)
    yield "What is not known", _unknown(told)
    do = [
        "Treat answers that you had from this service in that time as unconfirmed.",
        "Look again at what rests on them.",
    ]
    if told.over:
        do.append("Its answers are as usual again, as far as is known.")
    else:
        do.append("Do not rely on its answers alone until we write that it is over.")
    yield "What you should do", (*do, "Find out whether you owe a report to an authority or to your own customers.")
    yield next_word(told)


def _unknown(told: Told) -> tuple[str, ...]:
    lines = ["How many people are affected."]
    if not told.case.learning.roots:
        lines.append("Why it happened.")
    if not told.over:
        lines.append("When it will be over.")
    return tuple(lines)


def vendor_draft(told: Told, name: str) -> Iterator[Part]:
    """Return the message to a vendor: what we see of their system, and what they owe by contract."""
    case, vendor = told.case, told.vendors.get(name)
    theirs = {
        system: declared
        for system, declared in told.touched.items()
        if vendor is not None and declared.vendor is not None and declared.vendor.name == name
    }
    models = {model for declared in theirs.values() for model in declared.models}
    versions = [f"{one.model} version {one.version}" for one in case.affected if one.model in models]
    yield "", (as_of(told), f"To: {name or UNKNOWN}, {vendor.contact if vendor else 'contact unknown'}")
    yield (
        "What happened",
        (
            f"What we see of what you provide to us: {HAPPENED[case.category]}.",
            f"Your system, as we call it: {some(sorted(theirs))}. Concerned: {some(versions)}.",
            f"Its seriousness, as we judge it, is {SEVERE[case.severity]}.",
        ),
    )
    yield "Since when", since(told)
    yield "Who is affected", ("How many people: unknown.",)
    yield "What we have done", (progress(case),)
    yield "What is not known", ("Whether anything was changed on your side, and when.", *_unknown(told))
    yield "By when we expect you, by our contract", _clocks(told, name)
    yield "What you owe us as evidence", tuple(f"- {one}" for one in vendor.evidence_owed) if vendor else ()
    yield "What you should do", tuple(_do(told, name))
    yield next_word(told)


def _clocks(told: Told, name: str) -> tuple[str, ...]:
    vendor = told.vendors.get(name)
    if vendor is None or not vendor.sla_hours:
        return ("unknown: our record of you names no times",)
    return tuple(
        f"- {one.name}: met {moment(one.met_at)}"
        if one.met_at
        else f"- {one.name}: {one.hours:g} hours, so by {moment(one.due)}"
        if one.due is not None
        else f"- {one.name}: {one.hours:g} hours from the declaration, which is still to come"
        for one in slas(told.case, vendor)
    )


def _do(told: Told, name: str) -> Iterator[str]:
    vendor = told.vendors.get(name)
    yield "Confirm that you have read this. Tell us what you changed since it began, and what you see yourselves."
    yield "Keep everything that bears on it."
    rollback = vendor.rollback if vendor else None
    if rollback:
        yield "Say when you can bring the earlier version back; our record says that you can."
    elif rollback is None:
        yield "Say whether you can bring an earlier version back: unknown to us."
    if vendor is not None and not vendor.fallback:
        yield "Say what does the work meanwhile: unknown to us."
