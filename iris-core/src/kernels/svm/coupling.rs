//! Class probabilities from pairwise ones.
//!
//! Source: T.-F. Wu, C.-J. Lin and R. C. Weng, "Probability Estimates for Multi-class Classification by Pairwise
//! Coupling", JMLR 5, 2004: the second method, with the iteration and the stopping rule of libsvm, which scikit-learn
//! runs.
#![allow(
    clippy::inline_always,
    reason = "code is compiled for a level of instructions only where it is inlined"
)]

use crate::kernels::array::each;
use crate::kernels::post_transform::logistic;

/// libsvm's bound on pairwise probabilities.
const SMALLEST: f64 = 1e-7;

/// The probability of the first class of a pair, given its decision value: Platt's sigmoid.
#[inline(always)]
pub(crate) fn pairwise_probability(decision: f64, prob_a: f32, prob_b: f32) -> f64 {
    let probability = logistic(-(decision * f64::from(prob_a) + f64::from(prob_b)));
    probability.clamp(SMALLEST, 1.0 - SMALLEST)
}

/// How many numbers [`couple`] needs as scratch for each sample.
pub(crate) fn scratch_len(n_classes: usize) -> usize {
    n_classes * n_classes + 2 * n_classes
}

/// Couples `pairs`, the probability of class i against class j for each i < j in row order, into `probabilities`
/// `[n_classes]`, of one sample in each lane.
#[inline(always)]
pub(crate) fn couple<const L: usize>(
    pairs: &[[f64; L]],
    probabilities: &mut [[f64; L]],
    scratch: &mut [[f64; L]],
) {
    match probabilities.len() {
        // The same code, unrolled: with few classes the loops' own cost is most of it.
        2 => couple_k(2, pairs, probabilities, scratch),
        3 => couple_k(3, pairs, probabilities, scratch),
        k => couple_k(k, pairs, probabilities, scratch),
    }
}

#[inline(always)]
fn couple_k<const L: usize>(
    k: usize,
    pairs: &[[f64; L]],
    probabilities: &mut [[f64; L]],
    scratch: &mut [[f64; L]],
) {
    let probabilities = &mut probabilities[..k];
    let (q, rest) = scratch.split_at_mut(k * k);
    let (qp, inverse) = rest.split_at_mut(k);
    let inverse = &mut inverse[..k];
    q.fill([0.0; L]);
    let mut pair = pairs.iter();
    for i in 0..k {
        for j in i + 1..k {
            let of_i = pair.next().copied().unwrap_or([0.5; L]);
            for lane in 0..L {
                let of_i = of_i[lane];
                let of_j = 1.0 - of_i;
                q[i * k + i][lane] = of_j.mul_add(of_j, q[i * k + i][lane]);
                q[j * k + j][lane] = of_i.mul_add(of_i, q[j * k + j][lane]);
                q[i * k + j][lane] = -of_i * of_j;
                q[j * k + i][lane] = -of_i * of_j;
            }
        }
    }
    for (t, inverse) in inverse.iter_mut().enumerate() {
        *inverse = each(|lane| 1.0 / q[t * k + t][lane]);
    }
    probabilities.fill([1.0 / k as f64; L]);
    let epsilon = 0.005 / k as f64;
    for _ in 0..k.max(100) {
        let mut pqp = [0.0; L];
        for ((row, qp), p) in q
            .chunks_exact(k)
            .zip(qp.iter_mut())
            .zip(probabilities.iter())
        {
            let mut sum = [0.0; L];
            for (q, p) in row.iter().zip(probabilities.iter()) {
                sum = each(|lane| q[lane].mul_add(p[lane], sum[lane]));
            }
            *qp = sum;
            pqp = each(|lane| p[lane].mul_add(sum[lane], pqp[lane]));
        }
        let mut worst = [0.0; L];
        for qp in qp.iter() {
            worst = each(|lane| larger((qp[lane] - pqp[lane]).abs(), worst[lane]));
        }
        if worst.into_iter().fold(0.0, larger) < epsilon {
            break;
        }
        for (t, row) in q.chunks_exact(k).enumerate() {
            // A lane that has arrived makes steps of 0, which change nothing.
            let step: [f64; L] = each(|lane| {
                let step = (pqp[lane] - qp[t][lane]) * inverse[t][lane];
                if worst[lane] >= epsilon { step } else { 0.0 }
            });
            let scale: [f64; L] = each(|lane| 1.0 / (1.0 + step[lane]));
            pqp = each(|lane| {
                let slope = step[lane].mul_add(row[t][lane], 2.0 * qp[t][lane]);
                step[lane].mul_add(slope, pqp[lane]) * scale[lane] * scale[lane]
            });
            let p = &mut probabilities[t];
            *p = each(|lane| p[lane] + step[lane]);
            for ((qp, p), q) in qp.iter_mut().zip(probabilities.iter_mut()).zip(row) {
                *qp = each(|lane| step[lane].mul_add(q[lane], qp[lane]) * scale[lane]);
                *p = each(|lane| p[lane] * scale[lane]);
            }
        }
    }
}

