//! [MatMul](https://onnx.ai/onnx/operators/onnx__MatMul.html), versions 1 to 13.
//!
//! The product of `A` `[.., m, k]` and `B` `[.., k, n]`, as numpy's `matmul`: a vector is a row before a matrix and a column
//! behind one, and `Y` has no dimension for it.

use crate::error::{Result, invalid};
use crate::kernels::contraction::labels::{Label, Labelling, Labels, MAX_LABELS};
use crate::onnx::attributes::Attributes;
use crate::operator::Built;
use crate::ops::math::product::Product;

#[derive(Debug)]
struct MatMul;

pub(crate) fn build(_attributes: &mut Attributes<'_>) -> Result<Built> {
    Ok(Built::operator(Product::new(MatMul)))
}

const M: Label = MAX_LABELS - 3;
const K: Label = MAX_LABELS - 2;
const N: Label = MAX_LABELS - 1;

impl Labelling for MatMul {
    fn labels(&self, ranks: &[usize]) -> Result<Labels> {
        let &[a, b] = ranks else {
            let message = format!("expected 2 inputs, got {}", ranks.len());
            return Err(invalid(message));
        };
        if !(1..M).contains(&a) || !(1..M).contains(&b) {
            return Err(invalid(format!("a product of {a} by {b} dimensions")));
        }
        let stacks = [a, b].map(|rank| rank.saturating_sub(2));
        let most = stacks[0].max(stacks[1]);
        let of = |stack: usize, matrix: &[Label]| -> Vec<Label> {
            (most - stack..most).chain(matrix.iter().copied()).collect()
        };
        let (rows, columns) = (&[M][..a.min(2) - 1], &[N][..b.min(2) - 1]);
        let factors = vec![
            of(stacks[0], &[rows, &[K]].concat()),
            of(stacks[1], &[&[K], columns].concat()),
        ];
        Labels::new(factors, of(most, &[rows, columns].concat()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vectors_are_rows_and_columns() {
        let [m, k, n] = [M, K, N];
        for (ranks, factors, product) in [
            ([2, 2], [vec![m, k], vec![k, n]], vec![m, n]),
            ([1, 2], [vec![k], vec![k, n]], vec![n]),
            ([2, 1], [vec![m, k], vec![k]], vec![m]),
            ([1, 1], [vec![k], vec![k]], vec![]),
            ([3, 4], [vec![1, m, k], vec![0, 1, k, n]], vec![0, 1, m, n]),
            ([3, 1], [vec![0, m, k], vec![k]], vec![0, m]),
        ] {
            let expected = Labels::new(factors.into(), product).expect("labels");
            assert_eq!(MatMul.labels(&ranks).expect("a product"), expected);
        }
        for ranks in [&[0, 2][..], &[2, 0], &[2], &[2, 2, 2], &[64, 64]] {
            assert!(MatMul.labels(ranks).is_err(), "{ranks:?}");
        }
    }
}
