# Every target makes the environment it needs in .venv, once; `make clean` removes it.
# Needs: make, and Python 3.11 or newer with its venv module.

PYTHON ?= python3
ARGS ?=
FUZZ_SECONDS ?= 600
# An interpreter that has pipecat-ai, to compare with; see docs/performance.md.
PIPECAT ?=
BENCH_ALL = --json docs/performance/results.json --charts docs/performance \
	$(if $(PIPECAT),--pipecat $(PIPECAT))
FUZZ_TARGETS := msgpack msgpack-client msgpack-opus json json-client raw twilio

VENV := .venv
BIN := $(VENV)/bin

export PIP_DISABLE_PIP_VERSION_CHECK := 1
.NOTPARALLEL:
.PHONY: help demo test check lint coverage soak fuzz bench docs clean

help:
	@echo 'make demo    a real session, seen and heard   (ARGS="--backend trio")'
	@echo 'make test    the tests                        (ARGS="-k name")'
	@echo 'make check   the gate: style, types, layers, tests with full coverage'
	@echo 'make soak    the promises, each as long as it says: two hours and more  (ARGS="-k p12")'
	@echo 'make fuzz    looks for messages that break a serializer: ten minutes  (FUZZ_SECONDS=600)'
	@echo 'make bench   the benchmarks, and their charts (ARGS="--help"; PIPECAT=python to compare)'
	@echo 'make docs    write the pages that are made from the code'
	@echo 'make clean   remove .venv and everything made'
	@echo 'Another interpreter: make clean, then make test PYTHON=python3.12'

demo: $(VENV)/.demo
	@$(BIN)/python -m wsframes demo $(ARGS)

test: $(VENV)/.dev
	@$(BIN)/python -m pytest $(ARGS)

check: lint coverage

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

# With the same generated examples in every run, so that no line is covered by chance.
coverage: $(VENV)/.dev
	@$(BIN)/coverage erase
	CI=true $(BIN)/coverage run -m pytest $(ARGS)
	@$(BIN)/coverage combine --quiet
	$(BIN)/coverage report

# What takes a part of a second in `make test` runs here for as long as the promise says.
soak: $(VENV)/.dev
	@WSFRAMES_SOAK=1 $(BIN)/python -m pytest --timeout 14400 tests/guarantees $(ARGS)

# Each target has its share of the time. What breaks one is in build/fuzzing/finds.
fuzz: $(VENV)/.dev
	@$(BIN)/python -m pip install --quiet --editable '.[fuzz]'
	@for target in $(FUZZ_TARGETS); do echo "fuzzing $$target"; \
	$(BIN)/python -m fuzzing $$target -verbosity=0 -print_final_stats=1 \
	-max_total_time=$$(($(FUZZ_SECONDS) / $(words $(FUZZ_TARGETS)))) || exit 1; done

# All of it takes half an hour and wants a quiet machine; what it finds goes into the documentation.
bench: $(VENV)/.dev
	@$(BIN)/python -m benchmarks $(or $(ARGS),$(BENCH_ALL))
ifeq ($(ARGS),)
	@$(BIN)/python -m docs.generate
endif

docs: $(VENV)/.dev
	@$(BIN)/python -m docs.generate

clean:
	rm -rf $(VENV) build demo-output dist htmlcov .coverage .coverage.*
	rm -rf .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find wsframes tests benchmarks -name __pycache__ -prune -exec rm -rf {} +

# The stamps. .dev holds all of .demo, so a tested checkout shows the demo without a second install.

install = echo 'Installing wsframes[$(1)] into $(VENV), once (half a minute) ...' >&2; \
	$(BIN)/python -m pip install --quiet --editable '.[$(1)]' || $(call fail,pip could not install \
	wsframes[$(1)]: read its message above; it needs a package index within reach)
fail = { echo 'wsframes: $(1)' >&2; exit 1; }

$(VENV)/.demo: pyproject.toml | $(VENV)/.made
	@$(call install,demo)
	@touch $@

$(VENV)/.dev: pyproject.toml | $(VENV)/.made
	@$(call install,dev)
	@touch $(VENV)/.demo $@

$(VENV)/.made:
	@command -v $(PYTHON) >/dev/null || $(call fail,there is no $(PYTHON): \
	install Python 3.11 or newer (Debian: apt install python3 python3-venv))
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || $(call fail,$(PYTHON) is \
	older than Python 3.11: install a newer one and run make PYTHON=python3.11)
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || $(call fail,$(PYTHON) has no venv module: \
	install it (Debian: apt install python3-venv))
	@log=$$($(PYTHON) -m venv --clear $(VENV) 2>&1) || { rm -rf $(VENV); $(call fail,$(PYTHON) -m venv \
	$(VENV) failed: '"$$(echo "$$log" | tail -n 1)"'); }
	@touch $@
