"""Which receivers are set up on this machine: `terminal` always, and webhooks as a file declares them.

Addresses and secrets belong to where Headgate runs, so they stand in a file of their own, never in the on-call
document, which goes into the ledger.
"""

from pathlib import Path

from pydantic import Field

from schemas import documents
from schemas.addressees import Name
from schemas.documents import Frozen
from schemas.errors import PolicyError
from streams.oncall.port import Receiver
from streams.oncall.terminal import TerminalReceiver
from streams.oncall.webhook import WebhookReceiver

_MOST = 4096


class Webhook(Frozen):
    """One web address."""

    url: str
    secret_files: tuple[Path, ...] = Field(
        min_length=1, max_length=4, description="files that hold whsec_…; several while secrets are changed"
    )
    timeout: float = Field(10.0, gt=0, le=60, description="seconds for one try")


class Receivers(Frozen):
    """The whole file."""

    version: int = Field(ge=1, le=1)
    webhooks: dict[Name, Webhook] = Field(default_factory=dict, max_length=50)


def load(file: Path | None) -> dict[str, Receiver]:
    """Return the receivers by name; a secret's path is relative to the file.

    Raises
    ------
    PolicyError
        The file, an address or the file of a secret cannot be used.
    KeyRefusedError
        A secret cannot be used.
    """
    found: dict[str, Receiver] = {"terminal": TerminalReceiver("terminal")}
    if file is None:
        return found
    with file.open("rb") as opened:
        declared = documents.read(Receivers, opened.read(documents.MAX_DOCUMENT_BYTES + 1), str(file))
    for name, webhook in declared.webhooks.items():
        if name in found:
            raise PolicyError(f"{file}: {name} is set up already; give the webhook another name")
        secrets = [_secret(file.parent / path) for path in webhook.secret_files]
        found[name] = WebhookReceiver(name, webhook.url, secrets, webhook.timeout)
    return found


def _secret(path: Path) -> str:
    try:
        with path.open("rb") as opened:
            return opened.read(_MOST).decode("ascii")
    except (OSError, ValueError):
        raise PolicyError(f"the secret in {path} cannot be read; write whsec_… into it") from None
