"""`tamas inbox`."""

from collections.abc import Callable
from typing import Annotated, Any, Final

import typer

from services.ops.front_door import public_url
from services.ops.inbox_check import check, requests
from services.ops.options import Json, Pairs, Secrets, TenantName, duration, identifier, pairs, secrets, with_database
from services.ops.output import emit_one, emit_rows, say
from services.ops.whose import the_tenant
from services.settings import Settings
from services.tenancy.doors import door_url, script_tag
from services.tenancy.store import InboxView, NewInbox, Tenancy

_TO_GIVE: Final = ("inbox_id", "key", "url", "script")
_COLUMNS: Final = ("inbox_id", "tenant", "channel", "name", "address", "natural_name", "disabled")


def add(
    channel: Annotated[
        str, typer.Argument(metavar="KIND/PROVIDER", help="Such as sms/twilio, email/smtp, forms/web, chat/widget.")
    ],
    name: Annotated[str, typer.Argument(help="Its name for people.")],
    *,
    address: Annotated[str, typer.Option(help="The number or mailbox that customers write to.")] = "",
    given: Pairs = None,
    hidden: Secrets = None,
    tenant: TenantName = None,
    as_json: Json = False,
) -> None:
    """Open an inbox; prints its id, its key and what to give to the provider."""
    settings = with_database()
    new = NewInbox(channel, name, address, pairs(given), secrets(hidden))
    with Tenancy(settings) as tenancy:
        view = tenancy.add_inbox(the_tenant(tenancy, tenant), new)
    row = _row(settings, view)
    shown = row if as_json else {part: row[part] for part in _TO_GIVE if part in row}
    emit_one(shown, as_json=as_json)


def list_inboxes(tenant: TenantName = None, *, as_json: Json = False) -> None:
    """All of them, also disabled ones."""
    with Tenancy(with_database()) as tenancy:
        found = list(tenancy.register().of(tenant))
    rows = [
        {
            "inbox_id": inbox.inbox_id,
            "tenant": owner,
            "channel": inbox.channel,
            "name": inbox.name,
            "address": inbox.address,
            "natural_name": inbox.natural_name,
            "disabled": disabled,
        }
        for owner, inbox, disabled in found
    ]
    emit_rows(rows, _COLUMNS, as_json=as_json)
    if not rows:
        say("There is none yet: tamas inbox add KIND/PROVIDER NAME")


def show(inbox_id: str, tenant: TenantName = None, *, as_json: Json = False) -> None:
    """One of them, with its key."""
    settings = with_database()
    with Tenancy(settings) as tenancy:
        view = tenancy.view(tenant, identifier(inbox_id))
    emit_one(_row(settings, view), as_json=as_json)


def change(
    inbox_id: str,
    changes: Annotated[list[str] | None, typer.Argument(metavar="NAME=VALUE...", help="Settings to change.")] = None,
    hidden: Secrets = None,
    grace: Annotated[str, typer.Option(metavar="24h", help="How long old secrets stay good.")] = "0s",
    tenant: TenantName = None,
) -> None:
    """Give settings and secrets new values."""
    settings, sealed = pairs(changes, "NAME=VALUE"), secrets(hidden)
    if not settings and not sealed:
        raise typer.BadParameter("name what is to change: NAME=VALUE or --secret NAME=SOURCE")
    with Tenancy(with_database()) as tenancy:
        tenancy.change_inbox(tenant, identifier(inbox_id), settings, sealed, grace=duration(grace))
    say(f"Inbox {inbox_id} is changed.")


def rotate(
    inbox_id: str,
    grace: Annotated[str, typer.Option(metavar="24h", help="How long the old key stays good.")] = "24h",
    tenant: TenantName = None,
    *,
    as_json: Json = False,
) -> None:
    """Give an inbox a new key, and so a new URL."""
    settings = with_database()
    with Tenancy(settings) as tenancy:
        tenancy.rotate(tenant, identifier(inbox_id), duration(grace))
        row = _row(settings, tenancy.view(tenant, identifier(inbox_id)))
    emit_one({part: row[part] for part in _TO_GIVE if part in row}, as_json=as_json)


def disable(inbox_id: str, tenant: TenantName = None) -> None:
    """Take nothing any more; what it took stays."""
    with Tenancy(with_database()) as tenancy:
        tenancy.disable(tenant, identifier(inbox_id))
    say(f"Inbox {inbox_id} is disabled.")


def _row(settings: Settings, view: InboxView) -> dict[str, object]:
    inbox = view.inbox
    script = script_tag(public_url(settings), inbox.channel, view.key)
    return {
        "inbox_id": inbox.inbox_id,
        "key": view.key,
        "url": door_url(public_url(settings), inbox.channel, view.key, inbox.address),
        "tenant": view.tenant,
        "channel": inbox.channel,
        "name": inbox.name,
        "address": inbox.address,
        "natural_name": inbox.natural_name,
        "settings": dict(inbox.settings),
        "disabled": view.disabled,
        **({} if script is None else {"script": script}),
    }


COMMANDS: Final[dict[str, Callable[..., Any]]] = {
    "add": add,
    "list": list_inboxes,
    "show": show,
    "set": change,
    "rotate": rotate,
    "disable": disable,
    "check": check,
    "requests": requests,
}
