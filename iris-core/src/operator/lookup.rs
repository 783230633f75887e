//! Tables in which LabelEncoder, CategoryMapper, OneHotEncoder and DictVectorizer look things up.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::Hash;

use tract_onnx::tract_hir::internal::*;

use crate::error;
use crate::error::Result;
use crate::guard::memory;
use crate::value::tensors;

/// A list of values of one type.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum List {
    Float(Vec<f32>),
    Double(Vec<f64>),
    Int16(Vec<i16>),
    Int32(Vec<i32>),
    Int64(Vec<i64>),
    String(Vec<String>),
}

/// Calls `$body` with `$values` bound to the vector inside `$list`.
macro_rules! with_list {
    ($list:expr, $values:ident => $body:expr) => {
        match $list {
            List::Float($values) => $body,
            List::Double($values) => $body,
            List::Int16($values) => $body,
            List::Int32($values) => $body,
            List::Int64($values) => $body,
            List::String($values) => $body,
        }
    };
}

impl List {
    pub(crate) fn strings(values: &[&str]) -> Self {
        Self::String(values.iter().map(|&text| text.into()).collect())
    }

    /// The elements of a 1-D tensor; `None` if it is of another rank or of a type that lists do not have.
    pub(crate) fn from_tensor(tensor: &Tensor) -> Option<Self> {
        if tensor.rank() != 1 {
            return None;
        }
        let view = tensor.as_plain_ram()?;
        Some(match tensor.datum_type() {
            DatumType::F32 => Self::Float(view.as_slice().ok()?.to_vec()),
            DatumType::F64 => Self::Double(view.as_slice().ok()?.to_vec()),
            DatumType::I16 => Self::Int16(view.as_slice().ok()?.to_vec()),
            DatumType::I32 => Self::Int32(view.as_slice().ok()?.to_vec()),
            DatumType::I64 => Self::Int64(view.as_slice().ok()?.to_vec()),
            DatumType::String => Self::String(view.as_slice().ok()?.to_vec()),
            _ => return None,
        })
    }

    pub(crate) fn len(&self) -> usize {
        with_list!(self, values => values.len())
    }

    pub(crate) fn datum_type(&self) -> DatumType {
        match self {
            Self::Float(_) => DatumType::F32,
            Self::Double(_) => DatumType::F64,
            Self::Int16(_) => DatumType::I16,
            Self::Int32(_) => DatumType::I32,
            Self::Int64(_) => DatumType::I64,
            Self::String(_) => DatumType::String,
        }
    }

    /// The list with `other`'s values behind its own; `None` if they are of another type.
    fn followed_by(self, other: Self) -> Option<Self> {
        macro_rules! join {
            ($($variant:ident),*) => {
                match (self, other) {
                    $((Self::$variant(mut values), Self::$variant(more)) => {
                        values.extend(more);
                        Some(Self::$variant(values))
                    })*
                    _ => None,
                }
            };
        }
        join!(Float, Double, Int16, Int32, Int64, String)
    }
}

/// Which of two places a key has that was given twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Repeated {
    First,
    Last,
}

/// For each of some keys of one type, its place in the list of them.
///
/// NaN is a key equal to itself, and -0 is the same key as 0.
#[derive(Debug)]
pub(crate) struct Places {
    by_key: ByKey,
    n_keys: usize,
}

#[derive(Debug)]
enum ByKey {
    Float(HashMap<u32, usize>),
    Double(HashMap<u64, usize>),
    Int16(HashMap<i16, usize>),
    Int32(HashMap<i32, usize>),
    Int64(HashMap<i64, usize>),
    String(HashMap<String, usize>),
}

impl Places {
    pub(crate) fn new(keys: List, repeated: Repeated) -> Self {
        let n_keys = keys.len();
        let by_key = match keys {
            List::Float(keys) => ByKey::Float(index(keys.into_iter().map(float_key), repeated)),
            List::Double(keys) => ByKey::Double(index(keys.into_iter().map(double_key), repeated)),
            List::Int16(keys) => ByKey::Int16(index(keys, repeated)),
            List::Int32(keys) => ByKey::Int32(index(keys, repeated)),
            List::Int64(keys) => ByKey::Int64(index(keys, repeated)),
            List::String(keys) => ByKey::String(index(keys, repeated)),
        };
        Self { by_key, n_keys }
    }

    /// How many keys were given, repeated ones included: all places are below.
    pub(crate) fn n_keys(&self) -> usize {
        self.n_keys
    }

