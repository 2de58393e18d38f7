"""Structured log on stderr: `noun.verb` events, values as keys; never message text, prompts or secrets."""

from __future__ import annotations

import logging
import sys

import structlog


def configure(level: str, *, to_terminal: bool) -> None:
    """Sets up structlog once per process: JSON lines, or a readable form when `to_terminal`."""
    renderer: structlog.typing.Processor = structlog.processors.JSONRenderer()
    if to_terminal:
        # The default formatter prints local variables when rich is installed: the conversation itself.
        renderer = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    threshold = logging.getLevelNamesMapping().get(level.upper(), logging.INFO)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=lambda *args: structlog.PrintLogger(sys.stderr),
        cache_logger_on_first_use=False,
    )
    # Libraries log values of ours (SAQ a job's arguments, for one), so they speak up only for trouble.
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    logging.getLogger("saq").setLevel(logging.ERROR)
