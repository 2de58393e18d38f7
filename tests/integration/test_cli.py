"""The `cornerman` command as its users run it, good input and bad.

What needs a process, a pipe or a prompt has them; the rest is called in this one.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.in_process import call
from tests.openai_server import openai_server
from tests.server_process import ROOT, run, serving

pytestmark = pytest.mark.anyio

AES_256 = 5
"""pymupdf.PDF_ENCRYPT_AES_256, which its stubs leave out."""
KNOWLEDGE = ROOT / "examples" / "knowledge"


async def test_help_names_every_command(tmp_path: Path) -> None:
    """And needs no configuration."""
    done = await run(tmp_path, "--help")
    assert done.returncode == 0
    for command in (
        "serve",
        "worker",
        "ingest",
        "forget",
        "versions",
        "restore",
        "chunks",
        "chat",
        "threads",
        "replay",
        "demo",
        "doctor",
    ):
        assert command in done.stdout


@pytest.mark.usefixtures("measured_processes")
async def test_ingest_then_chat_then_threads_then_replay(tmp_path: Path) -> None:
    """A first hour with Cornerman, through pipes."""
    done = await run(tmp_path, "ingest", str(KNOWLEDGE / "objection-guide.md"))
    assert done.returncode == 0 and "ingested" in done.stdout
    again = await run(tmp_path, "ingest", str(KNOWLEDGE / "objection-guide.md"))
    assert "unchanged" in again.stdout
    lines = "/ask How do I answer a price objection?\n/quit\n"
    talk = await run(tmp_path, "chat", "--thread", "first", stdin=lines)
    assert talk.returncode == 0 and "objection-guide.md" in talk.stdout
    listed = await run(tmp_path, "threads")
    assert re.search(r"first\s.*assistant.*idle", listed.stdout)
    replayed = await run(tmp_path, "replay", "first")
    assert replayed.returncode == 0 and "the same" in replayed.stdout


@pytest.mark.usefixtures("measured_processes")
async def test_chat_approves_what_the_rep_approves(tmp_path: Path) -> None:
    """The question is shown with its details; the answer decides."""
    ask = "Book a follow-up with Dana on 2026-12-04 at 10:00 about the pilot"
    for answer, expected in (("y", "booked"), ("n", "not")):
        done = await run(tmp_path, "chat", "--assistant", "tool_calling", stdin=f"{ask}\n{answer}\n/quit\n")
        assert "needs your approval" in done.stdout and "Dana" in done.stdout
        assert expected in done.stdout.lower()


async def test_chat_speaks_chinese(tmp_path: Path) -> None:
    """A practice call with the Chinese buyer, started by its scenario."""
    done = await run(
        tmp_path,
        "chat",
        "--assistant",
        "coaching",
        "--scenario",
        "yunxiu-owner",
        stdin="您好，请问你们现在怎么处理客户消息？\n/quit\n",
    )
    assert done.returncode == 0 and re.search("› [^\n]*[\u4e00-\u9fff]{4}", done.stdout)


async def test_ingesting_while_a_server_runs_goes_through_it(tmp_path: Path) -> None:
    """The index has one owner; the command finds it and the answer is there at once."""
    async with serving(tmp_path) as (_, url):
        done = await run(tmp_path, "ingest", str(KNOWLEDGE / "objection-guide.md"))
        assert done.returncode == 0 and "ingested" in done.stdout
        talk = await run(
            tmp_path,
            "chat",
            "--assistant",
            "rag",
            "--url",
            url,
            stdin="How do I answer a price objection?\n/quit\n",
        )
        assert "objection-guide.md" in talk.stdout


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("nowhere.pdf", "DOCUMENT_MISSING"),
        ("empty", "DOCUMENT_EMPTY"),
        ("locked.pdf", "DOCUMENT_ENCRYPTED"),
        ("noise.pdf", "DOCUMENT_CORRUPT"),
        ("nothing.txt", "DOCUMENT_EMPTY"),
    ],
)
def test_bad_documents_are_refused_with_a_reason(tmp_path: Path, path: str, said: str) -> None:
    """Code and file, exit code 1, and no traceback."""
    import pymupdf

    (tmp_path / "empty").mkdir()
    (tmp_path / "nothing.txt").touch()
    (tmp_path / "noise.pdf").write_bytes(b"%PDF-1.7\n" + bytes(range(256)) * 20)
    with pymupdf.open() as document:
        document.new_page().insert_text((72, 72), "secret")
        document.save(tmp_path / "locked.pdf", encryption=AES_256, user_pw="x", owner_pw="y")
    done = call(tmp_path / "data", "ingest", str(tmp_path / path))
    assert done.returncode == 1
    shown = done.stdout + done.stderr
    assert said in shown and path in shown and "Traceback" not in shown


def test_what_was_read_how_and_why(tmp_path: Path) -> None:
    """For people by `--explain`, for programs by `--json`, of what is unchanged too; then forgotten."""
    path = tmp_path / "p.csv"
    path.write_text("plan,price\nTeam,39\nBusiness,69\n")
    data = tmp_path / "data"
    explained = call(data, "ingest", "--explain", str(path))
    assert re.search(r"p\.csv: csv, \w+, by \w+\n  \S", explained.stdout)
    done = json.loads((call(data, "ingest", "--json", str(path))).stdout)
    (row,) = done["documents"]
    assert (row["document"], row["status"], row["reading"]["format"]) == ("p.csv", "unchanged", "csv")
    assert done["totals"]["documents"] == 1 and row["chunks"] and row["reading"]["reasons"]
    assert "p.csv is forgotten" in (call(data, "forget", "p.csv")).stdout
    again = call(data, "forget", "p.csv")
    assert again.returncode == 1 and "DOCUMENT_MISSING" in again.stderr


def test_ways_to_cut_a_document(tmp_path: Path) -> None:
    """One is shown in its chunks, several side by side, as configured, and what is not allowed is named."""
    path = tmp_path / "p.md"
    path.write_text("# Prices\n\n" + "The Team plan costs 39 dollars. " * 60)
    one = call(tmp_path / "data", "chunks", str(path))
    assert "The first" in one.stdout and "Recommended:" in one.stdout
    ways = ("--strategy", "sentence:tokens=64", "--strategy", "fixed:tokens=64,overlap=25")
    two = json.loads((call(tmp_path / "data", "chunks", "--json", *ways, str(path))).stdout)
    assert [preview["name"] for preview in two["previews"]] == ["sentence", "fixed"]
    assert two["previews"][1]["overlap"] > 0.1 and two["recommended"]["reasons"]
    for wrong, said in (("nope", "parent_child"), ("fixed:size=3", "overlap"), ("fixed:tokens=5", "from 16")):
        done = call(tmp_path / "data", "ingest", "--strategy", wrong, str(path))
        assert done.returncode == 1 and said in done.stderr, done.stderr
    small = {"CORNERMAN_CHILD_TOKENS": "32", "CORNERMAN_PARENT_TOKENS": "64"}
    shown = call(tmp_path / "data", "chunks", "--json", str(path), settings=small)
    (preview,) = json.loads(shown.stdout)["previews"]
    assert preview["parameters"] == {"child_tokens": 32, "parent_tokens": 64}
    call(tmp_path / "data", "ingest", str(path), settings=small)
    named = call(tmp_path / "data", "ingest", "--strategy", "parent_child", str(path), settings=small)
    assert "unchanged" in named.stdout
    (tmp_path / "q.md").write_text("# Terms\n\nThirty days.")
    folder = call(tmp_path / "data", "chunks", str(tmp_path))
    assert folder.returncode == 1 and "takes one document" in folder.stderr, folder.stderr


def test_a_bad_file_does_not_stop_the_others(tmp_path: Path) -> None:
    """What can be read is in the index afterwards."""
    folder = tmp_path / "docs"
    folder.mkdir()
    (folder / "a.txt").touch()
    (folder / "b.md").write_text("# Prices\n\nThe price list is on the wall.")
    done = call(tmp_path / "data", "ingest", str(folder), str(tmp_path / "nowhere.md"))
    assert done.returncode == 1 and "DOCUMENT_MISSING" in done.stdout
    assert re.search(r"a\.txt.*refused", done.stdout) and re.search(r"b\.md.*ingested", done.stdout)


@pytest.mark.parametrize(
    ("args", "settings", "said"),
    [
        (("chat", "--assistant", "nope"), {}, "nope"),
        (("chat", "--url", "http://127.0.0.1:1"), {}, "no Cornerman server answers"),
        (("replay", "nowhere"), {}, "no thread 'nowhere'"),
        (("threads",), {"CORNERMAN_REDIS_URL": "redis://127.0.0.1:1/0"}, "redis_unavailable"),
        (("serve",), {"CORNERMAN_PORT": "99999"}, "settings_invalid"),
        (("serve", "--host", "0.0.0.0"), {}, "CORNERMAN_API_KEYS"),
        (("serve",), {"CORNERMAN_DATA_DIR": "/dev/null/data"}, "cannot be written"),
    ],
)
def test_bad_input_gets_one_clear_line(
    tmp_path: Path, args: tuple[str, ...], settings: dict[str, str], said: str
) -> None:
    """Never a traceback, and the message says what to change."""
    done = call(tmp_path, *args, stdin="hello\n", settings=settings)
    shown = " ".join((done.stdout + done.stderr).split())
    assert said in shown and "Traceback" not in shown


async def test_a_wrong_key_is_said_at_once(tmp_path: Path) -> None:
    """To `chat` and `threads`, with what to do about it."""
    keys = json.dumps({"right": {"tenant": "acme", "subject": "ana"}})
    async with serving(tmp_path, CORNERMAN_API_KEYS=keys) as (_, url):
        for args in (("chat", "--url", url, "--api-key", "wrong"), ("threads", "--url", url)):
            done = await run(tmp_path, *args, stdin="hello\n")
            assert "API key" in done.stdout + done.stderr
        done = await run(tmp_path, "threads", "--url", url, "--api-key", "right")
        assert done.returncode == 0


def test_doctor_says_what_is_there_and_what_is_missing(tmp_path: Path) -> None:
    """On a fresh machine nothing is a fault."""
    done = call(tmp_path, "doctor")
    assert done.returncode == 0
    for said in ("embedded", "scripted", "cornerman ingest", "not installed"):
        assert said in done.stdout


def test_doctor_survives_a_url_that_is_none(tmp_path: Path) -> None:
    """It is there to find such things."""
    done = call(tmp_path, "doctor", settings={"CORNERMAN_MODEL_BASE_URL": "http://host:notaport/v1"})
    assert "Traceback" not in done.stderr and "base URL" in done.stdout


def test_doctor_finds_the_faults(tmp_path: Path) -> None:
    """An unreachable endpoint and Redis are named with the setting to change."""
    faults = {
        "CORNERMAN_MODEL_BASE_URL": "http://127.0.0.1:1/v1",
        "CORNERMAN_REDIS_URL": "redis://127.0.0.1:1",
    }
    done = call(tmp_path, "doctor", settings=faults)
    assert done.returncode == 1
    assert "fault" in done.stdout and "CORNERMAN_REDIS_URL" in done.stdout and "base URL" in done.stdout


async def test_a_refused_model_key_reaches_the_rep_as_a_sentence(tmp_path: Path) -> None:
    """And the thread stays usable."""
    from nodes.scripts import SCRIPTS
    from runtime.scripted import ScriptedModel

    async with openai_server(ScriptedModel(scripts=SCRIPTS), key="right") as endpoint:
        settings = {"CORNERMAN_MODEL_BASE_URL": endpoint.base_url, "OPENAI_API_KEY": "wrong-key"}
        done = await run(
            tmp_path, "chat", "--assistant", "coaching", stdin="Hello\nHello?\n/quit\n", settings=settings
        )
        assert done.stdout.count("model_unauthorized") == 2
        assert "wrong-key" not in done.stdout + done.stderr
        settings["OPENAI_API_KEY"] = "right"
        done = await run(
            tmp_path,
            "chat",
            "--assistant",
            "coaching",
            stdin="Hello Dana, thanks for your time\n/quit\n",
            settings=settings,
        )
        assert "model_" not in done.stdout and "›" in done.stdout
