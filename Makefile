# `make demo` and `make test` need python3 (3.11 or newer), make and a package index; the rest they set up in .venv themselves.

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
CODE := ai_protocol_integrations runtime tests benchmarks scripts

.DEFAULT_GOAL := help
.PHONY: help demo test lint typecheck unit bench sdks peers llama-compare ci schema clean

help: ## show this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | expand -t 12

demo: $(VENV)/.demo ## a chat, a stream and a tool call, without a key
	$(BIN)/python scripts/demo.py

test: lint typecheck unit ## everything that needs neither recordings nor servers

lint: $(VENV)/.dev ## ruff: style and format
	$(BIN)/ruff check $(CODE)
	$(BIN)/ruff format --check $(CODE)

typecheck: $(VENV)/.dev ## mypy --strict on both packages
	$(BIN)/mypy

unit: $(VENV)/.dev
	$(BIN)/pytest -m "not corpus and not real_server and not sdk and not peers and not notebooks"

bench: $(VENV)/.dev ## what the client costs beside raw httpx
	$(BIN)/python benchmarks/bench.py

sdks: $(VENV)/.sdks ## the providers' own SDKs and a Jupyter kernel, for `pytest -m sdk` and `-m notebooks`

peers: $(VENV)/.peers ## the LangChain packages of single providers, for `pytest -m peers`

llama-compare: $(VENV)/.made ## the suite of LlamaIndex on other LLM classes too, in a venv of its own
	$(BIN)/python scripts/llama_index_suite.py

ci: ## what has to pass before a merge
	.ci/run

schema: $(VENV)/.demo ## write manifests/schema anew from the pydantic models
	$(BIN)/python -m ai_protocol_runtime.manifest.schema_files

clean: ## remove all that was made here
	rm -rf $(VENV) .cache .mypy_cache .pytest_cache .ruff_cache .hypothesis .benchmarks build dist

# Stamps: a second run finds them newer than pyproject.toml and goes straight to work.

$(VENV)/.made: scripts/make_venv.sh
	sh scripts/make_venv.sh $(VENV)
	$(PIP) install -q --upgrade "pip>=25.1" # the first that knows --group
	@touch $@

$(VENV)/.demo: $(VENV)/.made pyproject.toml
	$(PIP) install -q -e '.[langchain]'
	@touch $@

$(VENV)/.dev: $(VENV)/.demo
	$(PIP) install -q -e '.[langchain,llama-index]' --group dev
	@touch $@

$(VENV)/.sdks: $(VENV)/.dev
	$(PIP) install -q --group sdks --group notebooks
	@touch $@

$(VENV)/.peers: $(VENV)/.dev
	$(PIP) install -q --group peers
	@touch $@
