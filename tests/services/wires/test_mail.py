"""Each way that a mail can end: before its last dot it was certainly not sent, after it only a reply tells."""

import asyncio
from collections.abc import AsyncGenerator

import pytest

from channels.sending import MailAnswer, MailServer, Unanswered, Unsent
from services.embedded.process import free_port
from services.wires.mail import MailWire
from tests.services.wires.script import BREAK, SILENCE, Script, scripted

OURS, SARA = "help@shop.example", "sara@example.com"
MAIL = b"Subject: hi\r\n\r\n.one\r\ntwo\r\n"


@pytest.fixture
async def wire() -> AsyncGenerator[MailWire]:
    made = MailWire(patience_seconds=0.5, verdict_seconds=0.5)
    yield made
    await made.close()


def _server(script: Script) -> MailServer:
    return MailServer("127.0.0.1", script.port, "none")


async def _submit(wire: MailWire, script: Script, content: bytes = MAIL, recipient: str = SARA) -> MailAnswer:
    return await wire.submit(_server(script), OURS, recipient, content)


async def test_a_mail_is_taken_as_it_was_written(wire: MailWire) -> None:
    async with scripted() as script:
        answer = await _submit(wire, script)
    assert (answer.code, answer.text, answer.phase) == (250, "2.0.0 Taken", "end")
    assert script.taken == [b"Subject: hi\r\n\r\n..one\r\ntwo\r\n"]
    assert script.commands[1:] == [f"MAIL FROM:<{OURS}> SIZE={len(MAIL)}", f"RCPT TO:<{SARA}>", "DATA"]


@pytest.mark.parametrize("content", [b"a\nb\rc\r\n", b"a\nb\rc", b"a\r\n.\r\nb\r\nc"])
async def test_lone_line_ends_and_dots_smuggle_nothing(wire: MailWire, content: bytes) -> None:
    async with scripted() as script:
        await _submit(wire, script, content)
    assert len(script.taken) == 1
    assert script.taken[0].replace(b"\r\n", b"").find(b"\n") == -1
    assert script.taken[0].endswith(b"c\r\n")


@pytest.mark.parametrize(
    ("steps", "answer"),
    [
        ({"connect": "554 5.3.2 Not now"}, MailAnswer(554, "5.3.2 Not now", "connect")),
        ({"MAIL": "451 4.7.1 Greylisted"}, MailAnswer(451, "4.7.1 Greylisted", "mail")),
        ({"RCPT": "550 5.1.1 No such"}, MailAnswer(550, "5.1.1 No such", "rcpt")),
        ({"DATA": "554 5.5.1 No"}, MailAnswer(554, "5.5.1 No", "data")),
        ({"end": "552 5.3.4 Too much"}, MailAnswer(552, "5.3.4 Too much", "end")),
        ({"end": "452 4.3.1 Full"}, MailAnswer(452, "4.3.1 Full", "end")),
        ({"RCPT": "421 4.3.2 Closing"}, MailAnswer(421, "4.3.2 Closing", "rcpt")),
    ],
)
async def test_a_refusal_is_an_answer(wire: MailWire, steps: dict[str, str], answer: MailAnswer) -> None:
    async with scripted(steps) as script:
        assert await _submit(wire, script) == answer


@pytest.mark.parametrize("step", ["connect", "EHLO", "MAIL", "RCPT", "DATA", "content"])
@pytest.mark.parametrize("fault", [BREAK, SILENCE])
async def test_before_the_last_dot_nothing_was_sent(wire: MailWire, step: str, fault: str) -> None:
    if (step, fault) == ("content", SILENCE):
        return
    async with scripted({"EHLO": "250 mx.example", step: fault}) as script:
        with pytest.raises(Unsent):
            await _submit(wire, script, b"a line\r\n" * 1_000_000 if step == "content" else MAIL)
        assert script.taken == []


