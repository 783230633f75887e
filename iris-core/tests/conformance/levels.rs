//! All of this again at the lower levels of vector instructions that the processor has.

use std::process::{Command, Output};

/// Keeps a run at a level from running all levels again.
const NESTED: &str = "IRIS_SIMD_NESTED";

#[test]
fn every_level_passes() {
    let levels = if has_v3() {
        &["baseline", "v3"][..]
    } else {
        &["baseline"]
    };
    for level in levels {
        let Some(run) = run_at(level) else { return };
        let output = String::from_utf8_lossy(&run.stdout);
        assert!(run.status.success(), "IRIS_SIMD={level}:\n{output}");
    }
}

#[cfg(target_arch = "x86_64")]
fn has_v3() -> bool {
    is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma")
}

#[cfg(not(target_arch = "x86_64"))]
fn has_v3() -> bool {
    false
}

#[test]
fn unknown_levels_are_refused() {
    let Some(run) = run_at("v99") else { return };
    let output = String::from_utf8_lossy(&run.stdout);
    assert!(!run.status.success(), "{output}");
    assert!(output.contains("IRIS_SIMD"), "{output}");
}

/// Runs these tests at a level, unless this is such a run.
fn run_at(level: &str) -> Option<Output> {
    if std::env::var_os(NESTED).is_some() {
        return None;
    }
    let tests = std::env::current_exe().unwrap();
    let command = Command::new(tests)
        .env("IRIS_SIMD", level)
        .env(NESTED, "1")
        .output();
    Some(command.unwrap())
}
