"""Loading what a langgraph.json names: real projects in real folders."""

from __future__ import annotations

import json
import os
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import pytest
from langchain_core.runnables import RunnableConfig
from langgraph.graph import StateGraph
from langgraph.pregel import Pregel
from langgraph_sdk.runtime import ServerRuntime, _ExecutionRuntime, _ReadRuntime
from structlog.testing import capture_logs

from runtime.errors import AppError, GraphUnavailable, SettingsInvalid
from runtime.project import Project, load_project
from runtime.project_makers import roles
from runtime.project_modules import OUR_NAMES

STATE = """
from typing import TypedDict

class State(TypedDict, total=False):
    text: str
"""

BUILDER = """
from langgraph.graph import StateGraph

def say(state):
    return {"text": WORD}

builder = StateGraph(State)
builder.add_node("say", say)
builder.set_entry_point("say")
graph = builder.compile()
"""


@pytest.fixture(autouse=True)
def process() -> Iterator[None]:
    """A project stays in its process; a test's may not."""
    path, modules, env = list(sys.path), dict(sys.modules), dict(os.environ)
    yield
    sys.path[:] = path
    for name in sys.modules.keys() - modules.keys():
        del sys.modules[name]
    os.environ.clear()
    os.environ.update(env)


def write(folder: Path, files: dict[str, str], **described: Any) -> Path:
    """Writes a project; returns the path of its langgraph.json."""
    for name, text in files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    config = folder / "langgraph.json"
    config.write_text(json.dumps({"dependencies": ["."], **described}))
    return config


def load(folder: Path, files: dict[str, str], **described: Any) -> Project:
    return load_project(write(folder, files, **described))


def says(project: Project, name: str) -> str:
    """What the compiled graph of this name says; its failure as an assertion."""
    assert name not in project.failures, project.failures[name]
    graph = project.graphs[name]
    assert isinstance(graph, Pregel)
    return str(graph.invoke({})["text"])


def graph_of(word: str) -> str:
    return STATE + BUILDER.replace("WORD", repr(word))


def test_a_compiled_graph_a_builder_and_a_function_are_taken_as_they_are(tmp_path: Path) -> None:
    """Each of the forms that LangGraph's server takes is one that we take."""
    files = {"app.py": graph_of("hello") + "\ndef make():\n    return builder\n"}
    sources = {"compiled": "./app.py:graph", "builder": "./app.py:builder", "made": "./app.py:make"}
    project = load(tmp_path, files, graphs=sources)
    assert not project.failures
    assert says(project, "compiled") == "hello"
    assert isinstance(project.graphs["builder"], StateGraph)
    assert callable(project.graphs["made"])


def test_an_entrypoint_of_the_functional_api_is_a_graph(tmp_path: Path) -> None:
    """The functional API's workflows are served like graphs."""
    text = "from langgraph.func import entrypoint\n@entrypoint()\ndef flow(x: dict) -> dict:\n    return x\n"
    project = load(tmp_path, {"app.py": text}, graphs={"flow": "./app.py:flow"})
    assert isinstance(project.graphs["flow"], Pregel)


def test_an_object_with_a_path_names_a_graph(tmp_path: Path) -> None:
    """A graph with a description in langgraph.json is served too."""
    entry = {"path": "./app.py:graph", "description": "says hello"}
    assert says(load(tmp_path, {"app.py": graph_of("hello")}, graphs={"app": entry}), "app") == "hello"


@pytest.mark.parametrize("regular", [True, False], ids=["with __init__", "without __init__"])
@pytest.mark.parametrize(
    "line", ["from .words import WORD", "from ..shared import WORD", "from shop.bot.words import WORD"]
)
def test_a_file_imports_its_neighbours(tmp_path: Path, line: str, regular: bool) -> None:
    """Relative and absolute imports of the project's own packages work from the file of a graph."""
    files = {
        "shop/bot/agent.py": f"{line}\n{STATE}{BUILDER}",
        "shop/bot/words.py": "WORD = 'near'",
        "shop/shared.py": "WORD = 'near'",
    }
    if regular:
        files |= {"shop/__init__.py": "", "shop/bot/__init__.py": ""}
    assert says(load(tmp_path, files, graphs={"bot": "./shop/bot/agent.py:graph"}), "bot") == "near"


def test_a_file_beside_langgraph_json_imports_relatively(tmp_path: Path) -> None:
    """A project without a package of its own may still write `from .words import`."""
    files = {"agent.py": f"from .words import WORD\n{STATE}{BUILDER}", "words.py": "WORD = 'flat'"}
    assert says(load(tmp_path, files, graphs={"flat": "./agent.py:graph"}), "flat") == "flat"


