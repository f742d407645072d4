# `make help` lists the targets. Prerequisites: Rust, Python 3.10+, Node.js with npm, and make. CARGO_TARGET_DIR is respected.

PYTHON ?= python3
LOCAL := $(PYTHON) -m infra.local
# Tools built once for all checkouts of a user.
TOOLS := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/tandem/tools
CARGO_DENY_VERSION := 0.20.2
CARGO_DENY := $(TOOLS)/cargo-deny-$(CARGO_DENY_VERSION)/bin/cargo-deny
CARGO_FUZZ_VERSION := 0.13.2
CARGO_FUZZ := $(TOOLS)/cargo-fuzz-$(CARGO_FUZZ_VERSION)/bin/cargo-fuzz
FUZZ_TARGETS := answer_head api_key callback_url cursor import_body retry_after
# Seconds per target.
FUZZ_SECONDS ?= 60
# Four attempts in five seconds instead of ten in three days, because the stories wait for them.
STORIES_RETRY_SCHEDULE := 0,1,2,2

# The processor of the functions on AWS: arm64 or x86_64.
ARCHITECTURE ?= arm64
PACKAGE_TOOLS := $(TOOLS)/package-$(shell cksum infra/deploy/requirements.txt | cut -d' ' -f1)

LINTERS := $(TOOLS)/lint-$(shell cksum infra/lint/requirements.txt | cut -d' ' -f1)

# The npm packages of the receivers in docs/callbacks.md.
RECEIVERS := infra/receivers/node_modules/.package-lock.json

.NOTPARALLEL:
.PHONY: help demo restore rollout test test-steps chaos up down status build package deploy rows lint audit fuzz bench-import bench-callbacks bench-costs bench-start bench-statement

help: ## list these targets
	@sed -n 's/^\([a-z-]*\):.*## /\1|/p' $(firstword $(MAKEFILE_LIST)) | awk -F'|' '{ printf "make %-15s %s\n", $$1, $$2 }'

demo: ## play the story of two merchants against the API, on a stack of its own
	$(LOCAL) run -- python -u -m infra.local.demo

# Ten attempts within half a minute, because the restore needs a callback that waits.
restore: ## play a restore on a stack of its own: docs/restore.md
	TANDEM_CALLBACK_RETRY_SCHEDULE=0,3,3,3,3,3,3,3,3,3 $(LOCAL) run -- python -u -m infra.local.demo.restoring

# The commit that kept the rows of the last release. Two builds take long, so `make test` does not play it.
OLDER ?= $(shell git log -1 --diff-filter=A --format=%h -- shared/domain/tests/decisions/releases)

rollout: ## play a rollout of two releases, and back, with traffic between: make rollout OLDER=REVISION
	-git worktree remove --force .local/older
	git worktree add --detach .local/older $(OLDER)
	cd .local/older && $(PYTHON) -m infra.local build
	$(LOCAL) build
