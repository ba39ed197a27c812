"""The working days of an authority: public holidays of its country, and its local time."""

from importlib.resources import files
from zoneinfo import ZoneInfo

from agents.regulation.due import Calendar
from schemas.errors import PolicyError


def calendar(
    country: str, *, subdivision: str = "", zone: str = "", first_year: int, years: int = 3, exempt: bool = False
) -> Calendar:
    """Return the calendar of a country or subdivision, as the holidays library knows it; PolicyError where it cannot.

    For a report to an authority of the EU the country is the authority's Member State, not the reporter's. Without a
    zone the country's only one is taken. `exempt` is Calendar.exempt.
    """
    import holidays

    code = country.upper()
    try:
        days = holidays.country_holidays(
            code, subdiv=subdivision or None, years=range(first_year, first_year + years), language="en_US"
        )
    except NotImplementedError:
        known = ", ".join(holidays.list_supported_countries().get(code, [])[:40])
        hint = f"{code} has {known}" if known else "give an ISO 3166 code such as DE or US"
        raise PolicyError(
            f"no public holidays are known for {country[:20]!r} {subdivision[:20]!r}; {hint}".replace(" ''", "")
        ) from None
    name = zone or _only_zone(code)
    return Calendar(
        zone=_zone(name),
        days_off=frozenset(days),
        name="-".join(part for part in (code, subdivision.upper()) if part) + f", {name}",
        last_year=first_year + years - 1,
        exempt=exempt,
    )


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (OSError, ValueError, KeyError):  # a folder's name, a path that leads outside, and a name that is not there
        raise PolicyError(f"there is no time zone {name[:60]!r}; Europe/Berlin is one") from None


def _only_zone(code: str) -> str:
    """Return the zone of a country that has one, or the zone of its capital."""
    table = (files("tzdata") / "zoneinfo" / "zone.tab").read_text("utf-8")
    rows = [line.split("\t") for line in table.splitlines() if not line.startswith("#")]
    zones = [row[2] for row in rows if row[0] == code]
    if len(zones) == 1:
        return zones[0]
    if code in _CAPITAL:
        return _CAPITAL[code]
    raise PolicyError(f"{code} has {len(zones)} time zones; say which with --zone, such as {(*zones, 'UTC')[0]}")


# Where the offices of a country with several zones are: the zone of the capital.
_CAPITAL = {
    "CY": "Asia/Nicosia",
    "DE": "Europe/Berlin",
    "ES": "Europe/Madrid",
    "PT": "Europe/Lisbon",
    "US": "America/New_York",
}