async def test_who_stops_reading_within_a_mail_did_not_get_it(wire: MailWire) -> None:
    """The buffers between us fill up; what is left of the mail, and its dot, is never written."""
    async with scripted({"EHLO": "250 mx.example", "DATA": "354 Go on"}) as script:

        async def mute(reader: asyncio.StreamReader) -> bytes:
            await asyncio.Event().wait()
            return await reader.read(1)

        script._mail = mute
        script_server = _server(script)
        with pytest.raises(Unsent):
            await wire.submit(script_server, OURS, SARA, b"a line\r\n" * 4_000_000)


@pytest.mark.parametrize("fault", [BREAK, SILENCE, "nonsense"])
async def test_after_the_last_dot_nobody_knows(wire: MailWire, fault: str) -> None:
    async with scripted({"end": fault}) as script:
        with pytest.raises(Unanswered):
            await _submit(wire, script)
        assert len(script.taken) == 1


async def test_nobody_listens(wire: MailWire) -> None:
    with pytest.raises(Unsent):
        await wire.submit(MailServer("127.0.0.1", free_port(), "none"), OURS, SARA, MAIL)


async def test_a_server_without_tls_gets_nothing_where_tls_is_demanded(wire: MailWire) -> None:
    async with scripted() as script:
        with pytest.raises(Unsent):
            await wire.submit(MailServer("127.0.0.1", script.port, "starttls"), OURS, SARA, MAIL)
        assert [command for command in script.commands if command.startswith("MAIL")] == []


async def test_a_larger_mail_than_the_server_takes_is_not_begun(wire: MailWire) -> None:
    async with scripted() as script:
        answer = await _submit(wire, script, b"x" * 100_001)
        assert (answer.code, answer.phase) == (552, "mail")
        assert (await _submit(wire, script)).code == 250
    assert len(script.taken) == 1


async def test_addresses_of_other_letters_and_eight_bits_are_announced(wire: MailWire) -> None:
    content = "Subject: سلام\r\n\r\n".encode()
    async with scripted() as script:
        await _submit(wire, script, content, "سارا@example.com")
    assert script.commands[1].endswith(f" SIZE={len(content)} BODY=8BITMIME SMTPUTF8")
    assert script.commands[2] == "RCPT TO:<سارا@example.com>"


async def test_a_server_that_cannot_take_them_says_so(wire: MailWire) -> None:
    async with scripted({"EHLO": "250 mx.example"}) as script:
        answer = await _submit(wire, script, recipient="سارا@example.com")
    assert (answer.code, answer.text[:5]) == (553, "5.6.7")


async def test_a_connection_is_kept_also_over_a_refusal(wire: MailWire) -> None:
    async with scripted() as script:
        for _ in range(3):
            await _submit(wire, script)
        script.steps = {"RCPT": "550 5.1.1 No such"}
        assert (await _submit(wire, script)).code == 550
        script.steps = {}
        await _submit(wire, script)
    assert (script.connections, len(script.taken), script.commands.count("RSET")) == (1, 4, 1)


@pytest.mark.parametrize("stale", ["closed", "421", "break"])
async def test_a_kept_connection_that_is_gone_is_replaced(wire: MailWire, stale: str) -> None:
    async with scripted() as script:
        await _submit(wire, script)
        if stale == "closed":
            script.writers[0].close()
            await asyncio.sleep(0.05)
        else:
            script.steps = {"1:MAIL": "421 4.4.2 Idle for too long" if stale == "421" else BREAK}
        assert (await _submit(wire, script)).code == 250
        assert script.connections == 2


async def test_many_mails_at_once_share_a_few_connections(wire: MailWire) -> None:
    async with scripted() as script:
        answers = await asyncio.gather(*[_submit(wire, script) for _ in range(100)])
        assert {answer.code for answer in answers} == {250}
        assert (script.connections, len(script.taken)) == (8, 100)


async def test_what_is_cancelled_in_the_middle_is_not_used_again(wire: MailWire) -> None:
    async with scripted({"end": SILENCE}) as script:
        task = asyncio.create_task(_submit(wire, script))
        while not script.taken:  # noqa: ASYNC110 - nobody signals it
            await asyncio.sleep(0.001)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        script.steps = {}
        assert (await _submit(wire, script)).code == 250
        assert script.connections == 2