/// The larger of two numbers; NaN is none, so that it stops a lane, as it stops libsvm's loop: all classes are then as
/// likely.
#[inline(always)]
fn larger(x: f64, y: f64) -> f64 {
    if x > y { x } else { y }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn coupled(pairs: &[f64], n_classes: usize) -> Vec<f64> {
        let mut probabilities = vec![[0.0]; n_classes];
        couple(
            pairs.as_chunks::<1>().0,
            &mut probabilities,
            &mut vec![[0.0]; scratch_len(n_classes)],
        );
        probabilities.into_iter().flatten().collect()
    }

    #[test]
    fn probabilities_sum_to_one_and_follow_the_pairs() {
        for (pairs, n_classes, best) in [
            (&[][..], 1, 0),
            (&[0.9], 2, 0),
            (&[0.2], 2, 1),
            (&[0.9, 0.8, 0.5], 3, 0),
            (&[0.1, 0.1, 0.3], 3, 2),
            (&[SMALLEST, SMALLEST, 1.0 - SMALLEST], 3, 1),
        ] {
            let p = coupled(pairs, n_classes);
            assert!((p.iter().sum::<f64>() - 1.0).abs() < 1e-12, "{p:?}");
            assert!(p.iter().all(|p| p.is_finite() && *p > -1e-9), "{p:?}");
            assert!(p.iter().all(|other| *other <= p[best]), "{p:?}");
        }
    }

    #[test]
    fn consistent_pairs_are_reproduced() {
        let truth = [0.5, 0.3, 0.2];
        let pairs: Vec<f64> = [(0, 1), (0, 2), (1, 2)]
            .map(|(i, j): (usize, usize)| truth[i] / (truth[i] + truth[j]))
            .to_vec();
        for (p, truth) in coupled(&pairs, 3).iter().zip(truth) {
            assert!((p - truth).abs() < 0.005, "{p} {truth}");
        }
    }

    #[test]
    fn sigmoid_is_bounded() {
        assert!((pairwise_probability(0.0, -3.0, 0.0) - 0.5).abs() < 1e-15);
        assert!((pairwise_probability(1e9, -3.0, 0.0) - (1.0 - SMALLEST)).abs() < 1e-15);
        assert!((pairwise_probability(-1e9, -3.0, 0.0) - SMALLEST).abs() < 1e-15);
    }

    #[test]
    fn lanes_do_not_see_each_other() {
        const NAN: f64 = f64::NAN;
        let rows: [[f64; 6]; 4] = [
            [0.9, 0.8, 0.5, 0.3, 0.2, 0.6],
            [0.5; 6],
            [NAN, 0.8, 0.5, 0.3, 0.2, 0.6],
            [SMALLEST, 1.0 - SMALLEST, 0.5, 0.999, SMALLEST, 0.01],
        ];
        let pairs: Vec<[f64; 4]> = (0..6).map(|pair| rows.map(|row| row[pair])).collect();
        let mut probabilities = [[0.0; 4]; 4];
        couple(
            &pairs,
            &mut probabilities,
            &mut vec![[0.0; 4]; scratch_len(4)],
        );
        for (lane, row) in rows.iter().enumerate() {
            let bits = |p: &[f64]| p.iter().map(|p| p.to_bits()).collect::<Vec<_>>();
            let got = probabilities.map(|p| p[lane]);
            assert_eq!(bits(&got), bits(&coupled(row, 4)), "{row:?}");
        }
    }
}
