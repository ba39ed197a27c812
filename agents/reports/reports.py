"""Every report by name, and how it is made."""

from collections.abc import Callable, Mapping

from agents.reports.anonymous import anonymous
from agents.reports.document import Report
from agents.reports.fact import Fact
from agents.reports.facts import gather
from agents.reports.form import Form, fill
from agents.reports.forms import art73, dora, gdpr, gpai, nis2, oecd
from agents.reports.mapping import mapping
from agents.reports.record import Record
from agents.reports.summary import summary
from schemas.errors import HeadgateError

FORMS: Mapping[str, Form] = {
    form.name: form for form in (art73.FORM, gpai.FORM, oecd.FORM, gdpr.FORM, nis2.FORM, dora.FORM)
}
_OWN: Mapping[str, Callable[[Mapping[str, Fact], Record], Report]] = {
    "summary": summary,
    "mapping": mapping,
    "anonymised": lambda _, record: anonymous(record),
}
NAMES: Mapping[str, str] = {
    **{name: f"{form.title}: {form.basis}" for name, form in FORMS.items()},
    "summary": "What happened, in plain words, for a judge or a manager",
    "mapping": "What the record shows of NIST AI RMF and ISO/IEC 42001",
    "anonymised": "A summary to share: no names, no exact times, nobody's own words",
}
"""What `headgate report forms` lists."""


def report(name: str, record: Record) -> Report:
    """Return a report of an incident; HeadgateError where there is no form of that name."""
    facts = gather(record)
    if name in FORMS:
        return fill(FORMS[name], facts, record)
    if name in _OWN:
        return _OWN[name](facts, record)
    raise HeadgateError(f"there is no form {name[:40]!r}; `headgate report forms` lists them")
