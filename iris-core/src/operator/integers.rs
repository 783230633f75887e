//! Whole numbers of any type in 64 bits: what is computed of them is compiled once.

use tract_onnx::tract_hir::internal::*;

/// The elements of `x` as `i64`; what does not fit wraps around.
pub(crate) fn whole_numbers(x: &Tensor) -> TractResult<Vec<i64>> {
    let x = x.cast_to::<i64>()?;
    Ok(x.try_as_plain_ram()?.as_slice::<i64>()?.to_vec())
}

/// `i64` keys in the order of the elements of `x`: the elements themselves, with the sign bit flipped for uint64.
pub(crate) fn in_order(x: &Tensor) -> TractResult<Vec<i64>> {
    let mut numbers = whole_numbers(x)?;
    if x.datum_type() == DatumType::U64 {
        numbers.iter_mut().for_each(|number| *number ^= i64::MIN);
    }
    Ok(numbers)
}

/// The least and the greatest that [`in_order`] gives of a type.
pub(crate) fn limits(datum_type: DatumType) -> [i64; 2] {
    match datum_type {
        DatumType::Bool => [0, 1],
        DatumType::I8 => [i8::MIN.into(), i8::MAX.into()],
        DatumType::I16 => [i16::MIN.into(), i16::MAX.into()],
        DatumType::I32 => [i32::MIN.into(), i32::MAX.into()],
        DatumType::U8 => [0, u8::MAX.into()],
        DatumType::U16 => [0, u16::MAX.into()],
        DatumType::U32 => [0, u32::MAX.into()],
        _ => [i64::MIN, i64::MAX],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_is_kept() {
        let x = [0, 1, u64::MAX / 2, u64::MAX / 2 + 1, u64::MAX];
        assert!(
            in_order(&tensor1(&x))
                .expect("numbers")
                .is_sorted_by(|a, b| a < b)
        );
        assert_eq!(
            in_order(&tensor1(&[i8::MIN, 5])).expect("numbers"),
            [-128, 5]
        );
        assert_eq!(whole_numbers(&tensor1(&[u64::MAX])).expect("numbers"), [-1]);
        assert_eq!(in_order(&tensor1(&[true, false])).expect("truths"), [1, 0]);
    }
}
