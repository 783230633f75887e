# The daily commands. Everything is made inside the repository: target/ (cargo), dist/ (what ships), .venv/ (Python).
.PHONY: run test bench lambda wheel

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PORT ?= 8080
TARGET := $(shell rustc -vV | sed -n 's/^host: //p')
# One static, non-PIE file: nothing to relocate or to look up at start. `+crt-static` links glibc itself.
LAMBDA_FLAGS := -C target-feature=+crt-static -C relocation-model=static

run: ## serve the embedded iris model on port 8080
	PORT=$(PORT) cargo run --release -p iris-lambda

test: ## everything that must pass
	bash scripts/test.sh

bench: $(VENV)/installed ## measure the public API, and onnxruntime beside it
	ORT_DYLIB_PATH="$$($(BIN)/python benches/find_onnxruntime.py)" cargo bench -p iris-benches

lambda: ## the shipped Lambda function, to dist/iris-lambda
	mkdir -p dist
	RUSTFLAGS="$(LAMBDA_FLAGS)" cargo build --profile dist -p iris-lambda --target $(TARGET)
	cp target/$(TARGET)/dist/iris-lambda dist/iris-lambda

wheel: $(VENV)/installed ## the Python package, to dist/
	$(BIN)/maturin build --profile dist --manifest-path iris-py/Cargo.toml --out dist

$(VENV)/installed: iris-py/requirements-test.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -r $<
	touch $@
