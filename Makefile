# The daily commands. Everything is made inside the repository: target/ (cargo), dist/ (what ships), .venv/ (Python).
.PHONY: run test check test-rust test-arm64 test-python test-deploy test-loadtest conformance record fuzz soak deny bench compare scaling \
	coldstart load loadtest lambda order image wheel

PYTHON ?= python3
VENV := .venv
BIN := $(CURDIR)/$(VENV)/bin
# Other versions of some packages than the tests have: those that skl2onnx's own suite needs.
CONFORMANCE_VENV := $(CURDIR)/target/conformance/venv
COLDSTART := target/coldstart/venv
COMPARE_VENV := $(CURDIR)/target/compare/venv
DEPLOY_VENV := $(CURDIR)/target/deploy/venv
LOADTEST_VENV := $(CURDIR)/target/loadtest/venv
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
# The instruments that guide libFuzzer, which stable Rust has, too; no sanitizer, which it has not.
FUZZ_FLAGS := --cfg fuzzing -C passes=sancov-module -C llvm-args=-sanitizer-coverage-level=4 \
	-C llvm-args=-sanitizer-coverage-inline-8bit-counters -C llvm-args=-sanitizer-coverage-pc-table \
	-C llvm-args=-sanitizer-coverage-trace-compares
FUZZ := $(CURDIR)/iris-core/fuzz
FUZZ_DIR := $(abspath $(or $(CARGO_TARGET_DIR),target))/fuzz
FUZZ_BIN := $(FUZZ_DIR)/$(TARGET)/release
SECONDS ?= 60
FUZZ_TARGETS ?= model structured tensors events
# 0 is another seed each time.
FUZZ_SEED ?= 0
MINUTES ?= 30
STATIC := cargo rustc --locked --profile dist --target $(TARGET)
LAMBDA := $(STATIC) -p iris-lambda --bin iris-lambda -- $(LAMBDA_FLAGS)

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

test-rust:
	cargo test --locked

# Takes the target's standard library, its linker (Debian: gcc-aarch64-linux-gnu) and, on another processor, qemu-user 8 or later
# registered with binfmt_misc. What must end within a second of processor time does not under emulation.
test-arm64: ## the tests of Rust, for arm64
	CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=aarch64-linux-gnu-gcc cargo test --locked --target aarch64-unknown-linux-gnu -- --skip bombs

test-python: $(VENV)/installed test-rust lambda wheel ## against what ships: dist/
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --force-reinstall dist/iris_core-*.whl
	$(BIN)/ruff check --config iris-py/pyproject.toml .
	$(BIN)/ruff format --check --config iris-py/pyproject.toml .
	cd iris-py && IRIS_LAMBDA_BINARY=$(CURDIR)/dist/iris-lambda $(BIN)/python -m pytest
	$(BIN)/python models/train_iris.py --check

test-deploy: $(DEPLOY_VENV)/installed lambda ## the deployment against moto, a registry and a Docker Engine on loopback
	$(DEPLOY_VENV)/bin/python -m pytest deploy/tests

test-loadtest: $(LOADTEST_VENV)/installed lambda wheel ## a short load test, and the notebook on its logs
	$(LOADTEST_VENV)/bin/pip install --quiet --disable-pip-version-check --no-deps --force-reinstall dist/iris_core-*.whl
	$(LOADTEST_VENV)/bin/python -m pytest loadtest/tests

conformance: $(CONFORMANCE_VENV)/installed wheel ## skl2onnx's own tests, ONNX's, every estimator: iris-py/conformance/results.md
	$(CONFORMANCE_VENV)/bin/pip install --quiet --disable-pip-version-check --no-deps --force-reinstall dist/iris_core-*.whl
	cd iris-py && $(CONFORMANCE_VENV)/bin/python -m conformance $(CONFORMANCE)

record: $(CONFORMANCE_VENV)/installed ## recorded cases again, of one FAMILY or all; with CHECK=1 only compare: iris-core/tests/data
	$(CONFORMANCE_VENV)/bin/python iris-core/tests/data/record.py $(if $(CHECK),--check) $(FAMILY)

fuzz: ## SECONDS of each fuzz target, two at a time: docs/security.md
	RUSTFLAGS="$(FUZZ_FLAGS)" CARGO_TARGET_DIR=$(FUZZ_DIR) cargo build --locked --release --target $(TARGET) \
		--manifest-path $(FUZZ)/Cargo.toml
	mkdir -p $(addprefix $(FUZZ_DIR)/corpus/,model structured tensors events) $(FUZZ_DIR)/found
	IRIS_FUZZ_SEEDS=$(FUZZ_DIR)/corpus/structured $(FUZZ_BIN)/structured
	printf '%s\n' $(FUZZ_TARGETS) | xargs -P 2 -I{} sh -c 'dict=$(FUZZ)/{}.dict; test ! -f $$dict || set -- -dict=$$dict; \
		$(FUZZ_BIN)/{} "$$@" $(FUZZ_DIR)/corpus/{} $(FUZZ)/seeds/{} -max_total_time=$(SECONDS) \
		-seed=$(FUZZ_SEED) -max_len=16384 -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
		-artifact_prefix=$(FUZZ_DIR)/found/{}- >$(FUZZ_DIR)/{}.log 2>&1 || { tail -n 20 $(FUZZ_DIR)/{}.log; exit 255; }'
	grep -H -e 'stat::number_of_executed_units' -e 'stat::peak_rss_mb' $(patsubst %,$(FUZZ_DIR)/%.log,$(FUZZ_TARGETS))

