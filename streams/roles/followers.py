"""Makes each role that follows the audit topic, with its key and what it reaches."""

from schemas.errors import PolicyError
from streams.ledger.keyring import Identity, load
from streams.roles.approval import Approval
from streams.roles.clocks import Clocks
from streams.roles.loop import Role
from streams.roles.projector import Projector
from streams.roles.recovery import RecoveryWatch
from streams.roles.remediation import Remediation
from streams.settings import Settings
from streams.targets.adapter import Target

KEYS = {"output_audit": "evidence", "lineage": "evidence", "reviews": "evidence", "clocks": "paging"}
"""Roles that sign with another role's key: they may say no more than that role."""


def follower(settings: Settings, name: str) -> Role:
    """Return a role by its name."""
    if name == "projector":
        return Projector(settings)
    identity = load(settings.keys_directory, KEYS.get(name, name))
    match name:
        case "approval":
            return Approval(identity)
        case "recovery":
            return RecoveryWatch(settings, identity)
        case "clocks":
            return Clocks(identity)
        case "paging":
            from streams.roles.paging import PagingRole

            return PagingRole(settings, identity)
        case "evidence" | "output_audit" | "lineage":
            return _attaching(settings, name, identity)
        case "reviews":
            from streams.roles.reviews import ReviewQueue

            return ReviewQueue(settings, identity)
        case "remediation":
            return Remediation(identity, targets(settings))
    raise PolicyError(f"{name} is no role that follows the ledger")


def _attaching(settings: Settings, name: str, identity: Identity) -> Role:
    """Return a role that attaches evidence; each is imported where it runs, for what it brings along."""
    match name:
        case "output_audit":
            from streams.roles.output_audit import OutputAudit

            return OutputAudit(settings, identity)
        case "lineage":
            from streams.roles.lineage import LineageRole

            return LineageRole(settings, identity)
    from streams.archive.evidence import EvidenceFreezer

    return EvidenceFreezer(settings, identity)


def targets(settings: Settings) -> dict[str, Target]:
    """Return the adapter of each target scheme that the settings reach."""
    found: dict[str, Target] = {}
    if settings.envoy_admin:
        from streams.targets.envoy import EnvoyTarget

        found["envoy"] = EnvoyTarget(settings.envoy_admin)
    if settings.mlflow_uri:
        from streams.targets.mlflow_registry import MlflowTarget

        found["mlflow"] = MlflowTarget(settings.mlflow_uri)
    return found
