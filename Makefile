# Two commands for people: `make up` runs the product, `make test` checks everything. The rest serves these two.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SOURCES := pyproject.toml constraints.txt setup.py $(wildcard portalfw/web/bundle/package*.json portalfw/web/bundle/*.mjs portalfw/web/bundle/*.txt) \
	$(shell find portalfw/web/bundle/src -type f)

.PHONY: up test lint bench clean machine machine-test

up: machine $(VENV)/.product
	@exec $(BIN)/portalfw up

test: machine-test lint
	@$(BIN)/python tools/run-tests

lint: $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: machine-test $(VENV)/.test
	@$(BIN)/python -m bench

machine:
	@tools/prepare-machine

machine-test:
	@tools/prepare-machine --test

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

# libvirt-python is built against the machine's own libvirt; where that is missing the product runs without a hypervisor.
$(VENV)/.product: $(BIN)/python $(SOURCES)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable .
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt libvirt-python \
		|| echo "libvirt-python could not be built: apt-get install libvirt-dev pkg-config gcc python3-dev, then make up again."
	@touch $@

$(VENV)/.test: $(VENV)/.product
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[test]'
	@touch $@

clean:
	rm -rf $(VENV) portalfw/web/static/bundle portalfw/web/bundle/node_modules tests/oidc/node_modules build *.egg-info