def test_relative_and_absolute_imports_lead_to_one_module(tmp_path: Path) -> None:
    """A class that the graph's file and its neighbour both import is one class."""
    files = {
        "shop/__init__.py": "",
        "shop/plan.py": "class Plan: ...\n",
        "shop/check.py": "from shop.plan import Plan\ndef fits(plan):\n    return isinstance(plan, Plan)\n",
        "shop/agent.py": "from .plan import Plan\nfrom shop.check import fits\nWORD = str(fits(Plan()))\n"
        + STATE
        + BUILDER,
    }
    assert says(load(tmp_path, files, graphs={"shop": "./shop/agent.py:graph"}), "shop") == "True"


def test_a_package_whose_init_imports_the_graph_is_no_circle(tmp_path: Path) -> None:
    """The layout of LangGraph's own templates: the package's `__init__` exports the graph."""
    files = {
        "src/bot/__init__.py": "from bot.agent import graph\n",
        "src/bot/words.py": "WORD = 'template'",
        "src/bot/agent.py": f"from bot.words import WORD\n{STATE}{BUILDER}",
    }
    project = load(tmp_path, files, dependencies=["./src"], graphs={"bot": "./src/bot/agent.py:graph"})
    assert says(project, "bot") == "template"


def test_two_files_of_one_name_are_two_modules(tmp_path: Path) -> None:
    """Each of two teams' agent.py is its own graph, with its own neighbours."""
    files = {
        f"{team}/bot/{name}": text
        for team in ("red", "blue")
        for name, text in {
            "__init__.py": "",
            "words.py": f"WORD = {team!r}",
            "agent.py": f"from .words import WORD\n{STATE}{BUILDER}",
        }.items()
    }
    sources = {team: f"./{team}/bot/agent.py:graph" for team in ("red", "blue")}
    project = load(tmp_path, files, dependencies=["./red", "./blue"], graphs=sources)
    assert (says(project, "red"), says(project, "blue")) == ("red", "blue")


def test_a_file_outside_the_projects_folder_is_loaded(tmp_path: Path) -> None:
    """`../shared/agent.py` is a path like another, and its relative imports work."""
    files = {
        "shared/agent.py": f"from .words import WORD\n{STATE}{BUILDER}",
        "shared/words.py": "WORD = 'up'",
    }
    write(tmp_path, files, graphs={})
    project = load(tmp_path / "app", {"app.py": ""}, graphs={"up": "../shared/agent.py:graph"})
    assert says(project, "up") == "up"


def test_a_module_of_a_local_dependency_is_found_by_name(tmp_path: Path) -> None:
    """`package.module:variable` reaches what lies in the dependencies' folders."""
    files = {"libs/bots/red.py": graph_of("by name"), "libs/bots/__init__.py": ""}
    sources = {"red": "bots.red:graph"}
    project = load(tmp_path, files, dependencies=["./libs", "langchain-core"], graphs=sources)
    assert says(project, "red") == "by name"


def test_one_file_is_executed_once_for_all_its_graphs(tmp_path: Path) -> None:
    """Two graphs of one file share its module: its side effects happen once."""
    text = "with open(__file__ + '.log', 'a') as log:\n    log.write('x')\n"
    sources = {"one": "./app.py:graph", "two": "./app.py:builder"}
    load(tmp_path, {"app.py": text + graph_of("")}, graphs=sources)
    assert (tmp_path / "app.py.log").read_text() == "x"


def test_a_projects_package_may_be_called_as_one_of_ours(tmp_path: Path) -> None:
    """A project with `tools` and `nodes` of its own gets its own, and we keep ours."""
    import runtime.errors as ours

    files = {
        "tools/__init__.py": "",
        "tools/words.py": "WORD = 'their tools'",
        "nodes.py": "from tools.words import WORD\n",
        "app.py": f"from nodes import WORD\n{STATE}{BUILDER}",
    }
    assert says(load(tmp_path, files, graphs={"app": "./app.py:graph"}), "app") == "their tools"
    import nodes.respond
    import tools.documents

    assert sys.modules["runtime.errors"] is ours
    assert str(tmp_path) not in f"{nodes.respond.__file__}{tools.documents.__file__}"


