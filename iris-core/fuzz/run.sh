#!/usr/bin/env bash
# Builds the fuzz targets and runs each of those named for some seconds, two at a time: run.sh SECONDS SEED TARGET…
# SEED 0 is another one each time. The corpus, what is found and the logs stay in target/fuzz.
set -euo pipefail

seconds=$1 seed=$2
shift 2
fuzz=$(cd "$(dirname "$0")" && pwd)
dir=$(realpath -m "${CARGO_TARGET_DIR:-$fuzz/../../target}")/fuzz
host=$(rustc -vV | sed -n 's/^host: //p')
bin=$dir/$host/release

# The instruments that guide libFuzzer, which stable Rust has, too; no sanitizer, which it has not.
flags="--cfg fuzzing -C passes=sancov-module -C llvm-args=-sanitizer-coverage-level=4"
flags+=" -C llvm-args=-sanitizer-coverage-inline-8bit-counters -C llvm-args=-sanitizer-coverage-pc-table"
flags+=" -C llvm-args=-sanitizer-coverage-trace-compares"
RUSTFLAGS=$flags CARGO_TARGET_DIR=$dir cargo build --locked --release --target "$host" --manifest-path "$fuzz/Cargo.toml"

mkdir -p "$dir"/corpus/{model,structured,tensors,events} "$dir/found"
IRIS_FUZZ_SEEDS=$dir/corpus/structured "$bin/structured"

# Runs one target, and shows the end of its log if that fails.
run() {
    local target=$1
    local options=(
        "-max_total_time=$seconds" "-seed=$seed" -max_len=16384 -timeout=10 -rss_limit_mb=2048 -print_final_stats=1
        "-artifact_prefix=$dir/found/$target-"
    )
    test ! -f "$fuzz/$target.dict" || options+=("-dict=$fuzz/$target.dict")
    if ! "$bin/$target" "${options[@]}" "$dir/corpus/$target" "$fuzz/seeds/$target" >"$dir/$target.log" 2>&1; then
        tail -n 20 "$dir/$target.log"
        # xargs starts no more after this.
        exit 255
    fi
}

export -f run
export seconds seed fuzz dir bin
printf '%s\n' "$@" | xargs -P 2 -I{} bash -c 'run {}'

for target in "$@"; do
    grep -H -e stat::number_of_executed_units -e stat::peak_rss_mb "$dir/$target.log"
done
