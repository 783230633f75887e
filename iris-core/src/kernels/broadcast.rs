//! How tensors whose shapes broadcast are gone through: line by line.

use smallvec::{SmallVec, smallvec};

/// As few as most tensors have dimensions, which are not worth a list on the heap.
type Few<T> = SmallVec<[T; 4]>;

/// What `N` tensors broadcast to, with as few dimensions as their elements can be counted in.
pub(crate) struct Lines<const N: usize> {
    /// Of what they broadcast to.
    pub(crate) shape: Few<usize>,
    /// All dimensions but that of the lines, each with how far apart the elements of each tensor are along it: 0 where it
    /// broadcasts.
    outer: Few<(usize, [usize; N])>,
    /// How many elements a line has.
    len: usize,
    /// How far apart they are: 0 or 1.
    pub(crate) steps: [usize; N],
}

impl<const N: usize> Lines<N> {
    /// `None` if the shapes do not broadcast.
    pub(crate) fn new(shapes: [&[usize]; N]) -> Option<Self> {
        let shape = broadcast(shapes)?;
        let mut strides = [1; N];
        // From the last dimension on.
        let mut dims: Few<(usize, [usize; N])> = smallvec![];
        for (from_end, &dim) in shape.iter().rev().enumerate() {
            let mut here = [0; N];
            for ((here, stride), shape) in here.iter_mut().zip(&mut strides).zip(shapes) {
                let own = shape.iter().rev().nth(from_end).copied().unwrap_or(1);
                if own == dim {
                    *here = *stride;
                }
                *stride *= own;
            }
            if dim == 1 {
                continue;
            }
            if let Some((inner, steps)) = dims.last_mut()
                && steps
                    .iter()
                    .zip(here)
                    .all(|(step, here)| step * *inner == here)
            {
                *inner *= dim;
            } else {
                dims.push((dim, here));
            }
        }
        dims.reverse();
        let (len, steps) = dims.pop().unwrap_or((1, [0; N]));
        Some(Self {
            shape,
            outer: dims,
            len,
            steps,
        })
    }

    /// Calls `f` with where each line begins in each tensor, and with its elements in `all`, one after the other.
    #[inline]
    pub(crate) fn for_each<'a, T>(
        &self,
        all: &'a mut [T],
        mut f: impl FnMut([usize; N], &'a mut [T]),
    ) {
        let mut index: Few<usize> = smallvec![0; self.outer.len()];
        let mut starts = [0; N];
        for line in all.chunks_mut(self.len.max(1)) {
            f(starts, line);
            self.advance(&mut index, &mut starts);
        }
    }

    /// To the next line.
    fn advance(&self, index: &mut [usize], starts: &mut [usize; N]) {
        for (index, (dim, strides)) in index.iter_mut().zip(&self.outer).rev() {
            *index += 1;
            let is_over = *index == *dim;
            for (start, stride) in starts.iter_mut().zip(strides) {
                *start += stride;
                if is_over {
                    *start -= stride * dim;
                }
            }
            if !is_over {
                return;
            }
            *index = 0;
        }
    }
}

/// The shape that `shapes` broadcast to.
fn broadcast<const N: usize>(shapes: [&[usize]; N]) -> Option<Few<usize>> {
    let rank = shapes.iter().map(|shape| shape.len()).max()?;
    let mut all: Few<usize> = smallvec![1; rank];
    for shape in shapes {
        for (all, &dim) in all.iter_mut().rev().zip(shape.iter().rev()) {
            match (*all, dim) {
                (1, _) => *all = dim,
                (_, 1) => {}
                (known, other) if known == other => {}
                _ => return None,
            }
        }
    }
    Some(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn broadcasts_as_numpy_does() {
        let shapes: [[&[usize]; 3]; 14] = [
            [&[], &[], &[]],
            [&[2, 3], &[2, 3], &[2, 3]],
            [&[2, 3], &[1, 1], &[2, 3]],
            [&[2, 3], &[], &[2, 3]],
            [&[2, 3], &[3], &[2, 3]],
            [&[1, 1], &[2, 3], &[2, 3]],
            [&[2, 3], &[1, 3], &[2, 3]],
            [&[2, 1], &[2, 3], &[2, 3]],
            [&[2, 1], &[1, 3], &[2, 3]],
            [&[2, 1, 4], &[1, 3, 4], &[2, 3, 4]],
            [&[2, 1, 4], &[1, 3, 1], &[2, 3, 4]],
            [&[0, 1, 4], &[1, 3, 4], &[0, 3, 4]],
            [&[2, 3, 1], &[1, 1, 4], &[2, 3, 4]],
            [&[5, 1, 2, 3], &[4, 1, 3], &[5, 4, 2, 3]],
        ];
        for [a_shape, b_shape, shape] in shapes {
            let lines = Lines::new([a_shape, b_shape]).expect("they broadcast");
            assert_eq!(lines.shape[..], *shape);
            let mut got = vec![[0; 2]; shape.iter().product()];
            lines.for_each(&mut got, |starts, line| {
                for (at, pair) in line.iter_mut().enumerate() {
                    *pair = [0, 1].map(|i| starts[i] + at * lines.steps[i]);
                }
            });
            let places = |of: &[usize]| {
                let places: Vec<usize> = (0..of.iter().product()).collect();
                ndarray::ArrayD::from_shape_vec(of, places).expect("its size")
            };
            let (a, b) = (places(a_shape), places(b_shape));
            let a = a.broadcast(shape).expect("broadcasts");
            let b = b.broadcast(shape).expect("broadcasts");
            let expected: Vec<[usize; 2]> = a.iter().zip(b.iter()).map(|(&a, &b)| [a, b]).collect();
            assert_eq!(got, expected, "{a_shape:?} {b_shape:?}");
        }
        assert!(Lines::new([&[2, 3], &[2]]).is_none());
    }

    #[test]
    fn lines_are_as_long_as_can_be() {
        let line = |shapes| {
            let lines = Lines::<2>::new(shapes).expect("they broadcast");
            (lines.outer.len(), lines.len, lines.steps)
        };
        assert_eq!(line([&[4, 5, 6], &[4, 5, 6]]), (0, 120, [1, 1]));
        assert_eq!(line([&[4, 5, 6], &[1]]), (0, 120, [1, 0]));
        assert_eq!(line([&[4, 5, 6], &[5, 6]]), (1, 30, [1, 1]));
        assert_eq!(line([&[4, 5, 6], &[4, 1, 1]]), (1, 30, [1, 0]));
        assert_eq!(line([&[1, 1], &[1]]), (0, 1, [0, 0]));
    }
}
