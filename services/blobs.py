"""Blobs: attachments and whole mails, sealed under the key of the address they came from, one file each."""

import asyncio
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit
from uuid import UUID

from channels.contract import Blob
from services.keys.ring import Subject
from services.keys.vault import seal, unseal
from services.settings import Misconfigured


class BlobStore:
    """A folder of sealed files, `<tenant>/<address_id>/<blob_id>`: erasing an address also removes its folder.

    A blob's id is derived (see `Origin.derive`), so that a repeated delivery writes the same file again.
    """

    def __init__(self, url: str) -> None:
        """`url` is TAMAS_BLOB_URL; only `file:` is spoken.

        Raises:
            Misconfigured: another scheme.
        """
        parts = urlsplit(url)
        if parts.scheme != "file":
            raise Misconfigured(f"TAMAS_BLOB_URL must start with file://, not {parts.scheme}://")
        self._root: Final = Path(unquote(parts.path))

    async def put(self, tenant: str, subject: Subject, blobs: Sequence[Blob]) -> None:
        """Store durably: when this returns, a power cut loses nothing."""
        if blobs:
            await asyncio.to_thread(self._put, tenant, subject, blobs)

    async def get(self, tenant: str, subject: Subject, blob_id: UUID) -> bytes | None:
        """The clear bytes, or None when there is no such blob.

        Raises:
            Unsealable: the file was changed or belongs to another address.
        """
        path = self._folder(tenant, subject.address_id) / blob_id.hex
        try:
            sealed = await asyncio.to_thread(path.read_bytes)
        except FileNotFoundError:
            return None
        return unseal(subject.cipher, sealed, blob_id.bytes)

    async def erase(self, tenant: str, address_id: UUID) -> int:
        """Remove every blob of an address; returns how many there were."""
        folder = self._folder(tenant, address_id)
        count = len(list(folder.iterdir())) if folder.is_dir() else 0
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
        return count

    def _folder(self, tenant: str, address_id: UUID) -> Path:
        return self._root / tenant / address_id.hex

    def _put(self, tenant: str, subject: Subject, blobs: Sequence[Blob]) -> None:
        folder = self._folder(tenant, subject.address_id)
        folder.mkdir(parents=True, exist_ok=True)
        for blob in blobs:
            final = folder / blob.blob_id.hex
            draft = final.with_suffix(f".{os.getpid()}")
            with draft.open("wb") as file:
                file.write(seal(subject.cipher, blob.content, blob.blob_id.bytes))
                file.flush()
                os.fsync(file.fileno())
            draft.replace(final)
        for place in (folder, folder.parent, self._root):
            _fsync_folder(place)


def _fsync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
