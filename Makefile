# The daily commands; `make help` lists them. Everything is made inside the repository: target/ (cargo and the virtual environments),
# dist/ (what ships), .venv/ (Python).
.PHONY: run test check bench lambda wheel image fuzz record help test-rust test-arm64 test-python test-deploy conformance deny

PYTHON ?= python3
DOCKER ?= docker
STRIP ?= strip
PORT ?= 8080
VERSION := $(shell sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml)
TARGET := $(shell rustc -vV | sed -n 's/^host: //p')
DIST_DIR := $(abspath $(or $(CARGO_TARGET_DIR),target))/$(TARGET)/dist
# One static file that needs no relocation at start; `+crt-static` links glibc itself. Only the last step of a build is given
# them: what comes before is the same for the wheel, and made once.
LAMBDA_FLAGS := -C target-feature=+crt-static -C relocation-model=static
# Where the linker is lld: functions that are the same code are one, which generic code is full of; and the functions of a
# start lie side by side, so that few pages are touched. A name that is no more is passed over; `make order` finds them anew.
ORDER := iris-lambda/startup.order
ifneq (,$(findstring x86_64-unknown-linux,$(TARGET)))
ORDER_FLAGS := -C link-arg=-Wl,--icf=all -C link-arg=-Wl,--symbol-ordering-file=$(CURDIR)/$(ORDER) -C link-arg=-Wl,--no-warn-symbol-ordering
endif
STATIC := cargo rustc --locked --profile dist --target $(TARGET)
LAMBDA := $(STATIC) -p iris-lambda --bin iris-lambda -- $(LAMBDA_FLAGS)
SECONDS ?= 60
FUZZ_TARGETS ?= model structured tensors events
# 0 is another seed each time.
FUZZ_SEED ?= 0

# The virtual environments, each with the versions that one file pins: see the last rule.
VENV := .venv
BIN := $(CURDIR)/$(VENV)/bin
CONFORMANCE_VENV := $(CURDIR)/target/conformance/venv
DEPLOY_VENV := $(CURDIR)/target/deploy/venv
PIP_INSTALL := pip install --quiet --disable-pip-version-check --no-deps
INSTALL_WHEEL := $(PIP_INSTALL) --force-reinstall dist/iris_core-*.whl

run: ## serve the embedded iris model on port 8080
	PORT=$(PORT) cargo run --release -p iris-lambda

test: check test-rust test-python test-deploy test-loadtest ## everything that must pass, a quick part of the conformance runs among it
	$(MAKE) conformance CONFORMANCE=--quick
	$(MAKE) fuzz SECONDS=60 FUZZ_SEED=1

check: ## format, lints, documentation
	cargo fmt --all --check
	cargo fmt --check --manifest-path iris-core/fuzz/Cargo.toml
	cargo clippy --workspace --all-targets --locked -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --locked

bench: $(VENV)/installed ## measure the public API, and onnxruntime beside it
	ORT_DYLIB_PATH="$$($(BIN)/python benches/find_onnxruntime.py)" cargo bench -p iris-benches

lambda: ## the shipped Lambda function, to dist/iris-lambda
	mkdir -p dist
	$(LAMBDA) $(ORDER_FLAGS)
	$(STRIP) -o dist/iris-lambda $(DIST_DIR)/iris-lambda

wheel: $(VENV)/installed ## the Python package, to dist/
	rm -f dist/iris_core-*.whl
	$(BIN)/maturin build --locked --profile dist --strip --target $(TARGET) --manifest-path iris-py/Cargo.toml --out dist

image: lambda ## the container image iris_image, of the function built here: the Dockerfile's last stage
	sed -e '/^FROM scratch/,$$!d' -e 's|--from=build /src/dist/||' Dockerfile | $(DOCKER) build -t iris_image -f - \
		--build-arg VERSION=$(VERSION) --build-arg REVISION=$$(git rev-parse HEAD) dist

fuzz: ## SECONDS of each fuzz target, two at a time: docs/security.md
	iris-core/fuzz/run.sh $(SECONDS) $(FUZZ_SEED) $(FUZZ_TARGETS)

record: $(CONFORMANCE_VENV)/installed ## recorded cases again, of one FAMILY or all; with CHECK=1 only compare: iris-core/tests/data
	$(CONFORMANCE_VENV)/bin/python iris-core/tests/data/record.py $(if $(CHECK),--check) $(FAMILY)

help: ## this list
	@sed -n 's/^\([a-z0-9-]*\):.*## \(.*\)/\1\t\2/p' $(MAKEFILE_LIST) | awk -F '\t' '{ printf "%-14s %s\n", $$1, $$2 }'

# What `test` is made of.

test-rust: ## the tests of Rust
	cargo test --locked

# Takes the target's standard library, its linker (Debian: gcc-aarch64-linux-gnu) and, on another processor, qemu-user 8 or later
# registered with binfmt_misc. What must end within a second of processor time does not under emulation.
test-arm64: ## the tests of Rust, for arm64
	CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=aarch64-linux-gnu-gcc cargo test --locked --target aarch64-unknown-linux-gnu -- --skip bombs

test-python: $(VENV)/installed test-rust lambda wheel ## the tests of Python, against what ships: dist/
	$(BIN)/$(INSTALL_WHEEL)
	$(BIN)/ruff check --config iris-py/pyproject.toml .
	$(BIN)/ruff format --check --config iris-py/pyproject.toml .
	cargo test --locked -p iris-py --test layers
	cd iris-py && IRIS_LAMBDA_BINARY=$(CURDIR)/dist/iris-lambda $(BIN)/python -m pytest
	$(BIN)/python models/train_iris.py --check

test-deploy: $(DEPLOY_VENV)/installed lambda ## the deployment against moto, a registry and a Docker Engine on loopback
	$(DEPLOY_VENV)/bin/python -m pytest deploy/tests

conformance: $(CONFORMANCE_VENV)/installed wheel ## skl2onnx's own tests, ONNX's, every estimator: iris-py/conformance/results.md
	$(CONFORMANCE_VENV)/bin/$(INSTALL_WHEEL)
	cd iris-py && $(CONFORMANCE_VENV)/bin/python -m conformance $(CONFORMANCE)

deny: ## licences, sources and duplicates of the dependencies; takes cargo-deny
	cargo deny --locked --all-features check -D warnings licenses sources bans

include benches/Makefile loadtest/Makefile

$(VENV)/installed: iris-py/requirements-test.txt
# Other versions of some packages than the tests have: those that skl2onnx's own suite needs.
$(CONFORMANCE_VENV)/installed: iris-py/conformance/requirements.txt
$(DEPLOY_VENV)/installed: deploy/tests/requirements.txt

%/installed:
	$(PYTHON) -m venv $*
	$*/bin/$(PIP_INSTALL) -r $^
	touch $@
