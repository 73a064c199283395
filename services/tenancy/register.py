"""What is in force: every tenant and inbox, folded from the settings in the record, in its order."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, assert_never
from uuid import UUID

import structlog

from schemas.event import Undecodable, read_fact
from schemas.setting import InboxAdded, InboxChanged, InboxDisabled, InboxKeyRotated, TenantRegistered
from services.tenancy.inbox import DisabledInbox, InboxState, NoInbox, OpenInbox, evolve
from services.tenancy.tenant import NoTenant, Tenant
from services.tenancy.tenant import evolve as evolve_tenant

_log = structlog.get_logger()

SETTLED_AFTER: Final = """
    SELECT position, tenant, state FROM record.decisions
    WHERE topic = 'settings' AND position > %s ORDER BY position"""


SETTLED_OF: Final = """
    SELECT position, tenant, state FROM record.decisions
    WHERE topic = 'settings' AND tenant = %s ORDER BY position"""


@dataclass(slots=True)
class Register:
    """Tenants by slug and inboxes by id, up to and with `position`."""

    position: int = 0
    tenants: dict[str, Tenant] = field(default_factory=dict[str, Tenant])
    inboxes: dict[UUID, tuple[str, InboxState]] = field(default_factory=dict[UUID, tuple[str, InboxState]])

    def apply(self, position: int, tenant: str, state: bytes) -> UUID | None:
        """Take in one row of `SETTLED_AFTER` or `SETTLED_OF`; returns the inbox that it speaks of.

        What this version cannot read is logged and passed over: one setting from a newer version must not close all
        doors. A decision about the same stream is refused by its own load.
        """
        self.position = position
        try:
            fact = read_fact(state)
        except Undecodable as error:
            _log.error("setting.undecodable", position=position, reason=str(error))
            return None
        match fact:
            case TenantRegistered():
                registered = evolve_tenant(self.tenants.get(tenant, NoTenant()), fact)
                if isinstance(registered, Tenant):
                    self.tenants[tenant] = registered
                return None
            case InboxAdded() | InboxChanged() | InboxKeyRotated() | InboxDisabled():
                _, before = self.inboxes.get(fact.inbox_id, (tenant, NoInbox()))
                self.inboxes[fact.inbox_id] = (tenant, evolve(before, fact))
                return fact.inbox_id
            case _:
                return None

    def of(self, tenant: str | None) -> Iterator[tuple[str, OpenInbox, bool]]:
        """Tenant, inbox and whether it is disabled: of one tenant or of all, in the order they were added."""
        seen = (_seen(*pair) for pair in self.inboxes.values())
        return (found for found in seen if found is not None and tenant in (None, found[0]))

    def inbox(self, tenant: str | None, inbox_id: UUID) -> tuple[str, OpenInbox, bool] | None:
        """The same of one inbox; None when it is unknown or another tenant's."""
        owner, state = self.inboxes.get(inbox_id, ("", NoInbox()))
        if tenant is not None and owner != tenant:
            return None
        return _seen(owner, state)


def _seen(owner: str, state: InboxState) -> tuple[str, OpenInbox, bool] | None:
    match state:
        case OpenInbox():
            return owner, state, False
        case DisabledInbox():
            return owner, state.was, True
        case NoInbox():
            return None
        case _:
            assert_never(state)
