# Everything one does with Tracehouse. It needs Python 3.11 to 3.13 and make; the rest is installed into .venv.
# Paths are relative and programs are called as `python -m`, because the scripts a venv makes do not work in
# folders with spaces or long paths.

SHELL := /bin/sh
PYTHON := .venv/bin/python
PIP := $(PYTHON) -m pip --disable-pip-version-check --no-input
# Part of the stamps' names: an editable install points to a folder, and a copied or moved checkout is another.
HERE := $(shell pwd | cksum | cut -d ' ' -f 1)
RUN_STAMP := .venv/.installed-$(HERE)
DEV_STAMP := .venv/.installed-dev-$(HERE)

.DEFAULT_GOAL := help
.PHONY: help up test check format-check lint types imports templates-lint migrations-check deploy-check \
	demo bench bench-query docs fuzz lock doctor clean

help: ## show these targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 20

up: $(RUN_STAMP) ## start everything on this machine; Ctrl-C stops it, the data in .tracehouse/ stays
	@exec $(PYTHON) -m tracehouse.embedded

# Two processes, each with stores of its own; the tests of a file stay together, for they share what they start.
test: $(DEV_STAMP) ## run all tests (ARGS="-k name" for some)
	$(PYTHON) -m pytest -n 2 --dist loadfile $(ARGS)

check: format-check lint types imports templates-lint migrations-check deploy-check ## all static checks, cheapest first

format-check: $(DEV_STAMP) ## formatting
	$(PYTHON) -m ruff format --check .

lint: $(DEV_STAMP) ## lint rules
	$(PYTHON) -m ruff check .

types: $(DEV_STAMP) ## types
	$(PYTHON) -m mypy

imports: $(DEV_STAMP) ## who may import whom
	$(PYTHON) -c 'import sys; from importlinter.cli import lint_imports_command; sys.exit(lint_imports_command())'

templates-lint: $(DEV_STAMP) ## templates
	$(PYTHON) -m djlint templates --lint --quiet

migrations-check: $(DEV_STAMP) ## no model change without its migration
	$(PYTHON) -W ignore::RuntimeWarning manage.py makemigrations --check --dry-run

# The settings as a server behind TLS has them; the key is made up for the occasion.
deploy-check: $(DEV_STAMP) ## Django's checks for a server
	TRACEHOUSE_HTTPS=true TRACEHOUSE_SECRET_KEY=$$($(PYTHON) -c 'import secrets; print(secrets.token_urlsafe(60))') \
		$(PYTHON) manage.py check --deploy --fail-level WARNING

demo: $(RUN_STAMP) ## send example traces to the running installation and print links to them
	$(PYTHON) manage.py demo $(ARGS)

bench: $(DEV_STAMP) ## measure ingest and reading on this machine; numbers go to docs/benchmarks.md
	$(PYTHON) -m bench $(ARGS)

bench-query: $(DEV_STAMP) ## measure reading ten million spans (needs 12 GB of disk)
	$(PYTHON) -m bench --only explorer $(ARGS)

# atheris has wheels for Linux on x86-64 only, so it lives in a venv of its own and `make test` does without.
fuzz: $(DEV_STAMP) ## throw bytes at ingest, guided by coverage (SECONDS=300)
	$(PYTHON) -m venv --clear .venv/fuzz
	.venv/fuzz/bin/python -m pip install --quiet --disable-pip-version-check atheris==3.0.0
	PYTHONPATH=$$($(PYTHON) -c 'import sysconfig; print(sysconfig.get_path("purelib"))'):platform:. \
		.venv/fuzz/bin/python tests/fuzz/fuzz_ingest.py -timeout=10 -max_len=20000 \
		-max_total_time=$(or $(SECONDS),300) .venv/fuzz/corpus

docs: $(RUN_STAMP) ## write docs/configuration.md from the settings table
	$(PYTHON) manage.py configuration_docs

lock: ## pin every dependency anew (needs uv)
	uv pip compile --universal --python-version 3.11 --no-annotate --no-header --generate-hashes \
		pyproject.toml --extra embedded --group build -o requirements.lock
	uv pip compile --universal --python-version 3.11 --no-annotate --no-header --generate-hashes \
		pyproject.toml --group dev -c requirements.lock -o requirements-dev.lock

doctor: $(RUN_STAMP) ## look for what keeps an installation from starting, and print the fix
	@$(PYTHON) -m tracehouse.embedded.doctor

clean: ## remove .venv and caches; the data in .tracehouse/ stays
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache staticfiles

# A venv that was not finished (its pip does not run) is made anew.
.venv/.made:
	@set -e; \
	if .venv/bin/python -m pip --version >/dev/null 2>&1; then touch $@; exit 0; fi; \
	found=; unfit=; \
	for candidate in python3.13 python3.12 python3.11 python3; do \
		$$candidate -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' 2>/dev/null || continue; \
		if $$candidate -c 'import ensurepip, venv' 2>/dev/null; then found=$$candidate; break; fi; \
		unfit=$${unfit:-$$candidate}; \
	done; \
	if [ -z "$$found" ] && [ -n "$$unfit" ]; then \
		version=$$($$unfit -c 'import sys; print("%d.%d" % sys.version_info[:2])'); \
		echo "$$unfit cannot make virtual environments. Install what is missing, then run make again:"; \
		echo "    apt-get install python$$version-venv"; exit 1; \
	fi; \
	if [ -z "$$found" ]; then \
		echo "Tracehouse needs Python 3.11, 3.12 or 3.13 as python3.11, python3.12, python3.13 or python3; none was found."; \
		exit 1; \
	fi; \
	echo "Making .venv with $$found ..."; \
	$$found -m venv --clear .venv; \
	touch $@

$(RUN_STAMP): .venv/.made requirements.lock pyproject.toml
	@echo "Installing what Tracehouse runs on (about 300 MB the first time) ..."
	$(PIP) install --require-hashes --requirement requirements.lock
	$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(DEV_STAMP): $(RUN_STAMP) requirements-dev.lock
	@echo "Installing what the tests and checks need ..."
	$(PIP) install --require-hashes --requirement requirements-dev.lock
	@touch $@
