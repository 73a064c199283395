"""Which tenant a command is for when nobody said, and whom of its customers it means."""

import typer

from channels.phone import customer_address
from services.record.errors import Refused
from services.settings import Settings
from services.tenancy.store import Tenancy


def the_tenant(tenancy: Tenancy, named: str | None) -> str:
    """The one that was named, or the only one there is."""
    if named:
        return named
    known = sorted(tenancy.register().tenants)
    if len(known) == 1:
        return known[0]
    there = f"there are {', '.join(known)}" if known else "there is none yet, see tamas tenant add"
    raise typer.BadParameter(f"name the tenant, or set TAMAS_TENANT; {there}", param_hint="--tenant")


def the_region(settings: Settings, named: str | None) -> tuple[str, str]:
    """The tenant, and the region whose numbers are written without a country.

    Raises:
        Refused: there is no such tenant.
    """
    with Tenancy(settings) as tenancy:
        owner = the_tenant(tenancy, named)
        known = tenancy.register().tenants.get(owner)
    if known is None:
        raise Refused(f"There is no tenant {owner!r}.")
    return owner, known.region


def the_address(settings: Settings, named: str | None, written: str) -> tuple[str, str]:
    """The tenant, and an address as people write it in the one form that we know it by.

    Raises:
        Refused: there is no such tenant.
    """
    owner, region = the_region(settings, named)
    found = customer_address(written, region)
    if found is None:
        raise typer.BadParameter(f"{written!r} is neither a number nor a mailbox nor an address such as tel:+98…")
    return owner, found
