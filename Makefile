# Nettrusion: `make demo` shows it, `make test` proves it. Both set up what they need in .venv.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV   ?= .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip --quiet --disable-pip-version-check

# What an installation is made from: when one of these changes, it is made again.
SOURCES := pyproject.toml setup.py $(wildcard sensor/flows/*.pyx sensor/flows/*.pxi sensor/flows/*.pxd)

DEMO := $(firstword $(wildcard sensor/data/demo.pcap*))

.PHONY: help demo test bench bench-wire lint clean tools install-units

help:
	@echo "make demo    score the bundled capture and print its alerts"
	@echo "make test    set up everything and run all tests"
	@echo "make lint    ruff and mypy"
	@echo "make bench   time and memory, printed"
	@echo "make bench-wire  the highest rates without loss on a wire of its own (root)"
	@echo "make install-units  the systemd units, below DESTDIR if given"
	@echo "make clean   remove what was built and .venv"

demo: $(VENV)/.light
	@mkdir -p demo
	@$(BIN)/nettrusion score $(DEMO) --table --flows -o demo/eve.json

# What listens to wires, boots systemd or plays a network keeps time, and has the machine to itself.
ALONE := tests/live tests/systemd tests/training/testbed

test: $(VENV)/.full tools
	$(BIN)/python -m pytest -n auto --dist loadfile $(ALONE:%=--ignore=%) $(PYTEST_ARGS)
	$(BIN)/python -m pytest $(ALONE) $(PYTEST_ARGS)

bench: $(VENV)/.full
	$(BIN)/python -m benchmarks $(BENCH_ARGS)

bench-wire: $(VENV)/.full
	$(BIN)/python -m benchmarks.wire $(or $(BENCH_ARGS),load)

lint: $(VENV)/.full
	$(BIN)/ruff check .
	$(BIN)/mypy

# The systemd units and what goes with them; docs/operations.md says how to go on.
install-units:
	$(MAKE) -C systemd install DESTDIR=$(DESTDIR) STATIC_USER=$(or $(STATIC_USER),no)

clean:
	rm -rf $(VENV) build dist demo *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis
	rm -f sensor/flows/engine.c sensor/flows/engine*.so
	find . -name __pycache__ -prune -exec rm -rf {} +

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "no python3.11 found; name one: make PYTHON=/path/to/python3" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "$(PYTHON) is older than 3.11; name another: make PYTHON=/path/to/python3" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

# The sensor alone: numpy, onnxruntime and the compiled engine.
$(VENV)/.light: $(SOURCES) | $(BIN)/python
	$(PIP) install -e .
	@touch $@

# Everything: training, exporter and what the tests compare with.
$(VENV)/.full: $(SOURCES) | $(BIN)/python
	$(PIP) install -e '.[dev]'
	@touch $@ $(VENV)/.light

# Programs that single tests compare with; a test without its program is skipped and says so.
TOOLS := tshark:tshark ip:iproute2 zstd:zstd strace:strace tcpdump:tcpdump tcpreplay:tcpreplay ethtool:ethtool \
	rsyslogd:rsyslog redis-server:redis-server logrotate:logrotate openssl:openssl promtool:prometheus \
	mmdebstrap:mmdebstrap systemd-analyze:systemd
# What the testbed's own recordings are made with, by package: see `nettrusion testbed packages`.
TESTBED = $(shell $(BIN)/nettrusion testbed packages day 2>/dev/null) nftables conntrack
ABSENT = $(strip $(foreach p,$(TESTBED),$(if $(wildcard /var/lib/dpkg/info/$(p).list /var/lib/dpkg/info/$(p)\:*.list),,$(p))))
# Servers are for the tests' own networks: none is started on this machine when its package is installed.
POLICY := /usr/sbin/policy-rc.d
MISSING = $(strip $(foreach t,$(TOOLS),$(if $(shell command -v $(firstword $(subst :, ,$(t)))),,$(lastword $(subst :, ,$(t))))))

tools: $(VENV)/.full
	@if [ -z "$(MISSING)$(ABSENT)" ]; then exit 0; \
	elif [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		echo "installing $(MISSING) $(ABSENT)"; \
		export DEBIAN_FRONTEND=noninteractive; \
		own=no; [ -e $(POLICY) ] || { own=yes; printf '#!/bin/sh\nexit 101\n' > $(POLICY); chmod 755 $(POLICY); }; \
		apt-get -qq update >/dev/null; \
		for some in "$(MISSING)" "$(ABSENT)"; do \
			[ -z "$$some" ] || apt-get -qq install -y --no-install-recommends $$some >/dev/null \
				|| echo "could not install $$some; the tests that need them will be skipped" >&2; \
		done; \
		[ $$own = no ] || rm -f $(POLICY); \
	else \
		echo "missing programs: $(MISSING) $(ABSENT); install these packages, or their tests will be skipped" >&2; \
	fi
