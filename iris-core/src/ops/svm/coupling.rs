//! Class probabilities from pairwise ones.
//!
//! Source: T.-F. Wu, C.-J. Lin and R. C. Weng, "Probability Estimates for Multi-class Classification by Pairwise
//! Coupling", JMLR 5, 2004: the second method, with the iteration and the stopping rule of libsvm, which scikit-learn
//! runs.

use crate::ops::post_transform::logistic;

/// libsvm's bound on pairwise probabilities.
const SMALLEST: f64 = 1e-7;

/// The probability of the first class of a pair, given its decision value: Platt's sigmoid.
pub(super) fn pairwise_probability(decision: f64, prob_a: f32, prob_b: f32) -> f64 {
    let probability = logistic(-(decision * f64::from(prob_a) + f64::from(prob_b)));
    probability.clamp(SMALLEST, 1.0 - SMALLEST)
}

/// How many numbers [`couple`] needs as scratch.
pub(super) fn scratch_len(n_classes: usize) -> usize {
    n_classes * n_classes + 2 * n_classes
}

/// Couples `pairs`, the probability of class i against class j for each i < j in row order, into `probabilities`
/// `[n_classes]`.
pub(super) fn couple(pairs: &[f64], probabilities: &mut [f64], scratch: &mut [f64]) {
    match probabilities.len() {
        // The same code, unrolled: with few classes the loops' own cost is most of it.
        2 => couple_k(2, pairs, probabilities, scratch),
        3 => couple_k(3, pairs, probabilities, scratch),
        k => couple_k(k, pairs, probabilities, scratch),
    }
}

#[allow(
    clippy::inline_always,
    reason = "the unrolled versions exist only where it is inlined"
)]
#[inline(always)]
fn couple_k(k: usize, pairs: &[f64], probabilities: &mut [f64], scratch: &mut [f64]) {
    let probabilities = &mut probabilities[..k];
    let (q, rest) = scratch.split_at_mut(k * k);
    let (qp, inverse) = rest.split_at_mut(k);
    let inverse = &mut inverse[..k];
    q.fill(0.0);
    let mut pair = pairs.iter();
    for i in 0..k {
        for j in i + 1..k {
            let of_i = pair.next().copied().unwrap_or(0.5);
            let of_j = 1.0 - of_i;
            q[i * k + i] += of_j * of_j;
            q[j * k + j] += of_i * of_i;
            q[i * k + j] = -of_i * of_j;
            q[j * k + i] = -of_i * of_j;
        }
    }
    for (t, inverse) in inverse.iter_mut().enumerate() {
        *inverse = 1.0 / q[t * k + t];
    }
    probabilities.fill(1.0 / k as f64);
    let epsilon = 0.005 / k as f64;
    for _ in 0..k.max(100) {
        let mut pqp = 0.0;
        for ((row, qp), p) in q
            .chunks_exact(k)
            .zip(qp.iter_mut())
            .zip(probabilities.iter())
        {
            *qp = row
                .iter()
                .zip(probabilities.iter())
                .map(|(q, p)| q * p)
                .sum();
            pqp += p * *qp;
        }
        // Written so that NaN stops the loop, as it stops libsvm's: all classes are then as likely.
        if !qp.iter().any(|qp| (qp - pqp).abs() >= epsilon) {
            break;
        }
        for (t, row) in q.chunks_exact(k).enumerate() {
            let step = (pqp - qp[t]) * inverse[t];
            probabilities[t] += step;
            let scale = 1.0 / (1.0 + step);
            pqp = (pqp + step * (step * row[t] + 2.0 * qp[t])) * scale * scale;
            for ((qp, p), q) in qp.iter_mut().zip(probabilities.iter_mut()).zip(row) {
                *qp = (*qp + step * q) * scale;
                *p *= scale;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn coupled(pairs: &[f64], n_classes: usize) -> Vec<f64> {
        let mut probabilities = vec![0.0; n_classes];
        couple(
            pairs,
            &mut probabilities,
            &mut vec![0.0; scratch_len(n_classes)],
        );
        probabilities
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
}
