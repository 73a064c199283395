"""What the processes of this machine tell, for `tamas status`: from the page that Prometheus gets."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from services.metrics.machine import gathered

_RESULTS = ("accepted", "duplicate", "parked", "refused")


@dataclass(slots=True)
class Told:
    """Samples by name."""

    samples: dict[str, list[tuple[dict[str, str], float]]] = field(default_factory=lambda: defaultdict(list))

    def total(self, name: str, **labels: str) -> float:
        """The sum of all that have these labels."""
        return sum(value for found, value in self.samples.get(name, ()) if labels.items() <= found.items())

    def of(self, name: str) -> Iterable[tuple[dict[str, str], float]]:
        """Labels and values."""
        return self.samples.get(name, ())


def told(data: Path) -> Told:
    """Ask them. Empty when no process of this machine runs on this data folder."""
    found = Told()
    for family in text_string_to_metric_families(asyncio.run(gathered(data))):
        for sample in family.samples:
            found.samples[sample.name].append((sample.labels, sample.value))
    return found


def processes(found: Told) -> list[dict[str, Any]]:
    """Each process: its role, its pid, whether it answers, and what it uses."""
    return [
        {
            "role": labels["role"],
            "pid": int(labels["pid"]),
            "up": bool(value),
            "restarts": int(found.total("tamas_process_restarts_total", role=labels["role"])),
            "resident_bytes": int(found.total("process_resident_memory_bytes", pid=labels["pid"])),
            "cpu_seconds": round(found.total("process_cpu_seconds_total", pid=labels["pid"]), 2),
        }
        for labels, value in sorted(found.of("tamas_process_up"), key=lambda one: (one[0]["role"], int(one[0]["pid"])))
    ]


def intake(found: Told) -> dict[str, dict[str, int]]:
    """By inbox id: what became of the requests to the doors of this machine since they were opened."""
    counts: dict[str, dict[str, int]] = defaultdict(lambda: dict.fromkeys(_RESULTS, 0))
    for labels, value in found.of("tamas_intake_requests_total"):
        counts[labels["inbox_id"]][labels["result"]] += int(value)
    for labels, value in found.of("tamas_intake_refused_total"):
        counts[labels["inbox_id"]]["refused"] += int(value)
    return counts


def append(found: Told) -> dict[str, Any]:
    """Groups since the doors were opened, how large they were and how long they took on average."""
    groups = found.total("tamas_append_seconds_count")
    return {
        "groups": int(groups),
        "requests_per_group": round(found.total("tamas_append_group_requests_sum") / groups, 1) if groups else None,
        "seconds": round(found.total("tamas_append_seconds_sum") / groups, 4) if groups else None,
        "failures": int(found.total("tamas_append_failures_total")),
        "waiting": int(found.total("tamas_intake_waiting_requests")),
    }


def deciders(found: Told) -> dict[str, Any]:
    """How far what came is decided, and what becomes of our answers, as whoever leads tells."""
    return {
        "conversations": {
            "lag_seconds": round(found.total("tamas_conversations_lag_seconds"), 3),
            "undecided": int(found.total("tamas_conversations_undecided")),
        },
        "answers": {
            "due": int(found.total("tamas_dispatch_messages", state="due")),
            "oldest_due_seconds": round(found.total("tamas_dispatch_oldest_due_seconds"), 3),
            "in_doubt": int(found.total("tamas_dispatch_messages", state="in_doubt")),
            "refused_inboxes": sorted(
                {labels["inbox_id"] for labels, is_open in found.of("tamas_dispatch_circuit_open") if is_open}
            ),
        },
    }
