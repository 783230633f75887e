//! [LabelEncoder](https://onnx.ai/onnx/operators/onnx_aionnxml_LabelEncoder.html), versions 1, 2 and 4.
//!
//! `X` of any shape gives `Y` of the same shape: for each element the value of the key that it equals, or the default.
//! - Version 1: int64 to string and back, the integers being places in `classes_strings`; of a repeated string the last
//!   place counts.
//! - Version 2: any of float, int64 and string to any of them.
//! - Version 4: lists as tensors, too, and so double, int16 and int32.
//!
//! Of a repeated key the first value counts (from version 2 on), as in onnxruntime. A NaN key equals NaN in every
//! version: skl2onnx's OrdinalEncoder means it so, while onnxruntime finds no NaN before version 4. The defaults of
//! version 4's other types follow onnxruntime: `default_float` and `default_int64` belong to float and int64 alone.

use tract_onnx::tract_hir::internal::*;

use crate::error::Result;
use crate::onnx::attributes::Attributes;
use crate::operator::lookup::{List, Lookup, Repeated, TwoWay};
use crate::operator::{Built, Operator, facts};

/// The defaults that the specification gives to unknown elements.
pub(crate) const DEFAULT_INT: i64 = -1;
pub(crate) const DEFAULT_STRING: &str = "_Unused";

#[derive(Debug)]
enum LabelEncoder {
    Classes(TwoWay),
    Pairs(Lookup),
}

pub(crate) fn build_1(attributes: &mut Attributes<'_>) -> Result<Built> {
    let name = "classes_strings";
    if !attributes.is_given(name) {
        return Err(attributes.invalid(name, "missing"));
    }
    let strings = attributes.strings(name)?;
    let places: Vec<i64> = (0..).take(strings.len()).collect();
    let default_int = attributes.int("default_int64")?.unwrap_or(DEFAULT_INT);
    let default_string = attributes
        .string("default_string")?
        .unwrap_or(DEFAULT_STRING);
    let classes = TwoWay::new(&places, &strings, default_int, default_string)
        .ok_or_else(|| attributes.invalid(name, "more strings than there are integers"))?;
    Ok(Built::operator(LabelEncoder::Classes(classes)))
}

pub(crate) fn build_2(attributes: &mut Attributes<'_>) -> Result<Built> {
    let lookup = Pairs::read(attributes, false)?.check(attributes)?;
    Ok(Built::operator(LabelEncoder::Pairs(lookup)))
}

pub(crate) fn build_4(attributes: &mut Attributes<'_>) -> Result<Built> {
    let lookup = Pairs::read(attributes, true)?.check(attributes)?;
    Ok(Built::operator(LabelEncoder::Pairs(lookup)))
}

/// The attributes from version 2 on.
struct Pairs {
    keys: List,
    values: List,
    default: List,
}

impl Pairs {
    fn read(attributes: &mut Attributes<'_>, tensors: bool) -> Result<Self> {
        let keys = list(attributes, "keys", tensors)?;
        let values = list(attributes, "values", tensors)?;
        let float = attributes.float("default_float")?.unwrap_or(-0.0);
        let int = attributes.int("default_int64")?.unwrap_or(DEFAULT_INT);
        let string = attributes
            .string("default_string")?
            .unwrap_or(DEFAULT_STRING);
        let given = if tensors {
            attributes.tensor("default_tensor")?
        } else {
            None
        };
        let default = match (given, &values) {
            (Some(tensor), _) => List::from_tensor(&tensor)
                .filter(|default| default.len() == 1)
                .ok_or_else(|| attributes.invalid("default_tensor", "expected 1 value"))?,
            (None, List::Float(_)) => List::Float(vec![float]),
            (None, List::Double(_)) => List::Double(vec![-0.0]),
            (None, List::Int16(_)) => List::Int16(vec![-1]),
            (None, List::Int32(_)) => List::Int32(vec![-1]),
            (None, List::Int64(_)) => List::Int64(vec![int]),
            (None, List::String(_)) => List::strings(&[string]),
        };
        Ok(Self {
            keys,
            values,
            default,
        })
    }

    fn check(self, attributes: &Attributes<'_>) -> Result<Lookup> {
        attributes.check_len("values_*", self.values.len(), self.keys.len())?;
        let (values, default) = (self.values.datum_type(), self.default.datum_type());
        Lookup::new(self.keys, self.values, self.default, Repeated::First).ok_or_else(|| {
            attributes.invalid(
                "default_tensor",
                format!("expected {values:?}, which the values are, got {default:?}"),
            )
        })
    }
}

/// Reads the one of `{what}_floats`, `{what}_int64s`, `{what}_strings` and, if `tensors` may be, `{what}_tensor` that is
/// there.
fn list(attributes: &mut Attributes<'_>, what: &str, tensors: bool) -> Result<List> {
    let [floats, ints, strings, tensor] =
        ["floats", "int64s", "strings", "tensor"].map(|kind| format!("{what}_{kind}"));
    let mut given = Vec::new();
    if attributes.is_given(&floats) {
        given.push(List::Float(attributes.floats(&floats)?.to_vec()));
    }
    if attributes.is_given(&ints) {
        given.push(List::Int64(attributes.ints(&ints)?.to_vec()));
    }
    if attributes.is_given(&strings) {
        given.push(List::strings(&attributes.strings(&strings)?));
    }
    if tensors && let Some(values) = attributes.tensor(&tensor)? {
        let list = List::from_tensor(&values).ok_or_else(|| {
            let message = format!(
                "expected 1 dimension of float, double, int16, int32, int64 or string, got {values:?}"
            );
            attributes.invalid(&tensor, message)
        })?;
        given.push(list);
    }
    let n_given = given.len();
    match given.pop() {
        Some(list) if n_given == 1 => Ok(list),
        _ => Err(attributes.invalid(
            &format!("{what}_*"),
            format!("expected one list, got {n_given}"),
        )),
    }
}

impl Operator for LabelEncoder {
    fn output_facts(&self, inputs: &[&TypedFact]) -> Result<TVec<TypedFact>> {
        let [x] = facts::inputs(inputs)?;
        Ok(tvec![match self {
            Self::Classes(classes) => classes.output_fact(x)?,
            Self::Pairs(pairs) => pairs.output_fact(x)?,
        }])
    }

    fn maps_rows(&self, _rank: usize) -> bool {
        true
    }

    fn eval(&self, inputs: &[TValue], _wanted: &[usize]) -> TractResult<TVec<TValue>> {
        let y = match self {
            Self::Classes(classes) => classes.apply(&inputs[0])?,
            Self::Pairs(pairs) => pairs.apply(&inputs[0])?,
        };
        Ok(tvec![y.into_tvalue()])
    }
}
