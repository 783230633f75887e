//! [Hardmax](https://onnx.ai/onnx/operators/onnx__Hardmax.html), versions 1 to 13.
//!
//! `input` float16, float or double gives `output` of its type and shape: 1 at the first of the largest numbers, and 0 elsewhere,
//! along dimension `axis` or, before version 13, along all dimensions from `axis` on as if they were one. As in onnxruntime, NaN is
//! passed over, but for a line that begins with it, in which no number is marked.

use tract_onnx::tract_hir::internal::*;

use crate::error::Result;
use crate::kernels::along::Along;
use crate::onnx::attributes::Attributes;
use crate::operator::{Built, Operator, axes, facts};

#[derive(Debug)]
struct Hardmax {
    axis: i64,
    /// Whether the dimensions behind that of the axis belong to it.
    takes_rest: bool,
}

/// Before version 13.
pub(crate) fn build_1(attributes: &mut Attributes<'_>) -> Result<Built> {
    build(attributes, 1, true)
}

/// From version 13 on.
pub(crate) fn build_13(attributes: &mut Attributes<'_>) -> Result<Built> {
    build(attributes, -1, false)
}

fn build(attributes: &mut Attributes<'_>, default: i64, takes_rest: bool) -> Result<Built> {
    Ok(Built::operator(Hardmax {
        axis: attributes.axis("axis")?.unwrap_or(default),
        takes_rest,
    }))
}

impl Operator for Hardmax {
    fn output_facts(&self, inputs: &[&TypedFact]) -> Result<TVec<TypedFact>> {
        let [x] = facts::inputs(inputs)?;
        facts::check_float("input", x)?;
        axes::resolve(self.axis, x.rank())?;
        Ok(tvec![x.datum_type.fact(x.shape.iter())])
    }

    fn maps_rows(&self, rank: usize) -> bool {
        axes::resolve(self.axis, rank).is_ok_and(|axis| axis > 0)
    }

    fn eval(&self, inputs: &[TValue], _wanted: &[usize]) -> TractResult<TVec<TValue>> {
        let x = &inputs[0];
        let axis = axes::resolve(self.axis, x.rank())?;
        let mut along = Along::new(x.shape(), axis);
        if self.takes_rest {
            along.len *= along.inner;
            along.inner = 1;
        }
        Ok(tvec![axes::map_lines(x, along, &mark)?.into_tvalue()])
    }
}

/// Puts 1 in the place of the first of the largest numbers of a line, and 0 elsewhere.
fn mark(line: &mut [f64]) {
    let mut largest = 0;
    for (index, &x) in line.iter().enumerate() {
        if x > line[largest] {
            largest = index;
        }
    }
    let is_marked = line.first().is_some_and(|first| !first.is_nan());
    line.fill(0.0);
    if is_marked {
        line[largest] = 1.0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_the_first_of_the_largest() {
        const NAN: f64 = f64::NAN;
        for (line, expected) in [
            ([1.0, 3.0, 3.0], [0.0, 1.0, 0.0]),
            ([0.0, -0.0, -1.0], [1.0, 0.0, 0.0]),
            ([1.0, NAN, 2.0], [0.0, 0.0, 1.0]),
            ([NAN, 1.0, 2.0], [0.0; 3]),
        ] {
            let mut marked = line;
            mark(&mut marked);
            assert_eq!(marked, expected, "{line:?}");
        }
        mark(&mut []);
    }
}
