"""What was measured before there was an index: the figures to reach.

Of all queries of the sets. A folder with a part of them gives other figures, also for the anchors' own
settings, which is why these are measured again beside ours.
"""

from __future__ import annotations

from typing import NamedTuple


class Anchor(NamedTuple):
    ndcg: float
    recall: float


BM25 = {"scifact": Anchor(0.680, 0.812), "cmrc2018_child": Anchor(0.838, 0.923)}
"""The engine's BM25 with its multilingual tokenizer and its own defaults."""
DENSE = {"scifact": Anchor(0.648, 0.790)}
FUSED = {"scifact": Anchor(0.722, 0.852)}
"""RRF with k = 2."""
