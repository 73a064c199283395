"""Agents who answer whatever a person wrote, each message once and in order, through the API of the front door."""

import threading
import time
from collections.abc import Generator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from uuid import UUID

import httpx
import psycopg

from schemas.conversation import ConversationJoined, ConversationOpened
from schemas.event import read_fact
from services.tenancy.tokens import add_token
from tests.flows.doors.opened import TENANT
from tests.flows.installation import Installation

_PATIENCE_SECONDS = 120.0
_BELONGS = """
    SELECT position, state FROM record.decisions
    WHERE topic = 'cases' AND type IN ('conversation.opened', 'conversation.joined') AND position > %s
    ORDER BY position"""


@dataclass(frozen=True)
class Answer:
    """As the API accepted it. `text` is unique."""

    message_id: UUID
    conversation_id: UUID
    position: int
    text: str


@dataclass
class Agents:
    """`answers` are those that were accepted; `repeats` how often an answer had to be posted again."""

    up: Installation
    count: int = 8
    answers: list[Answer] = field(default_factory=list[Answer])
    repeats: int = 0
    _posting: list[Future[None]] = field(default_factory=list[Future[None]])
    _stop: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def at_work(self) -> Generator[None]:
        """While the test does its worst."""
        _, token = add_token(self.up.settings.record_url, TENANT, "agents", "agent", None)
        headers = {"Authorization": f"Bearer {token}"}
        desks = [ThreadPoolExecutor(1) for _ in range(self.count)]
        with httpx.Client(base_url=self.up.endpoints["http"], headers=headers, timeout=10, trust_env=False) as client:
            reading = threading.Thread(target=self._read, args=(client, desks))
            reading.start()
            try:
                yield
            finally:
                self._stop.set()
                reading.join()
                for desk in desks:
                    desk.shutdown()

    def accepted(self) -> int:
        """How many; raises what an agent ended with."""
        for one in self._posting:
            if one.done():
                one.result()
        return len(self.answers)

    def _read(self, client: httpx.Client, desks: list[ThreadPoolExecutor]) -> None:
        position = 0
        with psycopg.connect(self.up.settings.record_url, autocommit=True) as record:
            while not self._stop.wait(0.05):
                for at, state in record.execute(_BELONGS, (position,)).fetchall():
                    position = at
                    fact = read_fact(bytes(state))
                    assert isinstance(fact, (ConversationOpened, ConversationJoined))
                    if fact.brought == "message":
                        desk = desks[fact.conversation_id.int % len(desks)]
                        self._posting.append(
                            desk.submit(self._answer, client, fact.conversation_id, fact.interaction_id)
                        )

    def _answer(self, client: httpx.Client, conversation_id: UUID, interaction_id: UUID) -> None:
        text, deadline = f"answer {interaction_id}", time.monotonic() + _PATIENCE_SECONDS
        while not self._is_accepted(client, conversation_id, text):
            assert time.monotonic() < deadline, f"never accepted: {text}"
            self.repeats += 1
            time.sleep(0.1)

    def _is_accepted(self, client: httpx.Client, conversation_id: UUID, text: str) -> bool:
        try:
            told = client.post(
                f"/api/v1/conversations/{conversation_id}/messages",
                json={"text": text},
                headers={"Idempotency-Key": text},
            )
        except httpx.TransportError:
            return False
        if told.status_code in {429, 502, 503, 504}:
            return False
        assert told.status_code == 202, f"{told.status_code} {told.text}"
        said = told.json()
        self.answers.append(Answer(UUID(said["message_id"]), conversation_id, said["position"], text))
        return True