    pub(crate) fn datum_type(&self) -> DatumType {
        match self.by_key {
            ByKey::Float(_) => DatumType::F32,
            ByKey::Double(_) => DatumType::F64,
            ByKey::Int16(_) => DatumType::I16,
            ByKey::Int32(_) => DatumType::I32,
            ByKey::Int64(_) => DatumType::I64,
            ByKey::String(_) => DatumType::String,
        }
    }

    /// Refuses an input that is not made of keys.
    pub(crate) fn check_input(&self, name: &str, got: DatumType) -> Result<()> {
        let expected = self.datum_type();
        if got == expected || (got == DatumType::TDim && expected == DatumType::I64) {
            return Ok(());
        }
        Err(error::invalid(format!(
            "input {name}: expected {expected:?}, which the keys are, got {got:?}"
        )))
    }

    /// Calls `see` with the place of each element of `input`, `None` for those that are no key.
    pub(crate) fn find(
        &self,
        input: &Tensor,
        mut see: impl FnMut(Option<usize>),
    ) -> TractResult<()> {
        let cast;
        let input = if input.datum_type() == DatumType::TDim {
            cast = input.cast_to::<i64>()?;
            &*cast
        } else {
            input
        };
        let view = input.try_as_plain_ram()?;
        macro_rules! find {
            ($by_key:expr, $element:ty, $key:expr) => {
                for element in view.as_slice::<$element>()? {
                    see($by_key.get(&$key(element)).copied());
                }
            };
        }
        match &self.by_key {
            ByKey::Float(by_key) => find!(by_key, f32, |&x| float_key(x)),
            ByKey::Double(by_key) => find!(by_key, f64, |&x| double_key(x)),
            ByKey::Int16(by_key) => find!(by_key, i16, |&x| x),
            ByKey::Int32(by_key) => find!(by_key, i32, |&x| x),
            ByKey::Int64(by_key) => find!(by_key, i64, |&x| x),
            ByKey::String(by_key) => {
                for text in view.as_slice::<String>()? {
                    see(by_key.get(text.as_str()).copied());
                }
            }
        }
        Ok(())
    }
}

fn index<K: Hash + Eq>(keys: impl IntoIterator<Item = K>, repeated: Repeated) -> HashMap<K, usize> {
    let mut by_key = HashMap::new();
    for (place, key) in keys.into_iter().enumerate() {
        match by_key.entry(key) {
            Entry::Occupied(_) if repeated == Repeated::First => {}
            Entry::Occupied(mut entry) => {
                entry.insert(place);
            }
            Entry::Vacant(entry) => {
                entry.insert(place);
            }
        }
    }
    by_key
}

fn float_key(x: f32) -> u32 {
    if x.is_nan() {
        f32::NAN.to_bits()
    } else {
        // Makes 0 of -0.
        (x + 0.0).to_bits()
    }
}

fn double_key(x: f64) -> u64 {
    if x.is_nan() {
        f64::NAN.to_bits()
    } else {
        (x + 0.0).to_bits()
    }
}

/// A value for each of some keys, and one for everything else.
#[derive(Debug)]
pub(crate) struct Lookup {
    places: Places,
    /// The values, and behind them the default.
    values: List,
}

impl Lookup {
    /// `default` is a list of one; `None` if there are not as many values as keys or the default is of another type.
    pub(crate) fn new(keys: List, values: List, default: List, repeated: Repeated) -> Option<Self> {
        let fits = keys.len() == values.len() && default.len() == 1;
        let values = values.followed_by(default)?;
        fits.then(|| Self {
            places: Places::new(keys, repeated),
            values,
        })
    }

    pub(crate) fn key_type(&self) -> DatumType {
        self.places.datum_type()
    }

    /// The output, of the input's shape; refuses an input that is not made of keys.
    pub(crate) fn output_fact(&self, input: &TypedFact) -> Result<TypedFact> {
        self.places.check_input("X", input.datum_type)?;
        Ok(self.values.datum_type().fact(input.shape.clone()))
    }

    /// The value of each element of `input`.
    pub(crate) fn apply(&self, input: &Tensor) -> TractResult<Tensor> {
        let mut places = Vec::with_capacity(input.len());
        let default = self.places.n_keys();
        self.places
            .find(input, |place| places.push(place.unwrap_or(default)))?;
        if let List::String(texts) = &self.values {
            memory::ask_for_texts(places.iter().map(|&place| texts[place].len()))?;
        }
        with_list!(&self.values, values => {
            tensors::from_vec(input.shape(), pick(values, &places))
        })
    }
}

fn pick<T: Clone>(values: &[T], places: &[usize]) -> Vec<T> {
    places.iter().map(|&place| values[place].clone()).collect()
}

