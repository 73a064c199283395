"""Every metric of ours: its kind, its meaning and its labels. No label holds an address, a name or a text."""

from dataclasses import dataclass
from typing import Final, Literal

INBOX: Final = ("tenant", "channel", "inbox_id")
"""There are as many series as inboxes, which operators add one by one."""
SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
SIZES: Final = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0)


@dataclass(frozen=True, slots=True)
class Metric:
    """A counter's name stands here without the `_total` that Prometheus shows."""

    kind: Literal["counter", "gauge", "histogram"]
    meaning: str
    labels: tuple[str, ...] = ()


METRICS: Final[dict[str, Metric]] = {
    "tamas_intake_requests": Metric(
        "counter",
        "Verified requests and mails by what became of them: accepted, duplicate, parked.",
        (*INBOX, "result"),
    ),
    "tamas_intake_refused": Metric(
        "counter", "Refused by the door of an inbox: signature, token, fields, away.", (*INBOX, "reason")
    ),
    "tamas_intake_turned_away": Metric("counter", "Refused before any inbox saw them, by code.", ("reason",)),
    "tamas_intake_last_accepted_timestamp_seconds": Metric(
        "gauge", "When this process last accepted something for an inbox.", INBOX
    ),
    "tamas_intake_waiting_requests": Metric("gauge", "Requests that wait for the next group."),
    "tamas_intake_away_seconds": Metric("gauge", "Since when the record takes nothing; 0 while it does."),
    "tamas_append_group_requests": Metric("histogram", "Requests in one transaction of intake."),
    "tamas_append_seconds": Metric("histogram", "From taking a group to its commit."),
    "tamas_append_failures": Metric("counter", "Groups that could not be committed at the first try."),
    "tamas_spool_waiting_requests": Metric("gauge", "Requests kept on disk because the record was away."),
    "tamas_mailbox_gaps": Metric("counter", "Mails that a mailbox once had and never showed.", INBOX),
    "tamas_parser_requests": Metric("counter", "Requests that a parser finished: read, parked.", (*INBOX, "result")),
    "tamas_parser_seconds": Metric("histogram", "Reading one mail or long body.", ("channel",)),
    "tamas_relay_published": Metric("counter", "Events that the broker acknowledged."),
    "tamas_relay_age_seconds": Metric("gauge", "Since the relay last saw that everything up to its cursor is there."),
    "tamas_relay_position": Metric("gauge", "Everything up to here is on the broker."),
    "tamas_relay_working": Metric("gauge", "1 while the relay publishes or stands by for one that does."),
    "tamas_relay_lag_seconds": Metric("gauge", "How long the oldest event that is not published has waited."),
    "tamas_projector_events": Metric("counter", "Events brought into the read models.", ("projection_set",)),
    "tamas_projector_batch_seconds": Metric("histogram", "One transaction of the read models.", ("projection_set",)),
    "tamas_projector_from_record": Metric(
        "gauge", "1 while the record is read because topics bring nothing.", ("projection_set",)
    ),
    "tamas_projection_lag_seconds": Metric(
        "gauge", "How long the oldest event that is not in the read models has waited.", ("projection_set",)
    ),
    "tamas_projection_position": Metric("gauge", "Everything up to here is in the read models.", ("projection_set",)),
    "tamas_projection_parked_events": Metric("gauge", "Events set aside by a projector.", ("projection_set",)),
    "tamas_conversations_decisions": Metric("counter", "Decisions on conversations that this process saved."),
    "tamas_conversations_position": Metric("gauge", "Everything up to here is decided on, as this process knows."),
    "tamas_conversations_lag_seconds": Metric("gauge", "How long the oldest fact in the decider's hands has waited."),
    "tamas_conversations_undecided": Metric("gauge", "Facts set aside because no decision could be made."),
    "tamas_conversations_leads": Metric("gauge", "1 in the process that decides; others stand by."),
    "tamas_acknowledging_conversations": Metric(
        "counter",
        "New conversations on inboxes that acknowledge, by what became of them: asked, or why not.",
        ("result",),
    ),
    "tamas_acknowledging_position": Metric("gauge", "Everything up to here is acknowledged, as this process knows."),
    "tamas_acknowledging_leads": Metric("gauge", "1 in the process that acknowledges; others stand by."),
    "tamas_dispatch_decisions": Metric("counter", "Decisions on messages of ours that this process saved."),
    "tamas_dispatch_position": Metric("gauge", "Everything up to here is heard, as this process knows."),
    "tamas_dispatch_leads": Metric("gauge", "1 in the process that dispatches; others stand by."),
    "tamas_dispatch_messages": Metric("gauge", "Messages of ours of which more may become.", ("state",)),
    "tamas_dispatch_in_flight": Metric("gauge", "Attempts that are on their way to a provider."),
    "tamas_dispatch_oldest_due_seconds": Metric("gauge", "How long the oldest message whose time has come waits."),
    "tamas_dispatch_circuit_open": Metric("gauge", "1: its provider refuses everything.", ("inbox_id",)),
    "tamas_record_position": Metric("gauge", "The record's end."),
    "tamas_pending_requests": Metric("gauge", "Taken raw, not yet read by a parser."),
    "tamas_parked_requests": Metric(
        "gauge", "Kept but not readable, waiting for a person.", ("tenant", "inbox_id", "stage")
    ),
    "tamas_oldest_waiting_seconds": Metric("gauge", "Age of the oldest pending or parked request.", ("state",)),
    "tamas_server_reached": Metric("gauge", "1 when housekeeping reached it last time.", ("server",)),
    "tamas_disk_free_bytes": Metric("gauge", "Free where TAMAS_DATA is."),
    "tamas_disk_bytes": Metric("gauge", "Size of the disk where TAMAS_DATA is."),
    "tamas_pool_connections": Metric("gauge", "Connections of a pool: idle, used.", ("pool", "state")),
    "tamas_pool_waiting": Metric("gauge", "Who waits for a connection now.", ("pool",)),
    "tamas_pool_waits": Metric("counter", "Times that a connection was waited for.", ("pool",)),
    "tamas_pool_wait_seconds": Metric("counter", "Time spent waiting for connections.", ("pool",)),
    "tamas_pool_errors": Metric("counter", "Connections that were waited for in vain.", ("pool",)),
}

PROCESS_UP: Final = "tamas_process_up"
PROCESS_RESTARTS: Final = "tamas_process_restarts_total"
"""Both are told by whoever gathers the processes of a machine, not by the processes themselves."""
