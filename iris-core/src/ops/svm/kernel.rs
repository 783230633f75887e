//! Kernel functions between a sample and the support vectors.
//!
//! Everything here is inlined into one caller, which compiles it for each level of the processor's vector instructions.
#![allow(
    clippy::inline_always,
    reason = "code is compiled for a level only where it is inlined"
)]

use std::f64::consts::LOG2_E;

use crate::error::Result;
use crate::ops::attributes::Attributes;
use crate::ops::exp::exp2;
use crate::ops::lanes::each;

/// A kernel function, by its ONNX name.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Kernel {
    /// `x·y`
    Linear,
    /// `(gamma x·y + coef0)^degree`
    Poly { gamma: f64, coef0: f64, degree: f64 },
    /// `exp(-gamma |x - y|²)`
    Rbf { gamma: f64 },
    /// `tanh(gamma x·y + coef0)`
    Sigmoid { gamma: f64, coef0: f64 },
}

impl Kernel {
    /// Reads `kernel_type`, whose default is `LINEAR`, and `kernel_params`, which are gamma, coef0 and degree, or none.
    pub(super) fn from_attributes(attributes: &mut Attributes<'_>) -> Result<Self> {
        let params = attributes.floats("kernel_params")?;
        let [gamma, coef0, degree] = match params {
            [] => [0.0; 3],
            &[gamma, coef0, degree] => [gamma, coef0, degree].map(f64::from),
            _ => {
                let what = format!(
                    "expected gamma, coef0 and degree, got {} values",
                    params.len()
                );
                return Err(attributes.invalid("kernel_params", what));
            }
        };
        match attributes.string("kernel_type")?.unwrap_or("LINEAR") {
            "LINEAR" => Ok(Self::Linear),
            "POLY" => Ok(Self::Poly {
                gamma,
                coef0,
                degree,
            }),
            "RBF" => Ok(Self::Rbf { gamma }),
            "SIGMOID" => Ok(Self::Sigmoid { gamma, coef0 }),
            other => Err(attributes.invalid("kernel_type", format!("unknown value {other:?}"))),
        }
    }

    /// Turns dot products (for RBF: squared distances) into kernel values.
    #[inline(always)]
    fn finish(self, values: &mut [f64]) {
        match self {
            Self::Linear => {}
            Self::Poly {
                gamma,
                coef0,
                degree: 3.0,
            } => values.iter_mut().for_each(|v| {
                let x = gamma * *v + coef0;
                *v = x * x * x;
            }),
            Self::Poly {
                gamma,
                coef0,
                degree,
            } if degree == degree.trunc() && degree.abs() < 1e6 => {
                values
                    .iter_mut()
                    .for_each(|v| *v = (gamma * *v + coef0).powi(degree as i32));
            }
            Self::Poly {
                gamma,
                coef0,
                degree,
            } => {
                values
                    .iter_mut()
                    .for_each(|v| *v = (gamma * *v + coef0).powf(degree));
            }
            Self::Rbf { gamma } => {
                let gamma = -gamma * LOG2_E;
                values.iter_mut().for_each(|v| *v = exp2(gamma * *v));
            }
            Self::Sigmoid { gamma, coef0 } => {
                values
                    .iter_mut()
                    .for_each(|v| *v = (gamma * *v + coef0).tanh());
            }
        }
    }
}

/// How many support vectors lie side by side.
const TILE: usize = 32;

/// How many support vectors are compared with a block of samples at once.
const GROUP: usize = 4;

/// One feature of the support vectors of a tile.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
struct Tile([f64; TILE]);

/// The support vectors of a machine and the kernel between them and a sample.
#[derive(Debug)]
pub(super) struct SupportVectors {
    kernel: Kernel,
    n_vectors: usize,
    n_features: usize,
    /// `[n_tiles, n_features]`; the last tile is filled up with zeros.
    tiles: Vec<Tile>,
}

impl SupportVectors {
    /// Takes vectors as ONNX stores them, `[n_vectors, n_features]`.
    pub(super) fn new(kernel: Kernel, vectors: &[f32], n_vectors: usize) -> Self {
        let n_features = vectors.len() / n_vectors;
        let mut tiles = vec![Tile([0.0; TILE]); n_vectors.div_ceil(TILE) * n_features];
        for (index, vector) in vectors.chunks_exact(n_features).enumerate() {
            let tile = &mut tiles[index / TILE * n_features..];
            for (tile, &value) in tile.iter_mut().zip(vector) {
                tile.0[index % TILE] = value.into();
            }
        }
        Self {
            kernel,
            n_vectors,
            n_features,
            tiles,
        }
    }

    pub(super) fn n_vectors(&self) -> usize {
        self.n_vectors
    }

    /// Computes the kernel of every support vector and each sample of `columns` `[n_features]`, into `values`
    /// `[n_vectors]`.
    #[inline(always)]
    pub(super) fn kernel_rows<const L: usize>(
        &self,
        columns: &[[f64; L]],
        values: &mut [[f64; L]],
    ) {
        let values = &mut values[..self.n_vectors];
        if let Kernel::Rbf { .. } = self.kernel {
            self.sums(columns, values, |sum, x, y| {
                let difference = x - y;
                difference.mul_add(difference, sum)
            });
        } else {
            self.sums(columns, values, |sum, x, y| x.mul_add(y, sum));
        }
    }