/// A pair of tables, from integers to strings and back, of which the type of the input chooses one.
#[derive(Debug)]
pub(crate) struct TwoWay {
    from_ints: Lookup,
    from_strings: Lookup,
}

impl TwoWay {
    /// `None` if there are not as many integers as strings. Of repeated ones the last counts, as in onnxruntime.
    pub(crate) fn new(
        ints: &[i64],
        strings: &[&str],
        default_int: i64,
        default_string: &str,
    ) -> Option<Self> {
        let (ints, strings) = (List::Int64(ints.to_vec()), List::strings(strings));
        Some(Self {
            from_ints: Lookup::new(
                ints.clone(),
                strings.clone(),
                List::strings(&[default_string]),
                Repeated::Last,
            )?,
            from_strings: Lookup::new(
                strings,
                ints,
                List::Int64(vec![default_int]),
                Repeated::Last,
            )?,
        })
    }

    fn direction(&self, input: DatumType) -> &Lookup {
        if input == self.from_strings.key_type() {
            &self.from_strings
        } else {
            &self.from_ints
        }
    }

    pub(crate) fn output_fact(&self, input: &TypedFact) -> Result<TypedFact> {
        let got = input.datum_type;
        if !matches!(got, DatumType::String | DatumType::I64 | DatumType::TDim) {
            return Err(error::invalid(format!(
                "input X: expected int64 or string, got {got:?}"
            )));
        }
        self.direction(got).output_fact(input)
    }

    pub(crate) fn apply(&self, input: &Tensor) -> TractResult<Tensor> {
        self.direction(input.datum_type()).apply(input)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_places() {
        struct Case {
            keys: List,
            repeated: Repeated,
            input: Tensor,
            places: &'static [Option<usize>],
        }
        let cases = [
            Case {
                keys: List::Float(vec![1.0, f32::NAN, 0.0]),
                repeated: Repeated::First,
                input: tensor1(&[-0.0_f32, -f32::NAN, 1.0, 1.5]),
                places: &[Some(2), Some(1), Some(0), None],
            },
            Case {
                keys: List::Double(vec![f64::NAN, -0.0, f64::INFINITY]),
                repeated: Repeated::First,
                input: tensor1(&[0.0_f64, f64::NAN, f64::NEG_INFINITY]),
                places: &[Some(1), Some(0), None],
            },
            Case {
                keys: List::Int64(vec![7, 7, i64::MIN]),
                repeated: Repeated::First,
                input: tensor1(&[7_i64, i64::MIN, 0]),
                places: &[Some(0), Some(2), None],
            },
            Case {
                keys: List::strings(&["a", "b", "a"]),
                repeated: Repeated::Last,
                input: tensor1(&["a".to_owned(), "b".into(), "A".into(), String::new()]),
                places: &[Some(2), Some(1), None, None],
            },
            Case {
                keys: List::Int16(vec![]),
                repeated: Repeated::Last,
                input: tensor1(&[1_i16]),
                places: &[None],
            },
            Case {
                keys: List::Int32(vec![4]),
                repeated: Repeated::Last,
                input: tensor1::<i32>(&[]),
                places: &[],
            },
        ];
        for case in cases {
            let mut places = Vec::new();
            let table = Places::new(case.keys, case.repeated);
            table
                .find(&case.input, |place| places.push(place))
                .expect("the input is made of keys");
            assert_eq!(places, case.places, "{:?}", case.input);
        }
    }

    #[test]
    fn unknown_elements_get_the_default() {
        let keys = List::strings(&["a", "b"]);
        let default = List::Double(vec![-1.0]);
        let lookup = Lookup::new(keys, List::Double(vec![2.5, 0.0]), default, Repeated::First)
            .expect("a value for each key");
        let input = tensor2(&[["b".to_owned(), "c".into()], ["a".into(), "a".into()]]);
        let output = lookup.apply(&input).expect("strings are keys");
        assert_eq!(output, tensor2(&[[0.0_f64, -1.0], [2.5, 2.5]]));
    }

    #[test]
    fn refuses_unequal_lists() {
        let keys = || List::Int64(vec![1, 2]);
        let one = || List::Float(vec![0.0]);
        let first = Repeated::First;
        assert!(Lookup::new(keys(), one(), one(), first).is_none());
        let values = || List::Float(vec![0.0; 2]);
        assert!(Lookup::new(keys(), values(), values(), first).is_none());
        assert!(Lookup::new(keys(), values(), keys(), first).is_none());
        assert!(Lookup::new(keys(), values(), one(), first).is_some());
        assert!(TwoWay::new(&[1], &["a", "b"], -1, "").is_none());
    }
}
