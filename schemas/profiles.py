"""Which reference profile judges a model version: asked by a person, recorded in the ledger."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class AdoptProfile:
    """Judge a model version against this reference profile from now on.

    digest
        SHA-256 of the profile's file, hexadecimal; its bytes stand in the documents topic under it.
    repeat
        Raised to say it again after another profile was adopted in between.
    """

    model: str
    version: str
    digest: str
    repeat: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileAdopted:
    """The model version is judged against the profile of this digest from the next entry on."""

    model: str
    version: str
    digest: str
