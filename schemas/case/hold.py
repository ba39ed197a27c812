"""The hold on evidence: what may not be deleted or changed while it stands, and who lets it go."""

from dataclasses import dataclass

from schemas.avro import Millis


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldVersion:
    """A model version that is held, and the reference profile that it was judged by (empty where it has none)."""

    model: str
    version: str
    profile: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseHold:
    """Agree that the evidence need not be held any longer; two persons must, one of them of the role legal."""

    incident: str
    reason: str
    repeat: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceHeld:
    """These versions are held, with what they decided since `since`, the policy and the systems as declared then.

    policy, systems
        Digests of the documents in force.
    """

    incident: str
    held: tuple[HeldVersion, ...]
    since: Millis
    policy: str
    systems: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseAgreed:
    """One person agreed to let the evidence go; `legal` when that person has the role legal."""

    incident: str
    principal: str
    legal: bool
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldReleased:
    """Two persons agreed, one of them legal: retention may delete again."""

    incident: str
    principals: tuple[str, ...]


COMMANDS = (ReleaseHold,)
EVENTS = (EvidenceHeld, ReleaseAgreed, HoldReleased)
