# What there is to do here. `make help` lists it. `demo` and `service` need Rust, a C compiler and make; `check` also needs
# Node 20 and Python 3.11; `test` also needs Debian as root.
#
# Everything that a target fetches goes into ignored folders of this checkout: target/, .cache/, node_modules/; but for
# Debian 13 with its Swift and Python, which takes long to fetch: ${XDG_CACHE_HOME:-~/.cache}/pabbly-connect/.

.DEFAULT_GOAL := help
SHELL := /bin/sh
TARGET := $(or $(CARGO_TARGET_DIR),target)
CACHE := $(CURDIR)/.cache

# The lock files decide what is built, here as in a clean clone.
CARGO := cargo --locked

# Each part of a run prints its name, its output in one piece, and how long it took.
STEP := @scripts/step

.PHONY: help
help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

# --- using it ---------------------------------------------------------------------------------------------------

.PHONY: demo service
demo: ## Walk through the whole product on this machine (OPEN=1: consent in your own browser)
	$(CARGO) build -p connect-service -p connect-tests --bin connect-service --bin demo
	@OPEN="$(OPEN)" $(TARGET)/debug/demo

service: ## Run connect-service from this checkout (ARGS="--config connect.toml serve")
	$(CARGO) run -p connect-service -- $(or $(ARGS),serve)

# --- checking it ------------------------------------------------------------------------------------------------
# Two lanes for two cores, in the order of the list: tools are fetched while cargo builds, then the slow tests run
# side by side. All steps run even if one fails (-k), so that one run shows everything that is wrong.

.PHONY: check test test-all
CHECK := fmt build generated clippy docs deny contract-lint lint-browser lint-node unit lint-python scenarios tables lint-swift
TEST := fmt build generated deny contract-lint test-node fuzz test-python test-swift service-postgres e2e mcp clients test-browser unit \
	bench-test doctest tables deploy clippy docs
SLOW := chaos-short fleet-short fleet-previous mutants-some fuzz-proxy next

check: ## Format, lints, unit tests, Rust scenarios, generated files: minutes, and nothing as root
	@$(MAKE) --no-print-directory -k -j2 $(CHECK)
	@echo "make check: all passed"

test: ## Check everything; fetches the tools that it needs
	@$(MAKE) --no-print-directory -k -j2 $(TEST)
	@echo "make test: all passed"

# The slow ones come last and one after the other: each needs the whole machine.
test-all: ## `make test` and what takes longer: chaos, a fleet, mutants, a fuzzer; writes docs/checks.md
	@scripts/checks-page "$(TEST)" "$(SLOW)"

.PHONY: fmt build generate generated clippy docs unit scenarios doctest e2e service-postgres
fmt:
	$(STEP) "format" sh -c "cargo fmt --all --check && cargo fmt --manifest-path fuzz/Cargo.toml --check"

# One build for all that runs afterwards, so that nothing is compiled twice with other features.
build:
	$(STEP) "build" $(CARGO) build --all-targets

generate: ## Write what is generated from core/manifest.yaml
	$(CARGO) run --quiet -p xtask -- generate

generated: build
	$(STEP) "generated files" $(TARGET)/debug/xtask check

unit: build
	$(STEP) "unit tests" $(CARGO) test --no-fail-fast --lib --bins

scenarios: build
	$(STEP) "scenarios in Rust" $(CARGO) test --test scenarios

doctest: build
	$(STEP) "examples in the documentation" env PC_DEV_BIN=$(abspath $(TARGET))/debug/connect-service \
		$(CARGO) test --no-fail-fast --doc

# The scenarios of every language, and the real service with real providers.
e2e: build tests/oidc/node_modules/.installed
	$(STEP) "PostgreSQL" scripts/postgres
	$(STEP) "nginx" scripts/nginx
	$(STEP) "sqlite3" scripts/sqlite
	$(STEP) "scenarios and end-to-end tests" $(CARGO) test --no-fail-fast --test '*'

