//! Symbolic dimensions within bounds.
//!
//! tract counts what depends on the sizes of inputs in expressions of symbols. It simplifies them by recursion, in time that
//! grows exponentially with their depth, and multiplies their factors in 64 bits, whatever becomes of it. A file can make
//! them as long, as deep and as large as it likes, so each dimension is looked at before an operator is given it: one that is
//! not [simple](is_simple) gets a symbol of its own, which a run gives the size it finds.

use tract_onnx::tract_hir::internal::*;

use crate::error::{Error, Result, invalid};
use crate::guard::budget;
use crate::operator::integers::whole_numbers;
use crate::value::tensors::from_vec;

/// How large a dimension may be that is not a number.
struct Bounds {
    /// Symbols and numbers.
    terms: usize,
    /// Expressions within each other.
    depth: usize,
    /// Factors and divisors around one symbol, multiplied.
    factor: u64,
    /// A number in a sum.
    number: u64,
}

/// What an operator may give. Fifty widths that are not known, side by side, are 50 terms. The next operator's factor, below
/// 2³², is to fit into 64 bits with those that there are, and no memory holds as many elements as the number says.
const MOST: Bounds = Bounds {
    terms: 64,
    depth: 16,
    factor: 1 << 31,
    number: 1 << 44,
};

/// What an operator may be given: tract divides it in some micro-seconds. A slice of a slice of padded rows is five deep.
const SIMPLE: Bounds = Bounds {
    terms: 8,
    depth: 5,
    factor: 1 << 20,
    number: 1 << 40,
};

/// Refuses a dimension that is made of too many others.
pub(crate) fn check(dim: &TDim) -> Result<()> {
    check_within(dim, &MOST)
}

/// Whether it takes tract little to compute with a dimension.
pub(crate) fn is_simple(dim: &TDim) -> bool {
    check_within(dim, &SIMPLE).is_ok()
}

fn check_within(dim: &TDim, most: &Bounds) -> Result<()> {
    if matches!(dim, TDim::Val(_) | TDim::Sym(_)) {
        return Ok(());
    }
    let too_many = || too_complex(format_args!("from more than {} others", most.terms));
    let mut n_terms = 0;
    let mut left = vec![(dim, 0, 1_u64)];
    while let Some((dim, depth, factor)) = left.pop() {
        if depth > most.depth {
            return Err(too_complex(format_args!("{} others deep", most.depth)));
        }
        let multiplied = |by: u64| {
            let product = factor.checked_mul(by.max(1));
            product
                .filter(|&product| product <= most.factor)
                .ok_or_else(|| too_complex(format_args!("with factors above {}", most.factor)))
        };
        match dim {
            TDim::Val(number) if depth > 0 && number.unsigned_abs() > most.number => {
                return Err(too_complex(format_args!(
                    "with numbers above {}",
                    most.number
                )));
            }
            TDim::Val(_) | TDim::Sym(_) => {
                n_terms += 1;
                if n_terms > most.terms {
                    return Err(too_many());
                }
            }
            TDim::Add(terms)
            | TDim::Mul(terms)
            | TDim::Broadcast(terms)
            | TDim::Min(terms)
            | TDim::Max(terms) => {
                if terms.len() > most.terms {
                    return Err(too_many());
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
pub(crate) fn check_numbers(is_sum: bool, a: &TDim, b: &TDim) -> Result<()> {
    let most = if is_sum { MOST.number } else { MOST.factor };
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
pub(crate) fn is_far(dim: &TDim) -> bool {
    dim.to_i64()
        .is_ok_and(|number| number.unsigned_abs() > MOST.number)
}

/// As [`check`], for each dimension among the elements of a tensor.
pub(crate) fn check_elements(tensor: &Tensor) -> Result<()> {
    if tensor.datum_type() != DatumType::TDim {
        return Ok(());
    }
    let dims = tensor.as_plain_ram();
    let dims = dims.as_ref().and_then(|dims| dims.as_slice::<TDim>().ok());
    dims.into_iter().flatten().try_for_each(check)
}

/// Checks what is known of the size of a tensor, each dimension of it and the product of those that are numbers, and gives
/// this, in bytes.
pub(crate) fn check_fact(fact: &TypedFact) -> Result<usize> {
    fact.shape.iter().try_for_each(check)?;
    if let Some(constant) = &fact.konst {
        check_elements(constant)?;
    }
    let sizes = fact.shape.iter().filter_map(|dim| dim.to_i64().ok());
    budget::check_tensor(sizes, fact.datum_type.size_of())
}

/// Whole numbers as dimensions. tract's own conversion cuts them off to 32 bits.
pub(crate) fn of_tensor(numbers: &Tensor) -> TractResult<Tensor> {
    if numbers.datum_type() == DatumType::TDim {
        return Ok(numbers.clone());
    }
    let dims = whole_numbers(numbers)?.into_iter().map(TDim::from);
    from_vec(numbers.shape(), dims.collect())
}

/// The shape that dimensions which have passed [`check`] stand for, of a tensor that may be made.
///
/// # Errors
/// If one of them is not known, negative or too large, or all of them together are.
pub(crate) fn shape(dims: &[TDim], symbols: &SymbolValues, element: usize) -> Result<TVec<usize>> {
    let sizes = dims.iter().map(|dim| {
        let size = size(dim, symbols)?;
        size.ok_or_else(|| Error::input("a dimension that is needed is not known"))
    });
    let sizes: TVec<i64> = sizes.collect::<Result<_>>()?;
    if let Some(size) = sizes.iter().find(|&&size| size < 0) {
        let message = format!("a tensor would have {size} elements along a dimension");
        return Err(Error::input(message));
    }
    budget::check_tensor(sizes.iter().copied(), element)?;
    Ok(sizes.into_iter().map(|size| size as usize).collect())
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
        let many = (0..=MOST.terms).map(|index| scope.sym(&format!("s{index}")).to_dim());
        assert!(check(&many.sum::<TDim>()).is_err());
        let mut deep = n.clone();
        for _ in 0..=MOST.depth {
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
