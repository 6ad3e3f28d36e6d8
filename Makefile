# Parlour's start, its checks and its locks. `make help` lists what there is.

# The first Python that is new enough; set PYTHON=... to choose another.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11 python3.14; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
ARGS ?=

# What the tests need from the system, as Debian calls it, and the programs by which it is known.
SYSTEM_PACKAGES := flite mosquitto mosquitto-clients libopus0 redis-server postgresql
SYSTEM_PROGRAMS := flite mosquitto mosquitto_pub redis-server pg_lsclusters

.DEFAULT_GOAL := help
.PHONY: help run install test lint check-system format docs lock clean

help: ## Show this list
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

run: $(VENV)/installed ## Install what is locked and start the server; ARGS="--port 9000" and so on
	@exec $(BIN)/parlour serve $(ARGS)

install: $(VENV)/installed ## Install what is locked, and no more

# What compares and counts shares the cores. What keeps real times comes after it, alone, so that no other
# work makes it late. Both always run; the status 5 says that no test was chosen.
QUICK_TESTS := tests/unit tests/contract
TIMED_TESTS := tests/house

test: check-system lint ## Install what the tests need, check the style, run every test
ifneq ($(filter tests tests/% ./% /% -h --help,$(ARGS)),)
	$(BIN)/pytest $(ARGS)
else
	quick=0; $(BIN)/pytest $(QUICK_TESTS) --numprocesses 2 --dist worksteal $(ARGS) || quick=$$?; \
	timed=0; $(BIN)/pytest $(TIMED_TESTS) $(ARGS) || timed=$$?; \
	test $$quick = 5 && exit $$timed; \
	test $$timed = 5 && exit $$quick; \
	test $$quick != 0 && exit $$quick; exit $$timed
endif

lint: $(VENV)/installed-for-tests ## Check style, types and the floors of the house
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/installed-for-tests ## Put the code in its format
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

docs: $(VENV)/installed ## Write docs/config.md and docs/commands.md anew
	$(BIN)/python -m parlour.app.reference docs

# Only the system's packages need an administrator; nothing else here does.
check-system:
	@missing=""; \
	for program in $(SYSTEM_PROGRAMS); do \
		PATH="$$PATH:/usr/sbin" command -v $$program >/dev/null || missing="$$missing $$program"; done; \
	test -z "$$missing" && exit 0; \
	if ! command -v apt-get >/dev/null; then sudo=none; \
	elif test "$$(id -u)" = 0; then sudo=; \
	elif sudo -n true 2>/dev/null; then sudo="sudo -n"; \
	else sudo=none; fi; \
	if test "$$sudo" = none; then \
		echo "The tests need these programs, which are missing:$$missing" >&2; \
		echo "On Debian or Ubuntu: sudo apt-get install $(SYSTEM_PACKAGES)" >&2; exit 1; fi; \
	echo "Installing $(SYSTEM_PACKAGES) (missing:$$missing)"; \
	$$sudo apt-get update -qq && \
	$$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -qq --no-install-recommends \
		$(SYSTEM_PACKAGES) >/dev/null

$(VENV)/bin/python:
	@test -n "$(PYTHON)" && "$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "Parlour needs Python 3.11 or later; name one with: make PYTHON=/path/to/python3.11 ..." >&2; exit 1; }
	@"$(PYTHON)" -c 'import venv, ensurepip' 2>/dev/null || { \
		echo "$(PYTHON) cannot make virtual environments; on Debian or Ubuntu: sudo apt-get install python3-venv" >&2; exit 1; }
	"$(PYTHON)" -m venv $(VENV)

$(VENV)/installed: requirements/run.txt pyproject.toml | $(VENV)/bin/python
	$(PIP) install --quiet --require-hashes -r requirements/run.txt
	$(PIP) install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/installed-for-tests: requirements/test.txt $(VENV)/installed
	$(PIP) install --quiet --require-hashes -r requirements/test.txt
	@touch $@

LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-header --no-annotate pyproject.toml requirements/build.in \
	--extra espeak --extra opus

lock: | $(VENV)/bin/python ## Write requirements/*.txt anew with the newest versions that fit
	$(PIP) install --quiet uv
	$(LOCK) --upgrade --output-file requirements/run.txt
	$(LOCK) --upgrade --extra test --constraint requirements/run.txt --output-file requirements/test.txt

clean: ## Remove everything that was installed or built here
	rm -rf $(VENV) dist build .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -prune -exec rm -rf {} +
