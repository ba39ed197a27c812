"""How much of a clock's time is used, as the shares at which people are told."""

SHARES = (50, 80, 100)
"""Per cent of the time at which compliance, legal and executive are told."""


def crossed(start: int, due: int, now: int, shares: tuple[int, ...] = SHARES) -> tuple[int, ...]:
    """Return the shares (per cent) that are used at `now`; all of them for a clock that is due where it starts."""
    return tuple(share for share in shares if now >= start and (now - start) * 100 >= share * (due - start))


def crossing(start: int, due: int, share: int) -> int:
    """Return the first millisecond at which that share of the time is used."""
    return start + -(-(due - start) * share // 100)