def test_a_folder_of_data_does_not_hide_a_package_of_ours(tmp_path: Path) -> None:
    """A project that uses our Context and has a folder called `runtime` without code still finds it."""
    files = {
        "runtime/notes.txt": "",
        "app.py": f"from runtime.context import Context\nWORD = Context.__module__\n{STATE}{BUILDER}",
    }
    assert says(load(tmp_path, files, graphs={"app": "./app.py:graph"}), "app") == "runtime.context"


def test_our_names_are_those_of_the_distribution() -> None:
    """A package added to the distribution is protected from a project's package of that name."""
    described = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())
    included = described["tool"]["hatch"]["build"]["targets"]["wheel"]["only-include"]
    assert sorted(OUR_NAMES) == sorted(name.removesuffix(".py") for name in included)


def test_our_own_langgraph_json_is_a_project() -> None:
    """Our graphs load like anybody's, with our modules and not with copies of them."""
    from runtime.context import Context

    project = load_project(Path(__file__).parents[2] / "langgraph.json")
    assert not project.failures
    build = project.graphs["rag"]
    assert callable(build)
    assert build().context_schema is Context


ENV_GRAPH = "import os\nWORD = os.environ['SHOP_WORD']\n" + STATE + BUILDER


def test_an_env_file_is_there_when_the_graphs_are_imported(tmp_path: Path) -> None:
    """What a project reads from its environment on import is set by then, quotes and comments understood."""
    files = {"app.py": ENV_GRAPH, "keys.env": "# words\nexport SHOP_WORD='from a file'\n"}
    assert (
        says(load(tmp_path, files, env="./keys.env", graphs={"app": "./app.py:graph"}), "app")
        == "from a file"
    )


def test_an_env_object_does_not_override_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who starts the process has the last word."""
    monkeypatch.setenv("SHOP_WORD", "from outside")
    env = {"SHOP_WORD": "from the project", "SHOP_OTHER": "new"}
    project = load(tmp_path, {"app.py": ENV_GRAPH}, env=env, graphs={"app": "./app.py:graph"})
    assert says(project, "app") == "from outside"
    assert os.environ["SHOP_OTHER"] == "new"


def test_an_env_file_does_not_override_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same holds for a file, and one that is not there is no error."""
    monkeypatch.setenv("SHOP_WORD", "from outside")
    files = {"app.py": ENV_GRAPH, ".env": "SHOP_WORD=from the project\n"}
    assert says(load(tmp_path, files, env=".env", graphs={"app": "./app.py:graph"}), "app") == "from outside"
    load(tmp_path, files, env="./missing.env", graphs={"app": "./app.py:graph"})


FAILING = {
    "import": (
        "import no_such_module_here\n",
        "ModuleNotFoundError: No module named 'no_such_module_here'",
        1,
    ),
    "syntax": ("x = 1\ndef broken(:\n", "SyntaxError: ", 2),
    "raises": ("def check():\n    raise ValueError('no key')\n\ncheck()\n", "ValueError: no key", 2),
    "exits": ("import sys\nsys.exit('set a key')\n", "SystemExit: set a key", 2),
}


@pytest.mark.parametrize("kind", FAILING)
def test_a_module_that_fails_is_named_and_the_others_are_served(tmp_path: Path, kind: str) -> None:
    """One graph's broken code keeps no other graph from being served, and is found from the message alone."""
    text, cause, line = FAILING[kind]
    files = {
        "app.py": graph_of("fine"),
        "bad/agent.py": f"from bad.inner import *\n{graph_of('')}",
        "bad/inner.py": text,
    }
    project = load(tmp_path, files, graphs={"bad": "./bad/agent.py:graph", "app": "./app.py:graph"})
    assert says(project, "app") == "fine"
    failure = project.failures["bad"]
    assert isinstance(failure, GraphUnavailable)
    assert str(failure).startswith(f"graph 'bad' (./bad/agent.py:graph): {cause}")
    assert f"bad{os.sep}inner.py:{line})" in str(failure)
    assert failure.__cause__ is not None


def failure_of(project: Project) -> AppError:
    assert not project.graphs
    return project.failures["bad"]


