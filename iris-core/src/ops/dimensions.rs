//! Symbolic dimensions within bounds.
//!
//! tract counts what depends on the sizes of inputs in expressions of symbols. It simplifies them by recursion, in time that
//! grows by a power of their length, and multiplies their factors in 64 bits, whatever becomes of it. A file can make them
//! as long, as deep and as large as it likes, so each dimension is looked at before an operator is given it.

use tract_onnx::tract_hir::internal::*;
use tract_onnx::tract_hir::tract_core::ops::cast::wire_cast;

use super::operator::{Operator, wire_operator};
use super::tensors::{from_vec, inputs as inputs_of, invalid};
use super::whole_numbers::whole_numbers;
use crate::error::{Error, Result};

/// Symbols and numbers of one dimension. Fifty widths that are not known, side by side, are 50.
const MOST_TERMS: usize = 64;
/// Expressions within each other. A slice of a slice of padded rows has five.
const MOST_DEPTH: usize = 16;
/// Factors and divisors around one symbol, multiplied: the next operator's, below 2³², is to fit into 64 bits with them.
const MOST_FACTOR: u64 = 1 << 31;
/// A number in a sum: more elements than fit into any memory.
const MOST_NUMBER: u64 = 1 << 44;

/// Refuses a dimension that is made of too many others.
pub(super) fn check(dim: &TDim) -> Result<()> {
    if matches!(dim, TDim::Val(_) | TDim::Sym(_)) {
        return Ok(());
    }
    let mut n_terms = 0;
    let mut left = vec![(dim, 0, 1_u64)];
    while let Some((dim, depth, factor)) = left.pop() {
        if depth > MOST_DEPTH {
            return Err(too_complex(format_args!("{MOST_DEPTH} others deep")));
        }
        let multiplied = |by: u64| {
            let product = factor.checked_mul(by.max(1));
            product
                .filter(|&product| product <= MOST_FACTOR)
                .ok_or_else(|| too_complex(format_args!("with factors above {MOST_FACTOR}")))
        };
        match dim {
            TDim::Val(number) if depth > 0 && number.unsigned_abs() > MOST_NUMBER => {
                return Err(too_complex(format_args!(
                    "with numbers above {MOST_NUMBER}"
                )));
            }
            TDim::Val(_) | TDim::Sym(_) => {
                n_terms += 1;
                if n_terms > MOST_TERMS {
                    return Err(too_complex(format_args!(
                        "from more than {MOST_TERMS} others"
                    )));
                }
            }
            TDim::Add(terms)
            | TDim::Mul(terms)
            | TDim::Broadcast(terms)
            | TDim::Min(terms)
            | TDim::Max(terms) => {
                if terms.len() > MOST_TERMS {
                    return Err(too_complex(format_args!(
                        "from more than {MOST_TERMS} others"
                    )));
                }
                left.extend(terms.iter().map(|term| (term, depth + 1, factor)));
            }
            TDim::MulInt(by, dim) => {
                left.push((dim, depth + 1, multiplied(by.unsigned_abs())?));
            }
            TDim::Div(dim, by) => left.push((dim, depth + 1, multiplied(*by)?)),
            TDim::Ge(a, b) | TDim::Eq(a, b) => {
                left.extend([(&**a, depth + 1, factor), (&**b, depth + 1, factor)]);
            }
        }
    }
    Ok(())
}

fn too_complex(how: std::fmt::Arguments<'_>) -> Error {
    invalid(format!("a dimension is computed {how}"))
}

/// Refuses numbers that do not fit into 64 bits with what a dimension that has passed [`check`] is made of: in sums, or else in
/// products and quotients.
pub(super) fn check_numbers(is_sum: bool, a: &TDim, b: &TDim) -> Result<()> {
    let most = if is_sum { MOST_NUMBER } else { MOST_FACTOR };
    for (dim, other) in [(a, b), (b, a)] {
        if let (TDim::Val(number), Err(_)) = (dim, other.to_i64())
            && number.unsigned_abs() > most
        {
            let message = format!("{number} and a dimension that is not known: more than {most}");
            return Err(invalid(message));
        }
    }
    Ok(())
}

/// Whether a dimension is a number that no size comes near to.
pub(super) fn is_far(dim: &TDim) -> bool {
    dim.to_i64()
        .is_ok_and(|number| number.unsigned_abs() > MOST_NUMBER)
}

/// As [`check`], for each dimension among the elements of a tensor.
pub(super) fn check_elements(tensor: &Tensor) -> TractResult<()> {
    let dims = tensor.as_plain_ram();
    let dims = dims.as_ref().and_then(|dims| dims.as_slice::<TDim>().ok());
    for dim in dims.into_iter().flatten() {
        check(dim)?;
    }
    Ok(())
}

/// Whole numbers as dimensions. tract's own conversion cuts them off to 32 bits.
pub(super) fn of_tensor(numbers: &Tensor) -> TractResult<Tensor> {
    if numbers.datum_type() == DatumType::TDim {
        return Ok(numbers.clone());
    }
    let dims = whole_numbers(numbers)?.into_iter().map(TDim::from);
    from_vec(numbers.shape(), dims.collect())
}

