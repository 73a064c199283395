"""Which tenant a command is for when nobody said."""

import typer

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
