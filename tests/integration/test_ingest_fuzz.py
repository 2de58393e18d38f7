"""Broken files of every kind: a few seconds of what tests/proofs/ingest_fuzz.py does for half an hour."""

from __future__ import annotations

import random
import zipfile
from io import BytesIO
from pathlib import Path

import pptx
import pytest
from PIL import Image

from tests.proofs.ingest_fuzz import fuzz, table
from tests.proofs.mutations import kinds, mutated
from tests.samples import SAMPLES

_MAIL = (
    b"From: ana@example.org\nTo: ben@example.org\nSubject: Offer\nMIME-Version: 1.0\n"
    b'Content-Type: multipart/mixed; boundary="b"\n\n--b\nContent-Type: text/plain\n\nSeats cost 39.\n'
    b'--b\nContent-Type: text/csv; name="p.csv"\nContent-Disposition: attachment; filename="p.csv"\n\n'
    b"plan,price\nStarter,39\n--b--\n"
)


@pytest.fixture
def seeds() -> dict[str, bytes]:
    """Small files of all kinds."""
    found = {path.name: path.read_bytes() for path in SAMPLES.iterdir()}
    image, deck, archive = BytesIO(), BytesIO(), BytesIO()
    Image.new("RGB", (64, 64), "white").save(image, "PNG")
    slides = pptx.Presentation()
    slides.slides.add_slide(slides.slide_layouts[1]).shapes.title.text = "Seats cost 39."
    slides.save(deck)
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        for name in sorted(found):
            packed.writestr(name, found[name])
    return {
        **found,
        "page.html": b"<html><body><h1>Seats</h1><table><tr><td>39</td></tr></table></body></html>",
        "plans.csv": b"plan,price\nStarter,39\nBusiness,69\n",
        "offer.eml": _MAIL,
        "picture.png": image.getvalue(),
        "slides.pptx": deck.getvalue(),
        "all.zip": archive.getvalue(),
    }


@pytest.mark.anyio
async def test_broken_files_break_nothing(seeds: dict[str, bytes], tmp_path: Path) -> None:
    """Each is read or refused with a code, in its time; this process stays, and does not grow."""
    outcomes = await fuzz(seeds, seconds=5, seed=1, save=tmp_path)
    assert outcomes.faults == []
    assert outcomes.inputs and f"| {outcomes.inputs} |" not in table(outcomes).splitlines()[0]
    assert list((tmp_path / "now").iterdir()) == []


def test_the_same_chance_breaks_the_same_way(seeds: dict[str, bytes]) -> None:
    """A fault can be made again from its number; something is changed in nearly every file."""
    alike = {kind: [seeds[name] for name in names] for kind, names in kinds(list(seeds)).items()}
    changed = total = 0
    for kind, files in alike.items():
        for number in range(20):
            first, second = (mutated(random.Random(f"{kind} {number}"), files[0], files[-1]) for _ in "ab")
            assert first == second and first[0]
            changed += first[1] != files[0]
            total += 1
    assert changed > 0.9 * total
