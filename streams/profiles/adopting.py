"""Has the ledger adopt a profile, and lists those that it adopted."""

from agents.detection.reference import digest as digest_of
from schemas.profiles import AdoptProfile
from streams.documents import file
from streams.kafka import Clients
from streams.ledger.keyring import Identity
from streams.settings import Settings
from streams.view.asking import OpenLedger
from streams.view.rendering import clean, emit, table, tell


def say_adopted(settings: Settings, who: Identity, key: tuple[str, str], data: bytes, *, as_json: bool) -> None:
    """File a profile among the documents and have a model version judged against it, unless it is already."""
    digest = digest_of(data)
    with OpenLedger(settings) as ledger:
        file(Clients(settings), settings.ledger, data)
        verdict = ledger.ask(who, AdoptProfile(model=key[0], version=key[1], digest=digest))
    tell(verdict, f"{key[0]} version {key[1]} is judged against {digest} from this entry on", as_json=as_json)


def say_list(settings: Settings, *, as_json: bool) -> None:
    """Print the profiles in force."""
    with OpenLedger(settings) as ledger:
        adopted = sorted(ledger.state.control.profiles.items())
    if as_json:
        emit([{"model": model, "version": version, "digest": digest} for (model, version), digest in adopted])
        return
    rows = [[clean(model), clean(version), digest] for (model, version), digest in adopted]
    table(("model", "version", "profile"), rows, "none is adopted; each version learns from its first rows")
