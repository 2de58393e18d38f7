"""Answers measured: a question set over documents; what is answered with proof, refused, or wrong.

    make bench-answers
    python -m benchmarks.answers --questions file.yaml --corpus folder another

Without options it is the set over the sample knowledge. The documents are ingested as `cornerman ingest` does
it, into an installation of the benchmark's own; the questions go through the graph `rag` with the model that
is configured, the scripted one where there is none. Exits with 1 where a goal is missed.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import anyio

from benchmarks.answers.playing import over, play_all
from benchmarks.answers.questions import SAMPLES, Question, read_questions
from benchmarks.answers.report import findings
from benchmarks.ingest.report import Findings, show
from runtime.errors import InvalidInput
from runtime.log import configure

KNOWLEDGE = Path(__file__).parents[2] / "examples" / "knowledge"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.answers")
    parser.add_argument("--questions", type=Path, metavar="FILE", default=SAMPLES)
    parser.add_argument("--corpus", type=Path, nargs="+", metavar="FOLDER", default=[KNOWLEDGE])
    asked = parser.parse_args()
    if missing := [str(folder) for folder in asked.corpus if not folder.is_dir()]:
        parser.error(f"there is no folder {missing[0]!r}")
    configure("error", to_terminal=False)
    try:
        questions = read_questions(asked.questions)
    except InvalidInput as exc:
        parser.error(str(exc))
    print(f"\n## {len(questions)} questions of {asked.questions.name}", flush=True)
    found = anyio.run(_measure, questions, asked.corpus)
    show(found)
    return int(not all(goal.met for goal in found.goals))


async def _measure(questions: Sequence[Question], folders: Sequence[Path]) -> Findings:
    with tempfile.TemporaryDirectory() as place:
        async with over(folders, Path(place)) as (context, left_out):
            began = time.monotonic()
            played = await play_all(context, questions)
            took_s = (time.monotonic() - began) / max(1, len(questions))
    found = findings(played, left_out)
    return found._replace(remarks=[*found.remarks, f"{took_s * 1_000:.0f} ms for a question."])


if __name__ == "__main__":
    sys.exit(main())