soak: lambda wheel ## MINUTES of good and bad requests to the local server and to the package: flat memory, no wrong answer
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --force-reinstall dist/iris_core-*.whl
	$(BIN)/python benches/soak/soak.py --minutes $(MINUTES) --server dist/iris-lambda

deny: ## licences, sources and duplicates of the dependencies; takes cargo-deny
	cargo deny --locked --all-features check -D warnings licenses sources bans

bench: $(VENV)/installed ## measure the public API, and onnxruntime beside it
	ORT_DYLIB_PATH="$$($(BIN)/python benches/find_onnxruntime.py)" cargo bench -p iris-benches

compare: $(COMPARE_VENV)/installed wheel ## every runtime on 26 models: benches/results.md and its plot
	$(COMPARE_VENV)/bin/pip install --quiet --disable-pip-version-check --no-deps --force-reinstall dist/iris_core-*.whl
	cd benches && $(COMPARE_VENV)/bin/python -m compare

scaling: $(COMPARE_VENV)/installed wheel ## cost a row up to 1,000,000 rows, two threads, memory: benches/scaling/results.md
	$(COMPARE_VENV)/bin/pip install --quiet --disable-pip-version-check --no-deps --force-reinstall dist/iris_core-*.whl
	cd benches && $(COMPARE_VENV)/bin/python -m scaling

coldstart: lambda $(COLDSTART)/installed ## from process start to first response, beside Python: benches/coldstart/results.md
	$(STATIC) -p iris-benches --bin empty-lambda -- $(LAMBDA_FLAGS)
	$(STRIP) $(DIST_DIR)/empty-lambda
	cd benches && $(CURDIR)/$(COLDSTART)/bin/python -m coldstart --ours $(CURDIR)/dist/iris-lambda \
		--empty $(DIST_DIR)/empty-lambda

load: lambda ## the local server under wrk, beside a hello-world: benches/http/results.md
	$(STATIC) -p iris-benches --bin hello-http -- $(LAMBDA_FLAGS)
	$(PYTHON) benches/http/load.py --ours dist/iris-lambda --hello $(DIST_DIR)/hello-http

loadtest: ## the original's load test on an emulator, its notebook and figures: loadtest/README.md
	$(MAKE) -j3 $(LOADTEST_VENV)/installed lambda wheel
	$(LOADTEST_VENV)/bin/pip install --quiet --disable-pip-version-check --no-deps --force-reinstall dist/iris_core-*.whl
	$(LOADTEST_VENV)/bin/python loadtest/run.py
	cd loadtest && $(LOADTEST_VENV)/bin/jupyter nbconvert --to notebook --execute --inplace performance_analysis.ipynb

lambda: ## the shipped Lambda function, to dist/iris-lambda
	mkdir -p dist
	$(LAMBDA) $(ORDER_FLAGS)
	$(STRIP) -o dist/iris-lambda $(DIST_DIR)/iris-lambda

order: $(COLDSTART)/installed ## which functions a start runs, to iris-lambda/startup.order; takes valgrind
	$(LAMBDA)
	cd benches && $(CURDIR)/$(COLDSTART)/bin/python -m coldstart.order --out $(CURDIR)/$(ORDER) \
		--function $(DIST_DIR)/iris-lambda
	touch iris-lambda/src/main.rs # cargo does not see that the order is another

image: lambda ## the container image iris_image, of the function built here: the Dockerfile's last stage
	sed -e '/^FROM scratch/,$$!d' -e 's|--from=build /src/dist/||' Dockerfile | $(DOCKER) build -t iris_image -f - \
		--build-arg VERSION=$(VERSION) --build-arg REVISION=$$(git rev-parse HEAD) dist

wheel: $(VENV)/installed ## the Python package, to dist/
	rm -f dist/iris_core-*.whl
	$(BIN)/maturin build --locked --profile dist --strip --target $(TARGET) --manifest-path iris-py/Cargo.toml --out dist

$(CONFORMANCE_VENV)/installed: iris-py/conformance/requirements.txt
	$(PYTHON) -m venv $(CONFORMANCE_VENV)
	$(CONFORMANCE_VENV)/bin/pip install --quiet --disable-pip-version-check --no-deps -r $<
	touch $@

$(COMPARE_VENV)/installed: benches/compare/requirements.txt
	$(PYTHON) -m venv $(COMPARE_VENV)
	$(COMPARE_VENV)/bin/pip install --quiet --disable-pip-version-check --no-deps -r $<
	touch $@

$(DEPLOY_VENV)/installed: deploy/tests/requirements.txt
	$(PYTHON) -m venv $(DEPLOY_VENV)
	$(DEPLOY_VENV)/bin/pip install --quiet --disable-pip-version-check --no-deps -r $<
	touch $@

$(LOADTEST_VENV)/installed: loadtest/requirements.txt
	$(PYTHON) -m venv $(LOADTEST_VENV)
	$(LOADTEST_VENV)/bin/pip install --quiet --disable-pip-version-check --no-deps -r $<
	touch $@

$(VENV)/installed: iris-py/requirements-test.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps -r $<
	touch $@

$(COLDSTART)/installed: benches/coldstart/requirements.txt
	$(PYTHON) -m venv $(COLDSTART)
	$(COLDSTART)/bin/pip install --quiet --disable-pip-version-check --no-deps -r $<
	touch $@
