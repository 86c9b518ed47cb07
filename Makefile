# Everything a developer or an operator types. Needs Python 3.11 or newer and make; the rest is done here.
PYTHON ?= python3
UV ?= uv
VENV := .venv
BIN := $(VENV)/bin

.PHONY: run setup setup-dev screenshots test test-postgres quick check bench attack fuzz lock format frontend

run: setup            ## start everything; PORT and WIPPY_DATA are honoured
	@exec $(BIN)/python manage.py up

setup:                ## install what running needs, into .venv
	@PYTHON=$(PYTHON) scripts/setup.sh requirements.lock

setup-dev:            ## install what developing needs as well
	@PYTHON=$(PYTHON) scripts/setup.sh requirements-dev.lock

test: setup-dev       ## the whole suite, browser tests included; ARGS go to pytest
	@scripts/browser.sh
	$(BIN)/python -m pytest -c pyproject.toml -n auto --durations=20 $(ARGS)

test-postgres: setup-dev ## the tests of the console on a PostgreSQL of their own
	@scripts/postgres.sh $(BIN)/python -m pytest -n auto -m "not slow" $(or $(ARGS),tests/console)

quick: check          ## every check, and the tests without those that tests/sharing.py calls slow
	$(BIN)/python -m pytest -n auto --durations=20 -m "not slow" $(ARGS)

check: setup-dev      ## format, lint, types, import contracts, templates, Django's own checks
	@scripts/check.sh

bench: setup-dev      ## print the figures as ratios
	$(BIN)/python -m bench $(ARGS)

screenshots: setup-dev ## take pictures of every page into docs/screenshots; ONLY=runs,admin of those alone
	@scripts/browser.sh
	$(BIN)/python -m pytest -q tests/browser/take_screenshots.py

attack: setup-dev     ## run what Lua may do to harm others, and print what it cost them; ARGS choose by name and kind
	$(BIN)/python -m tests.attacks $(ARGS)

fuzz: setup-dev       ## compare random programs with plain Lua; ARGS="--seed 7 --count 100000 --kind workflow"
	$(BIN)/python -m tests.differential $(ARGS)

format: setup-dev     ## rewrite files in the house format
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

frontend:             ## build static/vendor and icons.svg anew; needs npm, the results are committed
	cd frontend && npm ci && npm run build

lock:                 ## pin every dependency with hashes; UPGRADE=--upgrade takes newer versions
	scripts/lock.sh $(UV) $(UPGRADE)
