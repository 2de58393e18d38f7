"""Imports the modules of a LangGraph project, beside ours and by names of their own."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

OUR_NAMES = (
    *("cli", "compose", "compose_knowledge", "server"),
    *("graphs", "nodes", "tools", "runtime", "ingestion", "terminal"),
)
"""What this program's distribution puts at the top level; a test compares it with pyproject.toml."""

_OUR_FOLDER = Path(__file__).resolve().parents[1]
_PACKAGE = "langgraph_project"


class _TheirsFirst:
    """A finder that leads the given top-level names into the project's folders."""

    def __init__(self, names: set[str], folders: Sequence[str]) -> None:
        self._names = names
        self._folders = folders

    def find_spec(self, name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        return PathFinder.find_spec(name, self._folders) if name in self._names else None


@contextmanager
def importing(folders: Sequence[Path]) -> Iterator[None]:
    """The folders end up at the end of `sys.path`, to stay; inside, their names come before ours.

    A project may well have a `tools` or `nodes` of its own. It gets them wherever it imports them inside this
    block; afterwards these names are ours again. It is the whole process that sees the project's modules
    meanwhile, so nothing else may run.
    """
    sys.path += [str(folder) for folder in folders if str(folder) not in sys.path]
    places = [str(folder) for folder in folders if folder != _OUR_FOLDER]
    shared = {name for name in OUR_NAMES if _has_code(PathFinder.find_spec(name, places))}
    finder = _TheirsFirst(shared, places)
    ours = _take_out(shared)
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        _take_out(shared)
        sys.modules.update(ours)


def _has_code(spec: ModuleSpec | None) -> bool:
    if spec is None or spec.origin:
        return spec is not None
    places = spec.submodule_search_locations or ()
    return any(True for place in places for _ in Path(place).rglob("*.py"))


def _take_out(names: set[str]) -> dict[str, ModuleType]:
    return {name: sys.modules.pop(name) for name in list(sys.modules) if name.partition(".")[0] in names}


def import_file(file: Path, folders: Sequence[Path]) -> ModuleType:
    """The file's module, executed once. `file` is absolute; `folders` begin with the project's own.

    It can import its neighbours absolutely, as far as the folders reach, and relatively, with or without an
    `__init__.py`. Raises whatever the file's code raises, and ImportError when it is no Python file.
    """
    package = next(_packages(file, folders), None) or _package_of_ours(file, folders[0])
    # Not by its own name: a package whose `__init__` imports this very file would find it half executed.
    name = f"{package}.{_plain(file.stem)}@served"
    known = sys.modules.get(name)
    if known is not None and known.__file__ == str(file):
        return known
    return _execute(name, file)


def _packages(file: Path, folders: Sequence[Path]) -> Iterator[str]:
    """The importable names of the file's folder: so that what it imports relatively is not imported twice."""
    regular = next(place for place in file.parents if not (place / "__init__.py").is_file())
    for root in (regular, *folders):
        if root in file.parent.parents:
            parts = file.parent.relative_to(root).parts
            if all(part.isidentifier() for part in parts) and _leads_to(parts[0], root / parts[0]):
                yield ".".join(parts)


def _leads_to(package: str, place: Path) -> bool:
    try:
        spec = find_spec(package)
    except ValueError:  # A module that was not imported from anywhere, such as `__main__`.
        return False
    found = (spec.submodule_search_locations if spec else None) or ()
    return any(Path(path).resolve() == place for path in found)


def _package_of_ours(file: Path, folder: Path) -> str:
    """A package for this folder alone, named alike on every machine: checkpoints name classes by it."""
    anchor = Path(os.path.commonpath([folder, file]))
    package = _PACKAGE + "_above" * (len(folder.parts) - len(anchor.parts))
    spec = ModuleSpec(package, None, is_package=True)
    spec.submodule_search_locations = [str(anchor)]
    sys.modules[package] = module_from_spec(spec)
    return ".".join([package, *map(_plain, file.parent.relative_to(anchor).parts)])


def _plain(part: str) -> str:
    return part.replace(".", "%2e")


def _execute(name: str, file: Path) -> ModuleType:
    spec = spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise ImportError(f"{file.name!r} is not a Python file")
    module = module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        # Half executed, it would be taken for whole by the next graph of this file.
        sys.modules.pop(name, None)
        raise
    return module