def test_a_missing_variable_names_the_graphs_that_are_there(tmp_path: Path) -> None:
    """A slip in the variable's name is mended without opening the file."""
    failure = failure_of(load(tmp_path, {"app.py": graph_of("")}, graphs={"bad": "./app.py:grahp"}))
    assert "there is no 'grahp'; graphs there: ['builder', 'graph']" in str(failure)


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("./app.py:number", "a int is not a graph, a builder or a function that makes one"),
        ("./app.py:make", "parameter 'third'"),
        ("./app.py:unfinished", "ValueError: "),
        ("./none.py:graph", "there is no such file"),
        ("./app.txt:graph", "'app.txt' is not a Python file"),
        ("./agent.ts:graph", "only graphs in Python can be served"),
        ("no_such.module:graph", "No module named 'no_such'"),
    ],
)
def test_what_is_not_a_graph_is_a_failure(tmp_path: Path, source: str, said: str) -> None:
    """Each way to name something else than a graph has a message that says so."""
    text = (
        "from langgraph.graph import StateGraph\n"
        "number = 1\n"
        "def make(config, runtime, third): ...\n"
        "unfinished = StateGraph(dict)\n"
        "unfinished.add_edge('__start__', 'nowhere')\n"
    )
    failure = failure_of(load(tmp_path, {"app.py": text, "app.txt": ""}, graphs={"bad": source}))
    assert said in str(failure)


Renamed = ServerRuntime[Any]
"""An alias of the project's own."""

RUNTIMES = [
    ServerRuntime,
    ServerRuntime[dict[str, str]],
    ServerRuntime | None,
    Annotated[ServerRuntime[Any], "told"],
    _ReadRuntime,
    _ExecutionRuntime[Any] | _ReadRuntime[Any],
    "ServerRuntime",
    "sdk.ServerRuntime[Settings]",
    "Optional[ServerRuntime]",
    "Renamed[Settings]",
]
CONFIGS = [
    RunnableConfig,
    RunnableConfig | None,
    dict[str, Any],
    Any,
    None,
    3,
    "RunnableConfig",
    "Unknown | int",
]


@pytest.mark.parametrize("runtime", RUNTIMES, ids=str)
def test_the_runtime_is_told_from_the_config_by_its_annotation(runtime: object) -> None:
    """However a project writes the two types, and in whichever order, each gets its own."""

    def make(one: Any, two: Any) -> None: ...

    for config in CONFIGS:
        make.__annotations__ = {"one": config, "two": runtime}
        assert roles(make) == {"one": "config", "two": "runtime"}
        make.__annotations__ = {"one": runtime, "two": config}
        assert roles(make) == {"one": "runtime", "two": "config"}


@pytest.mark.parametrize("config", CONFIGS, ids=str)
def test_an_annotation_counts_more_than_the_name(config: object) -> None:
    """A config that somebody calls `runtime` is a config."""

    def make(runtime: Any) -> None: ...

    make.__annotations__ = {"runtime": config}
    assert roles(make) == {"runtime": "config"}


@pytest.mark.parametrize(
    ("described", "said"),
    [
        ({}, "graphs"),
        ({"graphs": {}}, "graphs"),
        ({"graphs": {"app": "./app.py"}}, "graphs.app"),
        ({"graphs": {"app": ":graph"}}, "graphs.app"),
        ({"graphs": {"app": {"description": "no path"}}}, "graphs.app"),
        ({"graphs": {"app": 7}}, "graphs.app"),
        ({"graphs": {"app": "./app.py:graph"}, "dependencies": "."}, "dependencies"),
        ({"graphs": {"app": "./app.py:graph"}, "env": {"COUNT": 7}}, "env"),
    ],
)
def test_a_malformed_value_is_named(tmp_path: Path, described: dict[str, Any], said: str) -> None:
    """A project that LangGraph would not understand is refused as a whole, by the key at fault."""
    with pytest.raises(SettingsInvalid, match=f"^{said} in "):
        load(tmp_path, {"app.py": graph_of("")}, **described)


@pytest.mark.parametrize("text", [None, "{", "[]"], ids=["missing", "no JSON", "no object"])
def test_an_unreadable_langgraph_json_is_named(tmp_path: Path, text: str | None) -> None:
    """The path is in the message when there is no project to speak of."""
    config = tmp_path / "langgraph.json"
    if text is not None:
        config.write_text(text)
    with pytest.raises(SettingsInvalid, match=r"langgraph\.json"):
        load_project(config)


def test_keys_without_effect_here_are_said(tmp_path: Path) -> None:
    """Nobody believes that a project's own auth protects it here; keys that we do not know stay unsaid."""
    more = {
        "auth": {"path": "./auth.py:auth"},
        "http": {"app": "./app.py:app"},
        "python_version": "3.12",
        "x": 1,
    }
    with capture_logs() as logs:
        load(tmp_path, {"app.py": graph_of("")}, graphs={"app": "./app.py:graph"}, **more)
    assert [entry["keys"] for entry in logs] == [["auth", "http"]]
