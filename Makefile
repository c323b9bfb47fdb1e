# The two commands that matter: `make demo` and `make test`.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

# Compilers are told to use the processors that there are; JOBS=n overrides.
JOBS ?= $(shell nproc)

# The pinned toolchain may be installed under the name `stable` only. Then that is it.
PINNED := $(shell sed -n 's/^channel = "\(.*\)"/\1/p' rust-toolchain.toml)
ifeq ($(origin RUSTUP_TOOLCHAIN),undefined)
ifneq ($(shell command -v rustup),)
ifeq ($(shell rustup toolchain list | grep -c '^$(PINNED)'),0)
ifeq ($(shell RUSTUP_TOOLCHAIN=stable rustc --version 2>/dev/null | cut -d' ' -f2),$(PINNED))
export RUSTUP_TOOLCHAIN := stable
endif
endif
endif
endif

# Programs of which hardware and model are compared in every test; `regress` without arguments takes all.
REGRESSED := l3_acl l2_switch ecmp conntrack_firewall rate_limit mirror recirculate_demo vlan int_md \
    varbit_options netcache nat44
# Programs whose recorded tests and traces run on hardware in every test; `oracle --hardware` takes all.
ON_HARDWARE := l3_acl ecmp rate_limit mirror recirculate_demo int_md varbit_options netcache digest_learn sumax
comma := ,
space := $(subst ,, )

TRACE := tests/oracle/l3_acl/trace
TIME := .ci/timed

.PHONY: help
help: ## this list
	@sed -n 's/^\([a-z]*\):.* ## /\1	/p' Makefile | expand -t 10

.PHONY: setup
setup: ## what must be installed, and installs it (SETUP=no: only says it)
	@.ci/setup

# What needs no simulator and no synthesis.
.PHONY: rust
rust:
	@.ci/setup rust

.PHONY: demo
demo: setup ## a firewall replaced, bypassed and restored while two flows pass it: a table and a plot
	cargo build --release --quiet -j$(JOBS) -p restage-tests --bin experiment
	target/release/experiment --out build/experiment

.PHONY: model
model: rust ## one packet of a router with an access list, step by step, and what 500 packets came to
	cargo build --release --quiet -j$(JOBS) -p restage-gen
	target/release/golden --program l3_acl --in 1=$(TRACE)/in1.pcap --in 2=$(TRACE)/in2.pcap \
	    --out build/demo --trace=0
	@echo "what came out: build/demo/out*.pcap; another program: target/release/gen --list"

.PHONY: gen
gen: rust ## build/NAME out of a program: PROGRAM=name or file, l3_acl by default
	cargo run --release --quiet -j$(JOBS) -p restage-gen --bin gen -- --program $(or $(PROGRAM),l3_acl)

.PHONY: lint
lint: rust ## formatting, clippy without warnings, licences and sources of dependencies
	$(TIME) "rustfmt" 2 cargo fmt --all --check
	$(TIME) "clippy" 10 cargo clippy --workspace --all-targets --locked --quiet -j$(JOBS) -- -D warnings
	$(TIME) "dependencies" 2 .ci/dependencies

.PHONY: test
test: setup lint ## everything that CI checks
	$(TIME) "tests" 235 cargo test --workspace --locked --quiet -j$(JOBS)
	$(TIME) "random programs" 65 cargo run --locked --quiet -j$(JOBS) -p restage-tests --bin random
	$(TIME) "oracle" 3 cargo run --locked --quiet -j$(JOBS) -p restage-tests --bin oracle
	$(TIME) "oracle on hardware" 22 cargo run --locked --quiet -j$(JOBS) -p restage-tests --bin oracle -- \
	    --hardware --library-only $(addprefix --program=,$(ON_HARDWARE))
	$(TIME) "yosys" 17 cargo run --locked --quiet -j$(JOBS) -p restage-tests --bin synth -- \
	    --check --programs l2_switch,rate_limit
	$(TIME) "synthesis" 24 cargo run --locked --quiet -j$(JOBS) -p restage-tests --bin synth -- \
	    --programs l2_switch,source_routing --regions
	$(TIME) "mutations" 15 cargo run --locked --quiet -j$(JOBS) -p restage-tests --bin mutants -- \
	    --count 4 --circuit register_33x5,restage_fifo_40x32,restage_lane
	$(TIME) "hardware" 25 cargo run --locked --quiet -j$(JOBS) -p restage-tests --bin regress -- \
	    --packets 1000 --gaps 20 --back-pressure 20 --programs $(subst $(space),$(comma),$(REGRESSED))
	$(TIME) "random hardware" 60 cargo run --locked --quiet -j$(JOBS) -p restage-tests --bin regress -- --random 6

.PHONY: synth
synth: setup ## what circuits cost on a card: PROGRAM=name, file or all, l3_acl by default
	$(TIME) "synthesis" 300 cargo run --release --quiet -j$(JOBS) -p restage-tests --bin synth -- \
	    --programs $(or $(PROGRAM),l3_acl)

.PHONY: bench
bench: setup ## speed of the golden model and of a simulated card
	cargo bench --workspace -j$(JOBS)
