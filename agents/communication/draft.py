"""A draft for each audience from the record of an incident, in plain language; what is not known is called unknown.

What outsiders read is made of our own words, of times and of the vendor's own record: no sentence that a person wrote
about the incident, no name of a person, and for users and partners no name of a model or system can stand in it.
"""

from collections.abc import Iterator

from agents.communication.insiders import customer_service, executive, legal
from agents.communication.outsiders import affected_users, partners, vendor_draft
from agents.communication.telling import Part, Told
from schemas.case.messages import Audience
from schemas.errors import HeadgateError

_EXERCISE = ("EXERCISE: nothing real went wrong. This goes to nobody outside.", "")


def draft(audience: Audience, told: Told, vendor: str = "") -> str:
    """Return what an audience is told; HeadgateError where several vendors are touched and none is named.

    Parameters
    ----------
    vendor
        Which vendor is told; needed only where the incident touches systems of several.
    """
    match audience:
        case Audience.EXECUTIVE:
            parts = executive(told)
        case Audience.LEGAL:
            parts = legal(told)
        case Audience.CUSTOMER_SERVICE:
            parts = customer_service(told)
        case Audience.AFFECTED_USERS:
            parts = affected_users(told)
        case Audience.PARTNERS:
            parts = partners(told)
        case Audience.VENDOR:
            parts = vendor_draft(told, _chosen(told, vendor))
    return "\n".join([*_EXERCISE, *_lines(parts)] if told.drill else _lines(parts))


def _chosen(told: Told, name: str) -> str:
    names = list(told.vendors)
    if name and name not in names:
        raise HeadgateError(
            f"no system that the incident touches is of this vendor; known: {', '.join(names) or 'none'}"
        )
    if not name and len(names) > 1:
        raise HeadgateError(f"several vendors are touched, and each reads only its own: name one of {', '.join(names)}")
    return name or (names[0] if names else "")


def _lines(parts: Iterator[Part]) -> Iterator[str]:
    for number, (heading, said) in enumerate(parts):
        if number:
            yield ""
        if heading:
            yield heading
        yield from said or ("unknown",)