    /// The kernel values, to whose sums `add` adds each feature's part.
    #[inline(always)]
    fn sums<const L: usize>(
        &self,
        columns: &[[f64; L]],
        values: &mut [[f64; L]],
        add: impl Fn(f64, f64, f64) -> f64,
    ) {
        let tiles = self.tiles.chunks_exact(self.n_features);
        for (tile, values) in tiles.zip(values.chunks_mut(TILE)) {
            if L == 1 {
                // One sample: a vector instruction takes several support vectors.
                let mut sums = tile_sums(columns.as_flattened(), tile, &add);
                self.kernel.finish(&mut sums);
                let values = values.as_flattened_mut();
                values.copy_from_slice(&sums[..values.len()]);
                continue;
            }
            for (group, values) in values.chunks_mut(GROUP).enumerate() {
                let mut sums = group_sums(columns, tile, group, &add);
                self.kernel.finish(sums.as_flattened_mut());
                values.copy_from_slice(&sums[..values.len()]);
            }
        }
    }
}

/// What `add` makes of one sample and each support vector of a tile, feature by feature.
#[inline(always)]
fn tile_sums(x: &[f64], tile: &[Tile], add: impl Fn(f64, f64, f64) -> f64) -> [f64; TILE] {
    let mut sums = [0.0; TILE];
    for (x, y) in x.iter().zip(tile) {
        for (sum, y) in sums.iter_mut().zip(y.0) {
            *sum = add(*sum, *x, y);
        }
    }
    sums
}

/// The same of each lane and each support vector of a group.
#[inline(always)]
fn group_sums<const L: usize>(
    columns: &[[f64; L]],
    tile: &[Tile],
    group: usize,
    add: impl Fn(f64, f64, f64) -> f64,
) -> [[f64; L]; GROUP] {
    let mut sums = [[0.0; L]; GROUP];
    for (x, y) in columns.iter().zip(tile) {
        let y = y.0.as_chunks::<GROUP>().0[group];
        for (sum, y) in sums.iter_mut().zip(y) {
            *sum = each(|lane| add(sum[lane], x[lane], y));
        }
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kernels_follow_their_formulas() {
        let vectors = [1.0, 2.0, 3.0, -1.0, 0.5, 0.0];
        let x = [0.5, -2.0, 1.5];
        let (dots, distances) = ([1.0, -1.5], [0.25 + 16.0 + 2.25, 2.25 + 6.25 + 2.25]);
        let (gamma, coef0): (f64, f64) = (0.25, 1.5);
        let cases: [(Kernel, [f64; 2]); 5] = [
            (Kernel::Linear, dots),
            (Kernel::Rbf { gamma }, distances.map(|d| (-gamma * d).exp())),
            (
                Kernel::Sigmoid { gamma, coef0 },
                dots.map(|d| (gamma * d + coef0).tanh()),
            ),
            (
                Kernel::Poly {
                    gamma,
                    coef0,
                    degree: 3.0,
                },
                dots.map(|d| (gamma * d + coef0).powi(3)),
            ),
            (
                Kernel::Poly {
                    gamma,
                    coef0,
                    degree: 2.5,
                },
                dots.map(|d| (gamma * d + coef0).powf(2.5)),
            ),
        ];
        for (kernel, expected) in cases {
            let mut values = [[f64::NAN]; 2];
            let vectors = SupportVectors::new(kernel, &vectors, 2);
            vectors.kernel_rows(x.as_chunks::<1>().0, &mut values);
            for ([value], expected) in values.iter().zip(expected) {
                assert!(
                    (value - expected).abs() < 1e-14,
                    "{kernel:?}: {value} {expected}"
                );
            }
        }
    }

    #[test]
    fn lanes_have_the_bits_of_one_sample() {
        let number = |i: usize| (i * 37 % 101) as f32 / 7.0 - 6.0;
        let (gamma, coef0) = (0.031, 0.5);
        let kernels = [
            Kernel::Linear,
            Kernel::Rbf { gamma },
            Kernel::Sigmoid { gamma, coef0 },
            Kernel::Poly {
                gamma,
                coef0,
                degree: 3.0,
            },
        ];
        for (kernel, n_vectors) in kernels
            .into_iter()
            .flat_map(|kernel| [1, 5, 32, 71].map(|n| (kernel, n)))
        {
            let vectors: Vec<f32> = (0..n_vectors * 3).map(number).collect();
            let vectors = SupportVectors::new(kernel, &vectors, n_vectors);
            let columns: [[f64; 8]; 3] = std::array::from_fn(|f| {
                std::array::from_fn(|lane| number(f * 8 + lane + 5).into())
            });
            let mut values = vec![[f64::NAN; 8]; n_vectors];
            vectors.kernel_rows(&columns, &mut values);
            for lane in 0..8 {
                let mut single = vec![[f64::NAN]; n_vectors];
                vectors.kernel_rows(&columns.map(|column| [column[lane]]), &mut single);
                for (single, lanes) in single.iter().zip(&values) {
                    assert_eq!(single[0].to_bits(), lanes[lane].to_bits(), "{kernel:?}");
                }
            }
        }
    }
}
