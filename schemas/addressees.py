"""Whom a page may be for: people, and the targets that stand for them."""

from typing import Annotated

from pydantic import Field, StringConstraints

from schemas.documents import Frozen

Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")]
Target = Annotated[str, StringConstraints(pattern=r"^(user|schedule|role|webhook):[a-z0-9][a-z0-9._-]{0,63}$")]
"""user:<person>, schedule:<name>, role:<name> or webhook:<receiver>; a webhook is told, but is nobody."""

Said = Annotated[str, StringConstraints(min_length=1, max_length=300)]


class Person(Frozen):
    """Somebody who may be paged."""

    name: Said = Field(description="as others know the person")
    principal: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:@-]{0,127}$", description="principal in the ledger")
    contacts: tuple[Name, ...] = Field(min_length=1, max_length=10, description="receivers to try, in this order")


def webhook(target: str) -> bool:
    """Whether the target is a machine: it is told, but reaching it reaches nobody."""
    return target.startswith("webhook:")


def name_of(target: str) -> str:
    """Return what follows the kind in a target."""
    return target.partition(":")[2]
