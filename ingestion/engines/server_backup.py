"""Placeholder."""

from __future__ import annotations

from typing import Any

from ingestion.backup import Backup
from runtime.errors import NotSupported


class ServerBackups:
    def __init__(self, *args: Any) -> None: ...

    async def backup(self, folder: str) -> Backup:
        raise NotSupported("backups of a Qdrant server")

    async def recover(self, folder: str) -> Backup:
        raise NotSupported("backups of a Qdrant server")
