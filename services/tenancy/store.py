"""Commands about tenants and inboxes: load, decide, keys first, save; three tries when someone was faster."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final, Self
from uuid import UUID, uuid4

import psycopg
from psycopg import Connection, Cursor
from psycopg.rows import DictRow

from schemas.setting import InboxAdded, SettingFact, TenantRegistered
from services.keys.vault import Vault
from services.record.decisions import Command, Decided, Decisions
from services.record.errors import Conflict, Refused
from services.settings import Settings
from services.tenancy.doors import add_door, current_key, new_key
from services.tenancy.handlers import build, exposed, house_secrets, natural_name, offered, own_address
from services.tenancy.inbox import AddInbox, ChangeInbox, DisableInbox, InboxFact, NoInbox, OpenInbox, RotateKey, decide
from services.tenancy.register import SETTLED_AFTER, Register
from services.tenancy.secrets import SECRETS, add_secrets, opened
from services.tenancy.tenant import NoTenant, RegisterTenant, Tenant, tenant_stream
from services.tenancy.tenant import decide as decide_tenant

_TRIES: Final = 3
_SETTINGS_LOCK: Final = "SELECT pg_advisory_xact_lock(499967783284)"
_CHANGED_SINCE: Final = "SELECT FROM record.decisions WHERE topic = 'settings' AND position > %s LIMIT 1"
_AT_ONCE: Final = timedelta(0)


@dataclass(frozen=True, slots=True)
class NewInbox:
    """What someone wants opened. `address` as they write it; empty for a form."""

    channel: str
    name: str
    address: str = ""
    settings: Mapping[str, str] = field(default_factory=dict[str, str])
    secrets: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class InboxView:
    """An inbox as its owner sees it; `key` is its secret path, None once it has no door."""

    tenant: str
    inbox: OpenInbox
    disabled: bool
    key: str | None


class Tenancy:
    """The settings of an installation. Synchronous; one per process."""

    def __init__(self, settings: Settings) -> None:
        """Nothing is connected yet. Raises `Misconfigured`."""
        self._settings: Final = settings
        self._decisions: Final = Decisions(settings.record_url)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the connections back."""
        self._decisions.close()

    def register(self) -> Register:
        """Everything that is in force."""
        register = Register()
        with psycopg.connect(self._settings.record_url, autocommit=True, connect_timeout=5) as connection:
            for position, tenant, state in connection.execute(SETTLED_AFTER, (0,)):
                register.apply(position, tenant, state)
        return register

    def add_tenant(self, asked: RegisterTenant, *, command_id: UUID | None = None) -> int:
        """Register a tenant; returns the position. Raises `Refused`."""

        def decided(register: Register) -> Sequence[TenantRegistered]:
            return decide_tenant(register.tenants.get(asked.slug, NoTenant()), asked)

        return self._settle(asked.slug, tenant_stream(asked.slug), decided, command_id=command_id)

    def add_inbox(self, tenant: str, new: NewInbox, *, command_id: UUID | None = None) -> InboxView:
        """Open an inbox with a door of its own. Raises `Refused`."""
        inbox_id, key = uuid4(), new_key()
        owner = _known(self.register(), tenant)
        address = own_address(new.channel, new.address, owner.region)
        secrets = {**house_secrets(new.channel, new_key), **new.secrets}
        handler = build(new.channel, {**new.settings, **secrets}, offered(owner, address))
        if public := exposed(handler, new.settings):
            raise Refused(f"{', '.join(public)} of {new.channel} is secret: give it with --secret, it is sealed then.")
        named = natural_name(new.channel, new.name, address, new.settings)
        inbox = OpenInbox(inbox_id, new.channel, new.name, address, named, new.settings)

        def decided(register: Register) -> Sequence[InboxFact]:
            taken_by = _taken_by(register, tenant, inbox)
            return decide(NoInbox(), AddInbox(inbox_id, new.channel, new.name, address, named, new.settings, taken_by))

        def keys(connection: Connection, vault: Vault) -> None:
            add_secrets(connection, vault, tenant, inbox_id, secrets, grace=_AT_ONCE)
            add_door(connection, vault, tenant, inbox_id, key)

        self._settle(tenant, inbox_id, decided, keys, command_id=command_id)
        return InboxView(tenant, inbox, disabled=False, key=key)

    def change_inbox(
        self,
        tenant: str | None,
        inbox_id: UUID,
        settings: Mapping[str, str],
        secrets: Mapping[str, str],
        *,
        grace: timedelta = _AT_ONCE,
    ) -> int:
        """Give settings and secrets new values; old secrets are valid until `grace` has passed. Raises `Refused`."""
        owner, inbox, _ = self._found(tenant, inbox_id)
        known = _known(self.register(), owner)
        merged, current = {**inbox.settings, **settings}, self.secrets(inbox_id)
        handler = build(inbox.channel, {**merged, **current, **secrets}, offered(known, inbox.address))
        if public := exposed(handler, settings):
            raise Refused(
                f"{', '.join(public)} of {inbox.channel} is secret: give it with --secret, it is sealed then."
            )

        def keys(connection: Connection, vault: Vault) -> None:
            add_secrets(connection, vault, owner, inbox_id, secrets, grace=grace)

        return self._command(owner, inbox_id, ChangeInbox(settings), keys if secrets else None)

    def rotate(self, tenant: str | None, inbox_id: UUID, grace: timedelta) -> str:
        """A new secret path; the old one works until `grace` has passed. Raises `Refused`."""
        owner, _, _ = self._found(tenant, inbox_id)
        key = new_key()

        def keys(connection: Connection, vault: Vault) -> None:
            add_door(connection, vault, owner, inbox_id, key, grace=grace)

        self._command(owner, inbox_id, RotateKey(int(grace.total_seconds())), keys)
        return key

    def disable(self, tenant: str | None, inbox_id: UUID) -> int:
        """Take nothing any more; harmless when repeated. Raises `Refused`."""
        owner, _, _ = self._found(tenant, inbox_id)
        return self._command(owner, inbox_id, DisableInbox(), None)

    def put_back(self, tenant: str, stream_id: UUID, event_id: UUID, fact: SettingFact) -> bool:
        """Save a decision that subscribers know and the record lost; False when it is there. Keys are not part of it.

        Raises `Refused` when its place in the stream, or what it opens, was taken by another since.
        """
        was_there = False

        def decided(register: Register) -> Sequence[SettingFact]:
            nonlocal was_there
            known = self._decisions.load([stream_id])[stream_id]
            was_there = any((one.event_id, one.fact) == (event_id, fact) for one in known)
            if was_there:
                return ()
            if Decided(stream_id, len(known) + 1, tenant, fact).event_id != event_id:
                raise Refused("something else was decided in its place, or what came before it is lost")
            if isinstance(fact, InboxAdded) and _taken_by(register, tenant, fact) is not None:
                raise Refused("another inbox was opened in its place")
            return (fact,)

        self._settle(tenant, stream_id, decided)
        return not was_there

    def view(self, tenant: str | None, inbox_id: UUID) -> InboxView:
        """An inbox with its key. Raises `Refused` when there is none, or it is another tenant's."""
        owner, inbox, disabled = self._found(tenant, inbox_id)
        with self._keys() as connection:
            return InboxView(owner, inbox, disabled, current_key(connection, self._vault(), inbox_id))

    def secrets(self, inbox_id: UUID) -> dict[str, str]:
        """The newest secrets, opened: for signing as the provider does."""
        with self._keys() as connection:
            return opened(self._vault(), connection.execute(SECRETS, ([inbox_id],)))[0]

    def _found(self, tenant: str | None, inbox_id: UUID) -> tuple[str, OpenInbox, bool]:
        found = self.register().inbox(tenant, inbox_id)
        if found is None:
            raise Refused(f"There is no inbox {inbox_id}.")
        return found

    def _command(
        self,
        tenant: str,
        inbox_id: UUID,
        command: ChangeInbox | RotateKey | DisableInbox,
        keys: Callable[[Connection, Vault], None] | None,
    ) -> int:
        def decided(register: Register) -> Sequence[InboxFact]:
            _, state = register.inboxes.get(inbox_id, (tenant, NoInbox()))
            return decide(state, command)

        return self._settle(tenant, inbox_id, decided, keys)

    def _settle(
        self,
        tenant: str,
        stream_id: UUID,
        decided: Callable[[Register], Sequence[TenantRegistered | InboxFact]],
        keys: Callable[[Connection, Vault], None] | None = None,
        *,
        command_id: UUID | None = None,
    ) -> int:
        command = None if command_id is None else Command(tenant, command_id)
        for tries_left in reversed(range(_TRIES)):
            register = self.register()
            facts = decided(register)
            version = len(self._decisions.load([stream_id])[stream_id])
            if keys is not None and facts:
                # Before the record's transaction: a key without a fact is harmless, a fact without its key is not.
                with self._keys() as connection:
                    keys(connection, self._vault())
                keys = None
            rows = [Decided(stream_id, version + place, tenant, fact) for place, fact in enumerate(facts, 1)]
            try:
                return self._decisions.save(rows, command=command, within=_alone(register)) or register.position
            except Conflict:
                if not tries_left:
                    raise
        raise AssertionError

    def _keys(self) -> Connection:
        return psycopg.connect(self._settings.keys_url, autocommit=True, connect_timeout=5)

    def _vault(self) -> Vault:
        return Vault(self._settings.secrets())


def _known(register: Register, tenant: str) -> Tenant:
    known = register.tenants.get(tenant)
    if known is None:
        raise Refused(f"There is no tenant {tenant!r}: add it first (tamas tenant add).")
    return known


def _taken_by(register: Register, tenant: str, new: OpenInbox | InboxAdded) -> str | None:
    for owner, inbox, disabled in register.of(None):
        # One number is two inboxes: for its messages and for its calls.
        if disabled or (inbox.natural_name, inbox.channel) != (new.natural_name, new.channel):
            continue
        if owner == tenant:
            return repr(inbox.name)
        if inbox.channel.startswith("email/"):
            return "of another tenant"  # a mail finds its inbox by the recipient alone
    return None


def _alone(register: Register) -> Callable[[Cursor[DictRow]], None]:
    # One change of settings at a time over all streams: a natural name is unique only among all inboxes.
    def check(cursor: Cursor[DictRow]) -> None:
        cursor.execute(_SETTINGS_LOCK)
        if cursor.execute(_CHANGED_SINCE, (register.position,)).fetchone() is not None:
            raise Conflict("the settings were changed by someone else at the same moment; try again")

    return check