# A function that only this checkout has is new from the start.
	cp --no-clobber .local/packages/*.zip .local/older/.local/packages/
	$(LOCAL) run --packages .local/older/.local/packages -- \
		python -u -m infra.local.demo.rollout .local/older/.local/packages .local/packages
	git worktree remove --force .local/older

test: ## run every test: unit, store, and the stories, in one process and deployed; the last line is the total
	@$(PYTHON) -m infra.totals $(MAKE) --no-print-directory test-steps

# Stops at the first failing step. --workspace keeps one set of features, so that dependencies are compiled once.
test-steps: $(RECEIVERS)
	$(LOCAL) exec -- python -m unittest discover -s infra/tests -t .
	$(PYTHON) -m unittest discover -s infra/import_orders/tests -t .
	$(LOCAL) exec -- python -m unittest discover -s infra/operate/tests -t .
	$(LOCAL) exec -- python -m unittest discover -s infra/deploy/tests -t .
	$(LOCAL) exec -- python -m unittest discover -s infra/local/tests -t .
	cargo test --workspace
	$(LOCAL) run -- python -m unittest infra.operate.tests.played_smoke
	TANDEM_CALLBACK_RETRY_SCHEDULE=$(STORIES_RETRY_SCHEDULE) $(LOCAL) run --canaries -- cargo test --workspace --test stories --test deployed
	TANDEM_CALLBACK_RETRY_SCHEDULE=$(STORIES_RETRY_SCHEDULE) $(LOCAL) run --faults --canaries -- cargo test --workspace --test stories --test deployed

# SEEDS sets the number of histories, SEED repeats one of them. `make test` plays 300.
chaos: ## play random histories with faults over all functions: SEEDS=100000, or SEED=4711 again
	TANDEM_CHAOS_SEEDS=$(or $(SEEDS),1000) TANDEM_CHAOS_SEED=$(SEED) cargo test --workspace --test chaos -- --nocapture

up: ## start a stack and keep it running; .local/stack.json has its addresses
	$(LOCAL) up

down: ## stop the stack
	$(LOCAL) down

status: ## show whether a stack runs, and its addresses
	$(LOCAL) status

build: ## build and package the functions for the local stack
	$(LOCAL) build

package: $(PACKAGE_TOOLS)/ready ## build all functions for AWS into dist/, at once; ARCHITECTURE=x86_64 instead of arm64
	$(PYTHON) -m infra.deploy package --architecture $(ARCHITECTURE) --tools $(PACKAGE_TOOLS)/bin

deploy: ## deploy dist/ to the stack of a stage: make deploy STAGE=staging
	$(PYTHON) -m infra.deploy deploy --stage $(or $(STAGE),$(error name the stage: make deploy STAGE=dev, staging or production)) $(if $(YES),--yes)

$(PACKAGE_TOOLS)/ready: infra/deploy/requirements.txt
	@echo "installing cargo-lambda and zig once, into $(PACKAGE_TOOLS)"
	$(PYTHON) -m venv --clear $(PACKAGE_TOOLS)
	$(PACKAGE_TOOLS)/bin/pip install --quiet --disable-pip-version-check --no-deps --requirement $<
	@touch $@

$(LINTERS)/ready: infra/lint/requirements.txt
	@echo "installing checkov and actionlint once, into $(LINTERS) (takes a minute)"
	$(PYTHON) -m venv --clear $(LINTERS)
	$(LINTERS)/bin/pip install --quiet --disable-pip-version-check --requirement $<
	@touch $@

STORED := shared/domain/tests/decisions

rows: ## keep the stored rows of a release, which later ones must read: make rows RELEASE=1.2.0
	@mkdir -p $(STORED)/releases/$(or $(RELEASE),$(error name the release: make rows RELEASE=1.2.0))
	@for snap in $(STORED)/snapshots/decisions__stored__*.snap; do \
		name=$${snap##*__stored__} && \
		awk '/^---$$/ && marks < 2 {marks++; next} marks == 2' $$snap > $(STORED)/releases/$(RELEASE)/$${name%.snap}.json; \
	done

# ORDERS, a multiple of 5,000, shortens it. docs/performance.md has results.
bench-import: ## import 100,000 orders of five clients at once, with the real binaries
	cargo build --profile measured --package import-orders --package process-imports --package relay-outbox --package tandem-bench
	$(or $(CARGO_TARGET_DIR),target)/measured/bench-import $(ORDERS)

# CALLBACKS, at least 1,000, shortens it. WORKERS (with CALLBACKS) sets their number, and leaves out receivers that fail.
bench-callbacks: ## deliver 20,000 callbacks to receivers, some of which fail, with the real binaries
	cargo build --profile measured --package deliver-callbacks --package relay-outbox --package sweep-outbox --package tandem-bench
	$(or $(CARGO_TARGET_DIR),target)/measured/bench-callbacks $(CALLBACKS) $(WORKERS)

# ROWS sets the length of the list: 3,000,000 if not set.
bench-statement: ## sum a statement of millions of payout rows, with the real binary
	cargo build --profile measured --package payouts --package tandem-bench
	$(or $(CARGO_TARGET_DIR),target)/measured/bench-statement $(ROWS)

bench-costs: ## count the calls, the capacity and the price of each flow, with tests/bench/prices.json
	cargo build --quiet --workspace --bin bench-costs
	$(or $(CARGO_TARGET_DIR),target)/debug/bench-costs

# STARTS of each function, 40 if not set. Built as released, since the size of a binary is part of its start.
STARTED := purchase-cart authorize relay-outbox deliver-callbacks

bench-start: ## start functions beside two baseline functions: processor time, duration and memory until the first poll
	cargo build --release $(STARTED:%=--package %) --package tandem-baselines
	cargo build --workspace --bin bench-start
	$(or $(CARGO_TARGET_DIR),target)/debug/bench-start $(or $(CARGO_TARGET_DIR),target)/release $(STARTS)

lint: $(CARGO_DENY) $(LINTERS)/ready ## check format, types, docs, template and licences
	cargo metadata --locked --format-version=1 > /dev/null
	cargo fmt --all --check
	cargo fmt --manifest-path fuzz/Cargo.toml --check
	$(LOCAL) exec -- ruff check infra
	$(LOCAL) exec -- ruff format --check infra
	$(LOCAL) exec -- mypy --config-file infra/pyproject.toml infra
	$(LOCAL) exec -- cfn-lint --append-rules cfn_lint_serverless.rules --template template.yaml data.yaml infra/pipeline/role.yaml
	$(LOCAL) exec -- python -m infra.lint .local/transformed.json
	$(LOCAL) exec -- cfn-lint --config-file infra/lint/cfn-lint-transformed.yaml --template .local/transformed.json
	$(LINTERS)/bin/checkov --config-file infra/lint/checkov.yaml \
		--file template.yaml data.yaml infra/pipeline/role.yaml .local/transformed.json
	$(LINTERS)/bin/actionlint infra/pipeline/deploy.yml
	$(CARGO_DENY) check bans licenses sources
	cargo clippy --workspace --all-targets -- --deny warnings
# The functions alone, with the features that they are deployed with.
	cargo check
	cargo clippy --locked --manifest-path fuzz/Cargo.toml -- --deny warnings
	RUSTDOCFLAGS="--deny warnings" cargo doc --workspace --no-deps

$(RECEIVERS): infra/receivers/package-lock.json
	npm ci --prefix infra/receivers --ignore-scripts --no-audit --no-fund

# Separate from lint, because it downloads the advisory database: it needs the internet, and its result changes without a
# change of ours. Meant for a nightly job.
audit: $(CARGO_DENY) ## check the dependencies for known advisories (needs the internet)
	$(CARGO_DENY) check advisories
	$(CARGO_DENY) --manifest-path fuzz/Cargo.toml --config deny.toml check advisories

# The fuzzer's instrumentation needs unstable compiler options, which RUSTC_BOOTSTRAP enables on the stable compiler. No
# sanitizer: our code has no unsafe blocks, and runs several times faster without. fuzz/corpus keeps the inputs found beyond the
# seeds, fuzz/artifacts the input of a crash.
fuzz: $(CARGO_FUZZ) ## fuzz the parsers of untrusted input, a minute each
	RUSTC_BOOTSTRAP=1 $(CARGO_FUZZ) build --sanitizer none
	@for target in $(FUZZ_TARGETS); do \
		corpus=fuzz/corpus/$$target log=fuzz/artifacts/$$target.log && mkdir -p $$corpus fuzz/artifacts && \
		echo "$$target, $(FUZZ_SECONDS) seconds" && \
		RUSTC_BOOTSTRAP=1 $(CARGO_FUZZ) run --sanitizer none $$target $$corpus fuzz/seeds/$$target -- \
			-max_total_time=$(FUZZ_SECONDS) -print_final_stats=1 > $$log 2>&1 || { tail -n 40 $$log; exit 1; }; \
		grep -E 'DONE|average_exec_per_sec' $$log; \
	done

$(CARGO_FUZZ):
	@echo "building cargo-fuzz $(CARGO_FUZZ_VERSION) once, into $(TOOLS) (takes minutes)"
	env -u CARGO_TARGET_DIR cargo install --locked --root $(TOOLS)/cargo-fuzz-$(CARGO_FUZZ_VERSION) cargo-fuzz@$(CARGO_FUZZ_VERSION)

$(CARGO_DENY):
	@echo "building cargo-deny $(CARGO_DENY_VERSION) once, into $(TOOLS) (takes minutes)"
	env -u CARGO_TARGET_DIR cargo install --locked --root $(TOOLS)/cargo-deny-$(CARGO_DENY_VERSION) cargo-deny@$(CARGO_DENY_VERSION)
