"""One owner of the index folder."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ingestion.owner import owned
from runtime.errors import KnowledgeUnavailable, SettingsInvalid

HOLD = """
import pathlib, sys
from ingestion.owner import owned
with owned(pathlib.Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_second_process_learns_who_owns_it(tmp_path: Path) -> None:
    """Two engines on one folder would damage it; the message says whom to stop. A killed owner frees it."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None and other.stdout.readline() == "held\n"
        with pytest.raises(KnowledgeUnavailable, match=f"process {other.pid}"), owned(tmp_path):
            pass
        other.send_signal(signal.SIGKILL)
    with owned(tmp_path):
        assert (tmp_path / "owner.lock").read_text() == str(os.getpid())


def test_it_can_be_owned_again(tmp_path: Path) -> None:
    """The lock ends with the block, and the file keeps no old digits."""
    for _ in range(2):
        with owned(tmp_path):
            pass


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    """The message names the setting to change."""
    (tmp_path / "file").write_text("")
    with pytest.raises(SettingsInvalid, match="CORNERMAN_DATA_DIR"), owned(tmp_path / "file" / "index"):
        pass
