//! Reads iris rows as a JSON list from standard input and prints their labels and probabilities as JSON.
//!
//! ```text
//! $ echo '[[5.9, 3.0, 5.1, 2.3]]' | cargo run -q -p iris-core --example predict
//! {"labels":[2],"probabilities":[[0.008308806456625462,0.02759426273405552,0.9640969038009644]]}
//! ```

use std::error::Error;
use std::io::{self, Write as _};

fn main() -> Result<(), Box<dyn Error>> {
    let rows: Vec<Vec<f64>> = serde_json::from_reader(io::stdin().lock())?;
    let labels = iris_core::predict(&rows)?;
    let probabilities = iris_core::predict_proba(&rows)?;
    let probabilities: Vec<&[f32]> = probabilities
        .rows()
        .into_iter()
        .filter_map(|row| row.to_slice())
        .collect();
    let answer = serde_json::json!({ "labels": labels, "probabilities": probabilities });
    writeln!(io::stdout(), "{answer}")?;
    Ok(())
}
