"""How a conversation looks in the terminal."""

from __future__ import annotations

from typing import Any

from rich.cells import cell_len
from rich.console import Console
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from terminal.conversation import Piece


class Screen:
    """Shows one run: the streamed answer, and between its lines the hints, citations and tools."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._open = False
        """A message is being written."""
        self._column = 0
        self._later: list[Any] = []
        """Panels that wait for the end of the message, so that they do not cut its lines."""

    def show(self, piece: Piece) -> None:
        if piece.kind == "token":
            self._write(piece.text)
        elif piece.kind in ("end", "lost"):
            self._close(" (cut off)" if piece.kind == "lost" else "")
        elif piece.kind == "custom" and piece.data:
            self._panel(custom_panel(piece.data))
        elif piece.kind == "tool":
            self.note(f"using {piece.text} …")
        elif piece.kind == "failed":
            self._close()
            code = (piece.data or {}).get("code", "internal")
            self._console.print(Text(f"{piece.text} ({code})", style="red"))

    def note(self, text: str) -> None:
        self._panel(Text(text, style="dim"))

    def finish(self) -> None:
        """The run is over: nothing stays held back."""
        self._close()

    def _write(self, text: str) -> None:
        if not self._open:
            self._console.print("[bold cyan]›[/bold cyan] ", end="")
            self._open, self._column = True, 2
        # Tokens are words, so a line breaks between them; rich cannot wrap what is still to come.
        if self._column + cell_len(text.rstrip()) > self._console.width:
            self._console.print()
            text, self._column = text.lstrip(" "), 0
        self._column = cell_len(text.rpartition("\n")[2]) + (0 if "\n" in text else self._column)
        self._console.print(text, end="", markup=False, highlight=False, soft_wrap=True)

    def _close(self, remark: str = "") -> None:
        if self._open:
            self._console.print(Text(remark, style="dim"))
            self._open = False
        for panel in self._later:
            self._console.print(panel)
        self._later.clear()

    def _panel(self, panel: Any) -> None:
        if panel is not None:
            self._later.append(panel)
            if not self._open:
                self._close()


def custom_panel(data: dict[str, Any]) -> Any:
    """A hint beside the dialogue, a citation line, a scorecard; None for what is not for people."""
    name = data.get("name")
    if name == "hint":
        said = "\n".join(str(data[key]) for key in ("text", "suggestion") if data.get(key))
        return Panel(Text(said), title="hint", title_align="left", border_style="yellow", expand=False)
    if name == "citation":
        quote = shorten(data.get("quote", ""))
        return Text(f"{data.get('marker', '')} {data.get('locator', '')}: “{quote}”", style="dim")
    if name == "scorecard":
        return scorecard_table(data)
    return None


def shorten(text: str, limit: int = 110) -> str:
    """One line of at most `limit` characters."""
    line = " ".join(str(text).split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def scorecard_table(card: dict[str, Any]) -> Table:
    """The scores, each with the quote that proves it."""
    tier = f"tier {card['tier']}" if card.get("tier") else "below every tier"
    total = card.get("total")
    title = "Scorecard: too little to judge" if total is None else f"Scorecard: {total} of 100, {tier}"
    table = Table(title=title, show_lines=True)
    for column in ("dimension", "score", "evidence"):
        table.add_column(column, overflow="fold")
    for row in card.get("dimensions", []):
        quotes = "\n".join(f"turn {q['turn']}: “{shorten(q['text'], 90)}”" for q in row["quotes"])
        score = str(row["score"]) if row["status"] == "scored" else row["status"].replace("_", " ")
        table.add_row(row["dimension"].replace("_", " "), score, Text(quotes or row["reason"]))
    return table
