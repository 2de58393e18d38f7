"""RapidOCR (PP-OCRv6 small, its models in the wheel) on the CPU: the embedded reader of page images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any

from ingestion.document import Box, Part
from ingestion.ocr.lines import parts_of
from ingestion.ocr.reading import ReadImage
from ingestion.ocr.segment import Line, Point
from runtime.errors import DocumentCorrupt, DocumentError, OcrUnavailable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ingestion.sandbox import Sandbox

    Image = NDArray[np.uint8]

_MAX_SIDE = 2400
"""Pixels; larger images are reduced to it. A4 at 150 dpi is 1754: more dpi read no better."""
_DETECTION_SIDE = 1280
"""Pixels of the longer side when lines are searched: letters of 6.5 pt on A4 were found even at 960, and at
1760 detection alone took the peak of memory from 560 to 850 MB."""
_PARAMS: dict[str, Any] = {
    "Global.log_level": "critical",
    "Global.max_side_len": _MAX_SIDE,
    # It turns long lines upside down, one in fifteen: they came out as rubbish.
    "Global.use_cls": False,
    "Det.limit_type": "max",
    "Det.limit_side_len": _DETECTION_SIDE,
    # Lines of different lengths in one batch are padded to the longest: a third more time, twice the memory.
    "Rec.rec_batch_num": 1,
    "EngineConfig.onnxruntime.inter_op_num_threads": 1,
}
_THREADS = 1
"""Of one process: pages are read in as many processes as there are cores. A second thread makes a page a
quarter faster, for a sixth more CPU."""
_POOR = 0.8
"""Mean confidence below which a page may be upside down; pages the right way up have 0.93 and more."""


def rapid_reader(sandbox: Sandbox, timeout_s: float) -> ReadImage:
    """Recognises in a parser process, within `timeout_s` for an image.

    Raises OcrUnavailable where that process runs out of time or memory, or dies.
    """

    async def read(png: bytes) -> list[Part]:
        try:
            return await sandbox.call(recognise, png, timeout_s=timeout_s, document="the page's image")
        except DocumentError as exc:
            raise OcrUnavailable(f"RapidOCR: {exc}") from exc

    return read


def recognise(png: bytes) -> list[Part]:
    """As `ReadImage`, but blocking: about 5 s of CPU and up to 700 MB for a page of A4.

    A page turned by 90, 180 or 270 degrees is read too. Raises DocumentCorrupt for what is no image.
    """
    image = _decode(png)
    turns, lines = _read_upright(image)
    height, width = image.shape[:2]
    return [_turned_back(part, turns, width, height) for part in parts_of(lines)]


def _decode(png: bytes) -> Image:
    import cv2
    import numpy as np

    image = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR) if png else None
    if image is None:
        raise DocumentCorrupt(f"an image of {len(png)} bytes cannot be decoded")
    return image  # type: ignore[return-value] # cv2 says only that it is some array.


def _read_upright(image: Image) -> tuple[int, list[Line]]:
    """Quarter turns against the clock that set the page upright, and its lines then."""
    lines = _lines(image, 0)
    turns = 0
    if _is_sideways(lines):
        turns, lines = 1, _lines(image, 1)
    if not lines or _confidence(lines) >= _POOR:
        return turns, lines
    opposite = _lines(image, turns + 2)
    if _confidence(opposite) > _confidence(lines):
        return turns + 2, opposite
    return turns, lines


def _lines(image: Image, turns: int) -> list[Line]:
    import numpy as np

    found = _engine()(np.ascontiguousarray(np.rot90(image, turns)))
    if found.boxes is None or found.txts is None:
        return []
    return [
        Line(text, _corners(box), float(score))
        for box, text, score in zip(found.boxes.tolist(), found.txts, found.scores, strict=True)
    ]


def _corners(box: Sequence[Sequence[float]]) -> tuple[Point, Point, Point, Point]:
    first, second, third, fourth = (Point(x, y) for x, y in box)
    return first, second, third, fourth


@cache
def _engine() -> Any:
    """Loaded once in a process: 0.3 s and 90 MB."""
    from rapidocr import RapidOCR

    return RapidOCR(params={**_PARAMS, "EngineConfig.onnxruntime.intra_op_num_threads": _THREADS})


def _is_sideways(lines: Sequence[Line]) -> bool:
    """Whether most of the text stands in lines that are higher than wide."""
    tall = total = 0
    for line in lines:
        (left, right, _, below), length = line.corners, len(line.text)
        width, height = abs(right.x - left.x), abs(below.y - left.y)
        total += length
        tall += length if height > 2 * width else 0
    return 2 * tall > total


def _confidence(lines: Sequence[Line]) -> float:
    total = sum(len(line.text) for line in lines)
    return sum(line.confidence * len(line.text) for line in lines) / total if total else 0.0


def _turned_back(part: Part, turns: int, width: int, height: int) -> Part:
    """Its box in the image as it was, of the given size before it was turned."""
    if turns == 0 or part.box is None:
        return part
    x0, y0, x1, y1 = part.box
    if turns == 1:
        box = Box(width - y1, x0, width - y0, x1)
    elif turns == 2:
        box = Box(width - x1, height - y1, width - x0, height - y0)
    else:
        box = Box(y0, height - x1, y1, height - x0)
    return replace(part, box=box)