/// Wires `operands` in the type `both`, which holds the types of all of them.
pub(super) fn wire_in_one_type(
    name: &str,
    model: &mut TypedModel,
    operands: &[OutletId],
    both: DatumType,
) -> TractResult<TVec<OutletId>> {
    if both != DatumType::TDim {
        return wire_cast(name, model, operands, both);
    }
    let mut wires = tvec![];
    for (index, &operand) in operands.iter().enumerate() {
        let name = format!("{name}.dims_{index}");
        let fact = model.outlet_fact(operand)?;
        wires.push(match &fact.konst {
            _ if fact.datum_type == both => operand,
            Some(numbers) => {
                let dims = of_tensor(numbers)?;
                model.add_const(name, dims)?
            }
            None => wire_operator("Cast", &name, model, ToDimensions, &[operand])?[0],
        });
    }
    Ok(wires)
}

/// Numbers as dimensions.
#[derive(Debug)]
struct ToDimensions;

impl Operator for ToDimensions {
    fn output_facts(&self, inputs: &[&TypedFact]) -> Result<TVec<TypedFact>> {
        let [numbers] = inputs_of(inputs)?;
        Ok(tvec![DatumType::TDim.fact(numbers.shape.clone())])
    }

    fn eval(&self, inputs: &[TValue], _wanted: &[usize]) -> TractResult<TVec<TValue>> {
        Ok(tvec![of_tensor(&inputs[0])?.into_tvalue()])
    }
}

/// The size of a dimension that has passed [`check`], or `None` where a symbol of it has no value.
///
/// # Errors
/// If the size does not fit into 64 bits.
pub(crate) fn size(dim: &TDim, symbols: &SymbolValues) -> Result<Option<i64>> {
    let too_large = || invalid("a dimension is larger than 64 bits can count");
    let folded = |terms: &[TDim], first: i64, f: fn(i64, i64) -> Option<i64>| {
        let mut all = Some(first);
        for term in terms {
            let size = size(term, symbols)?;
            all = match (all, size) {
                (Some(all), Some(size)) => Some(f(all, size).ok_or_else(too_large)?),
                _ => None,
            };
        }
        Ok(all)
    };
    let compared = |a: &TDim, b: &TDim, f: fn(i64, i64) -> bool| {
        let (a, b) = (size(a, symbols)?, size(b, symbols)?);
        Ok(a.zip(b).map(|(a, b)| f(a, b).into()))
    };
    match dim {
        TDim::Val(size) => Ok(Some(*size)),
        TDim::Sym(symbol) => Ok(symbols.get(symbol)),
        TDim::Add(terms) => folded(terms, 0, i64::checked_add),
        TDim::Mul(terms) => folded(terms, 1, i64::checked_mul),
        TDim::Min(terms) => folded(terms, i64::MAX, |a, b| Some(a.min(b))),
        TDim::Max(terms) => folded(terms, i64::MIN, |a, b| Some(a.max(b))),
        // Sizes that broadcast to each other are the same, or 1.
        TDim::Broadcast(terms) => folded(terms, 1, |a, b| Some(if a == 1 { b } else { a })),
        TDim::MulInt(by, dim) => match size(dim, symbols)? {
            Some(size) => size.checked_mul(*by).map(Some).ok_or_else(too_large),
            None => Ok(None),
        },
        TDim::Div(dim, by) => {
            let by = i64::try_from(*by).map_err(|_| too_large())?;
            let size = size(dim, symbols)?;
            size.map(|size| size.checked_div(by).ok_or_else(too_large))
                .transpose()
        }
        TDim::Ge(a, b) => compared(a, b, |a, b| a >= b),
        TDim::Eq(a, b) => compared(a, b, |a, b| a == b),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_length_depth_and_factors() {
        let scope = SymbolScope::default();
        let n = scope.sym("n").to_dim();
        let mut fine = vec![n.clone(), 7.to_dim(), i64::MAX.to_dim()];
        fine.push((n.clone() * 3 + 5) / 2);
        fine.push(n.clone() * (1 << 31));
        for dim in fine {
            assert!(check(&dim).is_ok(), "{dim}");
        }
        assert!(check(&(n.clone() * (1_i64 << 32))).is_err());
        assert!(check(&(n.clone() / (1_u64 << 32))).is_err());
        assert!(check(&(n.clone() + (1_i64 << 45))).is_err());
        let many = (0..=MOST_TERMS).map(|index| scope.sym(&format!("s{index}")).to_dim());
        assert!(check(&many.sum::<TDim>()).is_err());
        let mut deep = n.clone();
        for _ in 0..=MOST_DEPTH {
            deep = (deep * 3 + 1) / 2;
        }
        assert!(check(&deep).is_err());
    }

    #[test]
    fn numbers_are_not_cut_off() {
        for number in [0, -1, 1 << 31, (1 << 32) + 1, i64::MAX, i64::MIN] {
            let dims = of_tensor(&tensor1(&[number])).expect("whole numbers");
            assert_eq!(dims, tensor1(&[number.to_dim()]));
        }
    }

    #[test]
    fn sizes_fit_into_64_bits() {
        let scope = SymbolScope::default();
        let symbol = scope.sym("n");
        let n = symbol.to_dim();
        let mut symbols = SymbolValues::default();
        let product = n.clone() * &n * &n;
        assert_eq!(size(&product, &symbols).expect("is not known"), None);
        symbols.set(&symbol, 10);
        for (dim, expected) in [
            (n.clone(), 10),
            (product.clone(), 1000),
            ((n.clone() * 3 + 5) / 2, 17),
            (n.clone().mini(4.to_dim()), 4),
            (n.clone().maxi(4.to_dim()), 10),
        ] {
            assert_eq!(size(&dim, &symbols).expect("fits"), Some(expected), "{dim}");
        }
        symbols.set(&symbol, 1 << 22);
        assert!(size(&product, &symbols).is_err());
    }
}
