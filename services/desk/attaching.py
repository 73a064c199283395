"""Files that an agent sends with an answer, as a form of the page brings them."""

import re
from pathlib import PurePosixPath
from typing import Final

from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request

from services.answering.asking import MOST_ATTACHED_BYTES, Attached

MEDIA_TYPE: Final = re.compile(r"[a-zA-Z0-9!#$&^_.+-]{1,63}/[a-zA-Z0-9!#$&^_.+-]{1,63}")
MOST_FILES: Final = 20
_LONGEST_NAME: Final = 200
_MOST_BODY_BYTES: Final = MOST_ATTACHED_BYTES + 512 * 1024
_UNKNOWN: Final = "application/octet-stream"


def is_too_large(request: Request) -> bool:
    """Whether this form is longer than any that holds an answer, or does not say how long it is."""
    length = request.headers.get("content-length", "")
    return not length.isdecimal() or int(length) > _MOST_BODY_BYTES


async def attached(form: FormData) -> tuple[Attached, ...]:
    """Its files, in their order."""
    files = [one for one in form.getlist("attachments") if isinstance(one, UploadFile)]
    return tuple([Attached(_name(one), _media_type(one), await one.read()) for one in files])


def counted(form: FormData) -> tuple[Attached, ...]:
    """As many empty ones as the page says that it will bring: to see where such an answer would go."""
    written = str(form.get("count", ""))
    count = min(int(written), MOST_FILES) if written.isascii() and written.isdecimal() else 0
    return (Attached(None, _UNKNOWN, b""),) * count


def _name(file: UploadFile) -> str | None:
    bare = PurePosixPath((file.filename or "").replace("\\", "/")).name
    return "".join(one for one in bare if one.isprintable())[:_LONGEST_NAME] or None


def _media_type(file: UploadFile) -> str:
    bare = (file.content_type or "").partition(";")[0].strip()
    return bare if MEDIA_TYPE.fullmatch(bare) else _UNKNOWN
