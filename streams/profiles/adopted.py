"""The reference profiles that the ledger adopted, read from the documents topic and ready for monitors."""

from collections.abc import Mapping

import structlog

from agents.detection import reference
from agents.detection.reference import Adopted
from schemas.errors import SchemaError
from streams.documents import fetch
from streams.kafka import Clients
from streams.settings import Settings

_LOG = structlog.get_logger("profiles")


class Profiles:
    """Reads each adopted profile once.

    Parameters
    ----------
    settings
        Where the documents are.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._known: dict[str, Adopted] = {}

    def of(self, adopted: Mapping[tuple[str, str], str]) -> dict[tuple[str, str], Adopted]:
        """Return the profile of each model and version; one that is not there, or no profile, is told and left out.

        Such a version learns from its first rows, as one that has no profile does.
        """
        missing = set(adopted.values()) - self._known.keys()
        documents = fetch(Clients(self._settings), self._settings.ledger, missing)
        for digest in sorted(missing):
            if digest not in documents:
                _LOG.error("a profile is not among the documents; `headgate profile adopt` files it", digest=digest)
                continue
            try:
                known = reference.read(documents[digest])
                reference.try_out(known)
            except SchemaError as error:
                _LOG.error("a profile cannot be used", digest=digest, reason=str(error))
                continue
            self._known[digest] = Adopted(digest, known.learnt)
        return {key: self._known[digest] for key, digest in adopted.items() if digest in self._known}
