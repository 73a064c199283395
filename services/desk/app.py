"""The desk as an application, and as a role of a process."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable
from typing import Any, Final

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Route

from services.desk import commands, composing, conversation, files, mails, pages, signing_in, stream
from services.desk.access import signed_in
from services.desk.edge import AWAY, Edge, failed, refused
from services.desk.floor import Floor
from services.desk.statics import serve_static
from services.record.errors import Conflict, Refused
from services.serve import address_of, bound, serve
from services.settings import Settings

_ANY_PORT: Final = "127.0.0.1:0"
_OF: Final = "/desk/conversations/{conversation_id:uuid}"


def routes() -> list[Route]:
    """Every path of the desk."""
    return [
        Route("/", pages.front),
        Route("/desk", signed_in(pages.desk)),
        Route("/desk/c/{conversation_id:uuid}", signed_in(pages.desk)),
        Route("/desk/static/{digest}/{name:path}", serve_static),
        Route("/desk/sign-in", signing_in.page),
        Route("/desk/sign-in", signing_in.sign_in, methods=["POST"]),
        Route("/desk/sign-out", signed_in(signing_in.sign_out), methods=["POST"]),
        Route("/desk/look", signed_in(signing_in.look), methods=["POST"]),
        Route("/desk/stream", signed_in(stream.stream)),
        Route("/desk/search", signed_in(pages.search)),
        Route("/desk/lists/{which}", signed_in(pages.lists)),
        Route("/desk/rows/{conversation_id:uuid}", signed_in(pages.row)),
        Route(_OF, signed_in(conversation.view)),
        Route(f"{_OF}/head", signed_in(conversation.head)),
        Route(f"{_OF}/entries", signed_in(conversation.entries)),
        Route(f"{_OF}/customer", signed_in(conversation.customer)),
        Route(f"{_OF}/preview", signed_in(composing.preview), methods=["POST"]),
        Route(f"{_OF}/messages", signed_in(composing.send), methods=["POST"]),
        Route(f"{_OF}/{{name}}", signed_in(commands.command), methods=["POST"]),
        Route("/desk/messages/{message_id:uuid}/withdraw", signed_in(composing.withdraw), methods=["POST"]),
        Route("/desk/messages/{message_id:uuid}/judge", signed_in(composing.judge), methods=["POST"]),
        Route("/desk/presence", signed_in(composing.presence), methods=["POST"]),
        Route("/desk/files/{interaction_id:uuid}/{attachment_id:uuid}", signed_in(files.attachment)),
        Route("/desk/mails/{interaction_id:uuid}", signed_in(mails.mail)),
    ]


def build(settings: Settings) -> Starlette:
    """The application; it connects in its lifespan. Raises `Misconfigured`."""
    floor = Floor(settings)

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncGenerator[None]:
        async with floor.opened():
            yield

    handlers: Any = {Refused: refused, Conflict: refused, Exception: failed, **dict.fromkeys(AWAY, failed)}
    app = Starlette(routes=routes(), lifespan=lifespan, middleware=[Middleware(Edge)], exception_handlers=handlers)
    app.state.floor = floor
    return app


async def run(
    settings: Settings,
    stop: asyncio.Event,
    ready: Callable[[dict[str, str]], None],
    *,
    started: Callable[[Floor], None] | None = None,
) -> None:
    """Serve on TAMAS_DESK_LISTEN, else on any free port of this machine, until `stop`. `started` is given the floor.

    Raises:
        Misconfigured: no sealing key.
        OSError: somebody listens there.
    """
    app = build(settings)
    floor: Floor = app.state.floor
    if started is not None:
        started(floor)
    taken = bound(settings.desk_listen or _ANY_PORT)
    async with app.router.lifespan_context(app):
        ready({"desk": f"http://{address_of(taken)}/desk"})
        ending = asyncio.create_task(_end_streams(floor, stop))
        await serve(app, taken, stop)
        ending.cancel()


async def _end_streams(floor: Floor, stop: asyncio.Event) -> None:
    await stop.wait()
    floor.hub.end()
