"""Loads the graphs that a `langgraph.json` names, as `langgraph dev` does."""

from __future__ import annotations

import importlib
import os
import sys
import traceback
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import orjson
import structlog
from dotenv import load_dotenv
from langgraph.graph import StateGraph
from langgraph.pregel import Pregel

from runtime.catalog import GraphSource
from runtime.errors import AppError, GraphUnavailable, InvalidInput, NotSupported, SettingsInvalid
from runtime.project_makers import roles
from runtime.project_modules import import_file, importing

IGNORED = (
    *("auth", "checkpointer", "encryption", "http", "priority"),
    *("store", "ui", "ui_config", "webhooks"),
)
"""Keys that change how `langgraph dev` serves and that have no effect here; loading names those it meets."""

_JAVASCRIPT = (".js", ".cjs", ".mjs", ".jsx", ".ts", ".cts", ".mts", ".tsx")

log = structlog.get_logger()


@dataclass(frozen=True)
class Project:
    """What a `langgraph.json` names, by assistant name; each name is in one of the two."""

    graphs: Mapping[str, GraphSource]
    failures: Mapping[str, AppError]
    """Why a graph could not be loaded: type and message of the cause, and where in the project it arose."""


def load_project(path: Path) -> Project:
    """Loads the project's environment into ours and imports its graphs' modules.

    This executes the project's code: call it before the event loop starts. Raises SettingsInvalid when the
    file is missing or is not what LangGraph says it is; a graph that cannot be loaded is a failure instead.
    """
    path = path.resolve()
    described = _read(path)
    sources = dict(_sources(path, described))
    folders = list(_folders(path, described))
    _load_env(path, described.get("env", {}))
    ignored = sorted(key for key in IGNORED if described.get(key))
    if ignored:
        log.warning("project.keys_ignored", path=str(path), keys=ignored)
    graphs: dict[str, GraphSource] = {}
    failures: dict[str, AppError] = {}
    with importing(folders):
        for name, source in sources.items():
            try:
                graphs[name] = _load(source, folders)
            # The code is not ours and may fail in any way, by SystemExit even; the other graphs are served
            # all the same. No node runs here, so no interrupt is lost.
            except (Exception, SystemExit) as exc:
                failures[name] = _failure(name, source, exc, folders)
    return Project(graphs, failures)


def _read(path: Path) -> dict[str, Any]:
    try:
        described = orjson.loads(path.read_bytes())
    except OSError as exc:
        raise SettingsInvalid(f"cannot read {str(path)!r}: {exc.strerror}") from exc
    except orjson.JSONDecodeError as exc:
        raise SettingsInvalid(f"{str(path)!r} is not JSON: {exc}") from exc
    if not isinstance(described, dict):
        raise SettingsInvalid(f"{str(path)!r} holds a {type(described).__name__}, not an object")
    return described


def _sources(path: Path, described: dict[str, Any]) -> Iterator[tuple[str, str]]:
    graphs = described.get("graphs")
    if not isinstance(graphs, dict) or not graphs:
        raise _invalid(path, "graphs", graphs, "an object with one entry or more")
    for name, value in graphs.items():
        source = value.get("path") if isinstance(value, dict) else value
        if not isinstance(source, str) or not all(source.rpartition(":")):
            raise _invalid(path, f"graphs.{name}", value, "'./file.py:variable' or 'package.module:variable'")
        yield name, source


def _folders(path: Path, described: dict[str, Any]) -> Iterator[Path]:
    """The project's own folder and its local dependencies; other dependencies are installed already."""
    yield path.parent
    dependencies = described.get("dependencies", [])
    if not isinstance(dependencies, list) or not all(isinstance(each, str) for each in dependencies):
        raise _invalid(path, "dependencies", dependencies, "a list of strings")
    places = ((path.parent / each).resolve() for each in dependencies)
    yield from dict.fromkeys(place for place in places if place.is_dir() and place != path.parent)


def _load_env(path: Path, env: object) -> None:
    """What is set already stays as it is."""
    if isinstance(env, str):
        if not load_dotenv(path.parent / env):
            # It is usually not checked in: where the environment is set otherwise, there is none.
            log.info("project.env_empty", path=str(path.parent / env))
        return
    if not isinstance(env, dict) or not all(isinstance(value, str) for value in env.values()):
        # Not with its value, which may be a secret.
        raise SettingsInvalid(f"env in {str(path)!r} must be the path of an env file or an object of strings")
    for key, value in env.items():
        os.environ.setdefault(key, value)


def _invalid(path: Path, key: str, value: object, expected: str) -> SettingsInvalid:
    return SettingsInvalid(f"{key} in {str(path)!r} is {value!r}; expected {expected}")


def _load(source: str, folders: Sequence[Path]) -> GraphSource:
    place, _, variable = source.rpartition(":")
    if place.endswith(_JAVASCRIPT):
        raise NotSupported("only graphs in Python can be served")
    module = _module(place, folders)
    if not hasattr(module, variable):
        raise InvalidInput(f"there is no {variable!r}; graphs there: {_graphs_in(module)}")
    return _checked(getattr(module, variable))


def _module(place: str, folders: Sequence[Path]) -> ModuleType:
    if "/" not in place and not place.endswith(".py"):
        return importlib.import_module(place)
    file = (folders[0] / place).resolve()
    if not file.is_file():
        raise InvalidInput("there is no such file")
    return import_file(file, folders)


def _graphs_in(module: ModuleType) -> list[str]:
    return sorted(name for name, value in vars(module).items() if isinstance(value, (Pregel, StateGraph)))


def _checked(value: object) -> GraphSource:
    if isinstance(value, StateGraph):
        value.compile()  # Only to see whether it can be; what is served is compiled with the saver.
        return value
    if isinstance(value, Pregel):
        return value
    if callable(value):
        roles(value)
        return value
    raise InvalidInput(f"a {type(value).__name__} is not a graph, a builder or a function that makes one")


def _failure(name: str, source: str, exc: BaseException, folders: Sequence[Path]) -> AppError:
    # An AppError from here speaks for itself; what the project's code raised is named with its type.
    cause = str(exc) if isinstance(exc, AppError) else f"{type(exc).__name__}: {exc}"
    error = GraphUnavailable(f"graph {name!r} ({source}): {cause}{_place(exc, folders)}", graph=name)
    error.__cause__ = exc
    return error


def _place(exc: BaseException, folders: Sequence[Path]) -> str:
    """` (file:line)` of the innermost frame in the project, its path relative to the project's folder."""
    frames = [(frame.filename, frame.lineno) for frame in traceback.extract_tb(exc.__traceback__)]
    if isinstance(exc, SyntaxError):
        frames.append((exc.filename or "", exc.lineno))
    theirs = [frame for frame in frames if _is_theirs(Path(frame[0]), folders)]
    if not theirs:
        return ""
    file, line = theirs[-1]
    return f" ({os.path.relpath(file, folders[0])}:{line})"


def _is_theirs(file: Path, folders: Sequence[Path]) -> bool:
    # The project's virtual environment usually lies in its folder.
    within = any(file.is_relative_to(folder) for folder in folders)
    return within and not file.is_relative_to(sys.prefix) and "site-packages" not in file.parts
