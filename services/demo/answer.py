"""Answers the demo's customers through the API, and waits until it is known what became of each answer."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

import httpx

from services.demo.count import timeline
from services.demo.replies import Outcome, Reply, on_file
from services.demo.visitor import Visitor

_PATIENCE_SECONDS: Final = 25.0
_AGAIN_SECONDS: Final = 1.0
_CONFLICT: Final = 409


@dataclass(slots=True)
class Answered:
    """A reply, the conversation that it is in, and what the API says became of it."""

    reply: Reply
    conversation_id: str
    message: dict[str, Any] = field(default_factory=dict[str, Any])
    problem: dict[str, Any] = field(default_factory=dict[str, Any])
    waits_again: bool = False

    @property
    def way(self) -> dict[str, Any]:
        """Where it goes and why; empty when nowhere."""
        found: dict[str, Any] | None = self.message.get("resolution")
        return {} if found is None else found

    @property
    def outcome(self) -> Outcome | None:
        """In the demo's words; None while it is open."""
        if self.problem:
            return "no way" if self.problem.get("code") == "no_way" else None
        state = self.message.get("state")
        rounds = {one["channel"] for one in self.message.get("attempts", ())}
        if state == "queued":
            return "held" if self.way.get("hold_until") and not rounds else None
        if state == "failed":
            return "failed" if self.waits_again else None
        if state == "sent":
            return "by fallback" if len(rounds) > 1 else "handed off"
        return "delivered" if state in ("delivered", "read") else "in doubt" if state == "in_doubt" else None

    @property
    def is_right(self) -> bool:
        """Whether it is as the reply says it must be, on the channel that it must take."""
        return self.outcome == self.reply.outcome and self.way.get("channel", "") == self.reply.by


def file_preferences(client: httpx.Client) -> int:
    """Put on file what customers prefer; how many."""
    wanted = on_file(datetime.now(UTC))
    for address, body in wanted.items():
        client.put("/api/v1/preferences", params={"address": address}, json=body).raise_for_status()
    return len(wanted)


def ask(client: httpx.Client, replies: Sequence[Reply]) -> list[Answered]:
    """Have all of them sent. Raises httpx.HTTPStatusError for any refusal but that there is no way."""
    return [_asked(client, reply) for reply in replies]


def settle(client: httpx.Client, answered: Sequence[Answered], visitor: Visitor) -> None:
    """Until each became what it must, or patience ends; then a moment more, in which what is too much would come."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < deadline:
        visitor.look(0.2)
        for one in answered:
            if not one.is_right:
                _look(client, one)
        if all(one.is_right for one in answered):
            break
    visitor.look(_AGAIN_SECONDS)
    for one in answered:
        _look(client, one)


def _asked(client: httpx.Client, reply: Reply) -> Answered:
    found = Answered(reply, _conversation(client, reply))
    sent = client.post(f"/api/v1/conversations/{found.conversation_id}/messages", json={"text": reply.text})
    if sent.status_code == _CONFLICT:
        found.problem = sent.json()
    else:
        sent.raise_for_status()
        found.message = {"message_id": sent.json()["message_id"], "resolution": sent.json()["resolution"]}
    return found


def _conversation(client: httpx.Client, reply: Reply) -> str:
    """The newest of this address on this channel, once the timeline has it."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < deadline:
        for item in timeline(client, reply.address):
            if item["channel"] == reply.asked_by and item["direction"] == "in" and item["conversation_id"]:
                found: str = item["conversation_id"]
                return found
        time.sleep(0.2)
    raise TimeoutError(f"Nothing of {reply.who} by {reply.asked_by} came to the timeline.")


def _look(client: httpx.Client, one: Answered) -> None:
    if one.problem:
        return
    one.message = client.get(f"/api/v1/messages/{one.message['message_id']}").raise_for_status().json()
    if one.message["state"] == "failed":
        of = client.get(f"/api/v1/conversations/{one.conversation_id}").raise_for_status().json()
        one.waits_again = of["state"] == "waiting" and of["failed_message_id"] == one.message["message_id"]