# The service's own tests once more, on a PostgreSQL server of their own.
service-postgres: build
	$(STEP) "PostgreSQL" scripts/postgres
	$(STEP) "service tests on PostgreSQL" $(TARGET)/debug/with-postgres \
		$(CARGO) test --no-fail-fast $(patsubst service/tests/%.rs,--test %,$(wildcard service/tests/*.rs))

clippy:
	$(STEP) "clippy" $(CARGO) clippy --all-targets -- -D warnings

docs:
	$(STEP) "documentation" env RUSTDOCFLAGS="-D warnings" $(CARGO) doc --no-deps

# Each folder that is not only Rust has one script that checks all of it, and one for what needs no running program.
.PHONY: lint-browser lint-node lint-python lint-swift test-browser test-node test-python test-swift
lint-browser: browser/node_modules/.installed
	$(STEP) "browser helper: format, lint, types" npm run --silent --prefix browser lint

lint-node:
	$(STEP) "Node: format, lint, types, generated files" bindings-node/lint --debug

lint-python:
	$(STEP) "Python: format, lint, types, generated files" bindings-python/lint

lint-swift:
	$(STEP) "Swift: lint, generated files" bindings-swift/lint

test-browser: build tests/oidc/node_modules/.installed
	$(STEP) "browser helper" env SERVICE_BIN=$(abspath $(TARGET))/debug/connect-service browser/test

test-node: build
	$(STEP) "Node" env SERVICE_BIN=$(abspath $(TARGET))/debug/connect-service \
		SCRIPTED_SERVER_BIN=$(abspath $(TARGET))/debug/scripted-server bindings-node/test

test-python: build
	$(STEP) "Python" bindings-python/test

test-swift: build
	$(STEP) "Swift" bindings-swift/test

# With the package as `test-node` builds it.
.PHONY: next
next: build
	$(STEP) "Next.js, a real build" sh -c "cd bindings-node && npm install --no-save --loglevel error && \
		node scripts/build.mjs --debug && node tests/next.mjs"

.PHONY: deny contract-lint tables fuzz errors-page
deny: $(CACHE)/cargo-deny/bin/cargo-deny
	$(STEP) "licences, bans and sources of dependencies" $< --locked check licenses bans sources

contract-lint: tests/contract/node_modules/.installed
	$(STEP) "contract lint" tests/contract/lint

# core/manifest.yaml is the source; the contract and docs/errors.md must say the same.
TABLES := $(CACHE)/venv/bin/python tests/contract/tables.py $(TARGET)/debug/xtask
tables: build $(CACHE)/venv/.installed
	$(STEP) "contract and docs against core/manifest.yaml" $(TABLES)

errors-page: $(CACHE)/venv/.installed ## Write docs/errors.md anew
	$(CARGO) build -p xtask
	$(TABLES) --write

fuzz: build $(CACHE)/venv/.installed
	$(STEP) "contract against the running service" $(CACHE)/venv/bin/python tests/contract/fuzz.py $(TARGET)/debug/connect-service

# Clients that others generate from the contract.
.PHONY: clients
clients: build tests/clients/node_modules/.installed $(CACHE)/clients/.installed
	$(STEP) "clients generated from the contract" tests/clients/run $(CACHE)/clients/bin/python $(TARGET)/debug/connect-service

# The official MCP clients, from npm and PyPI.
.PHONY: mcp
MCP_TOOLS := tests/mcp/node_modules/.installed tests/oidc/node_modules/.installed $(CACHE)/mcp/.installed
mcp: build $(MCP_TOOLS)
	$(STEP) "official MCP clients" tests/mcp/run $(TARGET)/debug/connect-service $(CACHE)/mcp/bin/python

# What is in deploy/, by the programs that read it.
.PHONY: deploy
deploy: build
	$(STEP) "Prometheus" scripts/prometheus
	$(STEP) "nginx" scripts/nginx
	$(STEP) "files of deploy/" deploy/check $(abspath $(TARGET))/debug/connect-service

# Processes, PostgreSQL and the disk fail under load; nothing that was acknowledged may get lost.
.PHONY: chaos chaos-short
chaos: ## Kill, restart, fill and flood everything under load (CHAOS_SECONDS=600), with the service as it ships
	scripts/postgres
	$(CARGO) build --release -p connect-service
	$(CARGO) build --bin chaos
	SERVICE_BIN=$(TARGET)/release/connect-service $(TARGET)/debug/chaos

chaos-short: build
	$(STEP) "PostgreSQL" scripts/postgres
	$(STEP) "chaos, 60 s" env CHAOS_SECONDS=60 $(TARGET)/debug/chaos

# Processes over PostgreSQL behind nginx, under load: killed, upgraded, measured. FLEET_SKIP=root-key leaves its rotation
# out; FLEET_PROCESSES (3) and FLEET_TENANTS (100) say how many there are.
.PHONY: fleet fleet-short fleet-previous fleet-release
fleet: fleet-release ## Three processes behind nginx under load: steady, upgraded, killed (FLEET_SECONDS=600)
	SERVICE_BIN=$(TARGET)/release/connect-service $(TARGET)/release/fleet

fleet-release:
	scripts/postgres
	scripts/nginx
	$(CARGO) build --release -p connect-service -p connect-tests --bin connect-service --bin fleet

FLEET_SHORT := FLEET_SECONDS=30 FLEET_PROCESSES=2 FLEET_TENANTS=10
fleet-short: build
	$(STEP) "PostgreSQL" scripts/postgres
	$(STEP) "nginx" scripts/nginx
	$(STEP) "fleet, 30 s" env $(FLEET_SHORT) $(TARGET)/debug/fleet

# The version before and this one side by side on one database.
fleet-previous: build
	$(STEP) "PostgreSQL" scripts/postgres
	$(STEP) "nginx" scripts/nginx
	$(STEP) "the version before" scripts/previous $(abspath $(TARGET))/previous
	$(STEP) "fleet, upgraded from the version before" env $(FLEET_SHORT) \
		FLEET_PREVIOUS=$(TARGET)/previous/connect-service $(TARGET)/debug/fleet

# `make test` has a hundred connections; this many need a service as it ships.
.PHONY: month
month: ## Let connections of all kinds live through a month of simulated time (MONTH_CONNECTIONS=10000)
	$(STEP) "a month of simulated time" env MONTH_CONNECTIONS=$(or $(MONTH_CONNECTIONS),10000) \
		$(CARGO) test --release --test month -- --nocapture

.PHONY: backlog
backlog: ## Token calls beside 100,000 events that wait for an endpoint which hangs (BACKLOG_EVENTS=100000)
	$(STEP) "a backlog of webhooks" env BACKLOG_EVENTS=$(or $(BACKLOG_EVENTS),100000) \
		$(CARGO) test --release --test backlog -- --nocapture

# All of them take hours, hence `test-all` has some files only; .cargo/mutants.toml has the settings.
.PHONY: mutants mutants-some
mutants: $(CACHE)/cargo-mutants/bin/cargo-mutants ## Change the core at random: tests must notice (ARGS="--file core/src/retry.rs")
	$< mutants --package pabbly-connect --baseline skip --timeout 300 $(ARGS)

# Where a mistake is least visible from outside: when a request is repeated.
mutants-some: $(CACHE)/cargo-mutants/bin/cargo-mutants
	$(STEP) "mutants of core/src/retry_after.rs" $(MAKE) --no-print-directory mutants ARGS="--file core/src/retry_after.rs"

# What a caller may write behind /proxy/. The fuzzer's flags are not stable, hence RUSTC_BOOTSTRAP. Inputs that reached new
# code stay in $(TARGET)/fuzz/ for the next run, one that fails in fuzz/artifacts/.
.PHONY: fuzz-proxy
FUZZED := $(abspath $(TARGET))/fuzz
FUZZ_SECONDS := $(or $(FUZZ_SECONDS),600)
fuzz-proxy: $(CACHE)/cargo-fuzz/bin/cargo-fuzz ## Look for paths that lead a proxied call elsewhere (FUZZ_SECONDS=600)
	@mkdir -p $(FUZZED)/corpus
	$(STEP) "fuzzing of proxied calls' addresses, $(FUZZ_SECONDS) s" env RUSTC_BOOTSTRAP=1 \
		$< run --fuzz-dir fuzz --target-dir $(FUZZED) proxy_address $(FUZZED)/corpus fuzz/seeds -- \
		-dict=fuzz/proxy_address.dict -max_len=512 -timeout=10 -max_total_time=$(FUZZ_SECONDS) -print_final_stats=1

# --- measuring it -----------------------------------------------------------------------------------------------

# Servers and clients are built as they ship; the stage that connects an account only has to work.
.PHONY: bench bench-test
BENCHED := $(or $(ONLY),node python rust swift service)
BENCH_OUT := $(if $(QUICK),$(TARGET)/bench-quick,benches/results)
BENCH_PAGE := $(if $(QUICK),$(TARGET)/bench-quick/benchmarks.md,docs/benchmarks.md)
bench: $(CACHE)/bench/.installed ## Measure against what a user would pick instead (ONLY=python, QUICK=1)
	$(CARGO) build --release -p connect-benches
	$(CARGO) build --release -p connect-service
	$(CARGO) build -p connect-tests --bin stored-token --bin with-postgres
	@for part in $(BENCHED); do \
		if [ -x benches/$$part/install ]; then benches/$$part/install || exit 1; fi; done
	python3 benches/run.py $(if $(QUICK),--quick) $(if $(ONLY),--only $(ONLY)) --out $(BENCH_OUT) \
		--programs $(TARGET)/release --stored-token $(TARGET)/debug/stored-token
	$(CACHE)/bench/bin/python benches/report.py $(BENCH_OUT) $(BENCH_PAGE)

# SPEED=1 is the platform's own pace and takes more than an hour. Where a speed is told, docs/waiting.md is written anew.
.PHONY: bench-waits
bench-waits: $(CACHE)/bench/.installed ## Wait for a thousand customers at once (SPEED=1: as long as they would take)
	$(CARGO) build --release -p connect-benches
	$(CARGO) build --release -p connect-service
	@mkdir -p $(TARGET)/bench-waits
	python3 benches/waits/run.py --speed $(or $(SPEED),20) --programs $(TARGET)/release --out $(TARGET)/bench-waits/result.json
	$(CACHE)/bench/bin/python benches/waits/page.py $(TARGET)/bench-waits/result.json $(if $(SPEED),--write)

# About ten minutes after the build; needs a machine that does nothing else. Writes docs/scaling.md anew.
.PHONY: fleet-page
FLEET_RESULT := $(or $(FLEET_RESULT),benches/results/fleet.json)
FLEET_PAGE := $(or $(FLEET_PAGE),docs/scaling.md)
fleet-page: fleet-release $(CACHE)/bench/.installed ## Measure 1 to 3 processes, 100 and 10,000 tenants; writes docs/scaling.md
	SERVICE_BIN=$(TARGET)/release/connect-service FLEET_SECONDS=$(or $(FLEET_SECONDS),360) \
		FLEET_PROCESSES=$(or $(FLEET_PROCESSES),1,2,3) FLEET_TENANTS=$(or $(FLEET_TENANTS),100,10000) \
		FLEET_JSON=$(FLEET_RESULT) $(TARGET)/release/fleet
	$(CACHE)/bench/bin/python benches/fleet/page.py $(FLEET_RESULT) $(FLEET_PAGE)

# About five minutes after the build. Writes the table of docs/proxy.md anew.
.PHONY: bench-proxy
bench-proxy: ## Measure a call through the proxy beside a token call and nginx; writes docs/proxy.md
	scripts/nginx
	$(CARGO) build --release -p connect-service
	python3 benches/proxy/run.py --service $(TARGET)/release/connect-service --out benches/results/proxy.json
	python3 benches/proxy/page.py benches/results/proxy.json docs/proxy.md

bench-test: build
	$(STEP) "benches, small" python3 benches/test.py $(TARGET)/debug

# --- tools ------------------------------------------------------------------------------------------------------
# Pinned by lock files; fetched once, again when their lock file changes.

%/node_modules/.installed: %/package-lock.json
	$(STEP) "npm packages of $*" npm ci --prefix $* --ignore-scripts --no-audit --no-fund
	@touch $@

$(CACHE)/venv/.installed: tests/contract/requirements.txt
	$(STEP) "Python packages of tests/contract" scripts/venv $(CACHE)/venv $<
	@touch $@

$(CACHE)/clients/.installed: tests/clients/requirements.txt
	$(STEP) "Python packages of tests/clients" scripts/venv $(CACHE)/clients $<
	@touch $@

$(CACHE)/mcp/.installed: tests/mcp/requirements.txt
	$(STEP) "Python packages of tests/mcp" scripts/venv $(CACHE)/mcp $<
	@touch $@

$(CACHE)/bench/.installed: benches/requirements.txt
	$(STEP) "Python packages of benches" scripts/venv $(CACHE)/bench $<
	@touch $@

# A debug build: it runs for a second, so it need not be fast. Advisories are left out, see deny.toml.
CARGO_DENY := 0.20.2
$(CACHE)/cargo-deny/bin/cargo-deny:
	$(STEP) "cargo-deny $(CARGO_DENY)" env CARGO_TARGET_DIR=$(CACHE)/cargo-deny/target CARGO_PROFILE_DEV_DEBUG=0 \
		cargo install --quiet --locked --debug --no-default-features --root $(CACHE)/cargo-deny cargo-deny@$(CARGO_DENY)
	@rm -rf $(CACHE)/cargo-deny/target

CARGO_MUTANTS := 27.1.0
$(CACHE)/cargo-mutants/bin/cargo-mutants:
	$(STEP) "cargo-mutants $(CARGO_MUTANTS)" env CARGO_TARGET_DIR=$(CACHE)/cargo-mutants/target CARGO_PROFILE_DEV_DEBUG=0 \
		cargo install --quiet --locked --debug --root $(CACHE)/cargo-mutants cargo-mutants@$(CARGO_MUTANTS)
	@rm -rf $(CACHE)/cargo-mutants/target

CARGO_FUZZ := 0.13.2
$(CACHE)/cargo-fuzz/bin/cargo-fuzz:
	$(STEP) "cargo-fuzz $(CARGO_FUZZ)" env CARGO_TARGET_DIR=$(CACHE)/cargo-fuzz/target CARGO_PROFILE_DEV_DEBUG=0 \
		cargo install --quiet --locked --debug --root $(CACHE)/cargo-fuzz cargo-fuzz@$(CARGO_FUZZ)
	@rm -rf $(CACHE)/cargo-fuzz/target

.PHONY: clean
clean: ## Remove everything that was built or fetched
	rm -rf $(TARGET) .cache */.cache */*/.cache */dist bindings-node/packages bindings-node/*.node
	find bindings-swift -name .build -type d -prune -exec rm -rf {} +
	find . -name node_modules -type d -prune -exec rm -rf {} +
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
