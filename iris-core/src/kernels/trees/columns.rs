//! The columns that trees look at: features, and the negatives of features.

use std::collections::HashMap;

use crate::kernels::trees::key::{Key, Keyed, column_key};

/// A feature or its negative.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Column {
    pub(crate) feature: u32,
    pub(crate) is_negated: bool,
}

/// The columns in use, each once.
#[derive(Debug, Default)]
pub(crate) struct Columns {
    in_use: Vec<Column>,
    /// One more than the indices of the features below [`FEW_FEATURES`] and of their negatives; 0 if not in use.
    of_first_features: Vec<[usize; 2]>,
    /// The same for other features.
    of_others: HashMap<Column, usize>,
}

/// How many features have their indices in a table, which is faster than a map.
const FEW_FEATURES: usize = 1 << 12;

impl Columns {
    /// The index of `column`, which is added if it is new.
    pub(crate) fn index(&mut self, column: Column) -> usize {
        let feature = column.feature as usize;
        let index = if feature < FEW_FEATURES {
            if feature >= self.of_first_features.len() {
                self.of_first_features.resize(feature + 1, [0; 2]);
            }
            &mut self.of_first_features[feature][usize::from(column.is_negated)]
        } else {
            self.of_others.entry(column).or_default()
        };
        if *index == 0 {
            self.in_use.push(column);
            *index = self.in_use.len();
        }
        *index - 1
    }

    pub(crate) fn into_vec(self) -> Vec<Column> {
        self.in_use
    }
}

/// Fills a row of `columns` with the keys of a sample, `[n_features]`.
pub(crate) fn fill_row<T: Keyed>(columns: &[Column], sample: &[T], row: &mut [T::Key]) {
    for (slot, column) in row.iter_mut().zip(columns) {
        *slot = column_key(sample[column.feature as usize].key(), column.is_negated);
    }
}

/// Fills a table, `[n_columns, ROWS]`, with what `convert` makes of the keys of up to `ROWS` samples, `[n_samples, n_features]`.
pub(crate) fn fill_table<K: Key, T, const ROWS: usize>(
    columns: &[Column],
    samples: &[K],
    n_features: usize,
    table: &mut [[T; ROWS]],
    convert: impl Fn(K) -> T,
) {
    for (slots, column) in table.iter_mut().zip(columns) {
        let feature = column.feature as usize;
        let keys = samples.chunks_exact(n_features).map(|keys| keys[feature]);
        let slots = slots.iter_mut();
        if column.is_negated {
            slots
                .zip(keys)
                .for_each(|(slot, key)| *slot = convert(column_key(key, true)));
        } else {
            slots.zip(keys).for_each(|(slot, key)| *slot = convert(key));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_features_and_negatives() {
        let mut columns = Columns::default();
        let plain = |feature| Column {
            feature,
            is_negated: false,
        };
        let negated = Column {
            feature: 2,
            is_negated: true,
        };
        let indices = [plain(2), negated, plain(0), plain(2)].map(|column| columns.index(column));
        assert_eq!(indices, [0, 1, 2, 0]);
        let indices =
            [plain(1 << 30), plain(2), plain(1 << 30)].map(|column| columns.index(column));
        assert_eq!(indices, [3, 0, 3]);
        let columns = &columns.into_vec()[..3];
        let samples = [5.0_f32, 6.0, 7.0, 8.0, 9.0, f32::NAN];
        let keys = samples.map(Keyed::key);
        let mut row = [0; 4];
        fill_row(columns, &samples[..3], &mut row);
        assert_eq!(row, [keys[2], !keys[2], keys[0], 0]);
        let mut table = [[1; 4]; 3];
        fill_table(columns, &keys, 3, &mut table, |key| key);
        assert_eq!(table[0], [keys[2], u32::MAX, 1, 1]);
        assert_eq!(table[1], [!keys[2], u32::MAX, 1, 1]);
        assert_eq!(table[2], [keys[0], keys[3], 1, 1]);
    }
}
