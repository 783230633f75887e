//! The `values` of a request: a JSON list of rows, each a list of numbers, read into one flat vector.

use iris_core::Rows;
use serde::de::{Error, SeqAccess};

use crate::event::json_reader::{Glimpse, Read, Reading};
use crate::event::position::Position;

/// The most rows that one request may have. A body of 6 MiB has room for more only if a row takes less than 63 bytes; the
/// limit is there so that the memory and time of one request have a bound that a caller can be told.
pub(crate) const MAX_ROWS: usize = 100_000;

/// A batch `[n_samples, n_features]` of numbers, row by row.
#[derive(Debug, PartialEq)]
pub(crate) struct Values {
    numbers: Vec<f64>,
    n_samples: usize,
    n_features: usize,
}

impl Rows for Values {
    type Element = f64;
    fn n_samples(&self) -> usize {
        self.n_samples
    }
    fn n_features(&self, _row: usize) -> usize {
        self.n_features
    }
    fn fixed_width(&self) -> Option<usize> {
        Some(self.n_features)
    }
    fn get(&self, row: usize, column: usize) -> f64 {
        self.numbers[row * self.n_features + column]
    }
    fn contiguous(&self) -> Option<&[f64]> {
        Some(&self.numbers)
    }
}

/// Reads the `values` of a request; null counts as no values.
pub(crate) struct ReadValues<'p> {
    pub(crate) position: &'p mut Position,
    /// The width of every row where the model fixes it; else the first row fixes it.
    pub(crate) n_features: Option<usize>,
}

impl<'de> Read<'de> for ReadValues<'_> {
    type Out = Option<Values>;

    fn other<E: Error>(self, got: Glimpse<'de>) -> Result<Option<Values>, E> {
        match got {
            Glimpse::Null => Ok(None),
            got => Err(self.position.stop(format_args!(
                "values: expected a list of rows, got {}",
                got.kind()
            ))),
        }
    }

    fn list<A: SeqAccess<'de>>(self, mut rows: A) -> Result<Option<Values>, A::Error> {
        let position = self.position;
        let mut numbers = Vec::new();
        let mut width = self.n_features;
        let mut row = 0;
        loop {
            position.enter_row(row);
            let next = ReadRow {
                position,
                row,
                width,
                numbers: &mut numbers,
            };
            let Some(n_features) = rows.next_element_seed(Reading(next))? else {
                break;
            };
            width = Some(n_features);
            row += 1;
        }
        position.leave();
        match width {
            Some(n_features) if row > 0 => Ok(Some(Values {
                numbers,
                n_samples: row,
                n_features,
            })),
            _ => Err(position.stop("values: expected at least one row, got an empty list")),
        }
    }
}

/// Reads one row onto the end of `numbers`; what comes of it is the row's width.
struct ReadRow<'p> {
    position: &'p mut Position,
    row: usize,
    width: Option<usize>,
    numbers: &'p mut Vec<f64>,
}

impl<'de> Read<'de> for ReadRow<'_> {
    type Out = usize;

    fn other<E: Error>(self, got: Glimpse<'de>) -> Result<usize, E> {
        Err(self.position.stop(format_args!(
            "expected a list of numbers, got {}",
            got.kind()
        )))
    }

    fn list<A: SeqAccess<'de>>(self, mut cells: A) -> Result<usize, A::Error> {
        let Self {
            position,
            row,
            width,
            numbers,
        } = self;
        if row == MAX_ROWS {
            return Err(position.stop(format_args!("one request may have at most {MAX_ROWS} rows")));
        }
        let mut column = 0;
        loop {
            position.enter_cell(row, column);
            match cells.next_element()? {
                None => break,
                Some(Glimpse::Number(number)) => numbers.push(number),
                Some(got) => {
                    return Err(
                        position.stop(format_args!("expected a number, got {}", got.kind()))
                    );
                }
            }
            column += 1;
        }
        position.enter_row(row);
        match width {
            Some(width) if column != width => {
                Err(position.stop(format_args!("expected {width} columns, got {column}")))
            }
            None if column == 0 => {
                Err(position.stop("expected a list of numbers, got an empty list"))
            }
            _ => Ok(column),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Event;

    fn read(values: &str, n_features: Option<usize>) -> Result<Values, String> {
        let event = format!("{{\"values\": {values}}}");
        let request =
            Event::parse(event.as_bytes(), n_features).and_then(|event| event.request(n_features));
        match request {
            Ok(request) => Ok(request.into_values().expect("there are values")),
            Err(error) => Err(error.message),
        }
    }

    #[test]
    fn reads_rows_into_one_vector() {
        struct Case {
            values: &'static str,
            numbers: &'static [f64],
            dim: (usize, usize),
        }
        let cases = [
            Case {
                values: "[[1, 2.5]]",
                numbers: &[1.0, 2.5],
                dim: (1, 2),
            },
            Case {
                values: " [ [1,2] ,[-3,4e2] ] ",
                numbers: &[1.0, 2.0, -3.0, 400.0],
                dim: (2, 2),
            },
            Case {
                values: "[[0, -0.0], [18446744073709551615, -9223372036854775808]]",
                numbers: &[
                    0.0,
                    -0.0,
                    18_446_744_073_709_551_615.0,
                    -9_223_372_036_854_775_808.0,
                ],
                dim: (2, 2),
            },
            Case {
                values: "[[1e-400, 123456789012345678901234567890]]",
                numbers: &[0.0, 123_456_789_012_345_678_901_234_567_890.0],
                dim: (1, 2),
            },
        ];
        for case in cases {
            let (n_samples, n_features) = case.dim;
            let expected = Values {
                numbers: case.numbers.to_vec(),
                n_samples,
                n_features,
            };
            assert_eq!(read(case.values, Some(2)), Ok(expected));
            assert_eq!(
                read(case.values, None).map(|values| values.numbers),
                Ok(case.numbers.to_vec())
            );
        }
    }

    fn assert_refused(cases: &[(&str, Option<usize>, &str)]) {
        for &(values, n_features, expected) in cases {
            assert_eq!(read(values, n_features), Err(expected.into()), "{values}");
        }
    }

    #[test]
    fn says_which_row_has_a_wrong_shape() {
        let any = None;
        let four = Some(4);
        let cases = [
            (
                "[]",
                four,
                "values: expected at least one row, got an empty list",
            ),
            ("{}", four, "values: expected a list of rows, got an object"),
            ("7", four, "values: expected a list of rows, got a number"),
            (
                "\"[[1]]\"",
                four,
                "values: expected a list of rows, got a string",
            ),
            ("true", four, "values: expected a list of rows, got true"),
            (
                "[1, 2, 3, 4]",
                four,
                "row 0: expected a list of numbers, got a number",
            ),
            (
                "[[1, 2, 3, 4], null]",
                four,
                "row 1: expected a list of numbers, got null",
            ),
            (
                "[[1, 2, 3, 4], {\"a\": 1}]",
                four,
                "row 1: expected a list of numbers, got an object",
            ),
            ("[[1, 2, 3]]", four, "row 0: expected 4 columns, got 3"),
            (
                "[[1, 2, 3, 4, 5, 6]]",
                four,
                "row 0: expected 4 columns, got 6",
            ),
            ("[[]]", four, "row 0: expected 4 columns, got 0"),
            (
                "[[]]",
                any,
                "row 0: expected a list of numbers, got an empty list",
            ),
            (
                "[[1, 2], [1, 2], [1]]",
                any,
                "row 2: expected 2 columns, got 1",
            ),
        ];
        assert_refused(&cases);
    }

    #[test]
    fn says_which_column_has_no_number() {
        let any = None;
        let four = Some(4);
        let cases = [
            (
                "[[1, 2, 3, \"4\"]]",
                four,
                "row 0, column 3: expected a number, got a string",
            ),
            (
                "[[1, null, 3, 4]]",
                four,
                "row 0, column 1: expected a number, got null",
            ),
            (
                "[[1, 2, 3, 4], [false, 2, 3, 4]]",
                four,
                "row 1, column 0: expected a number, got false",
            ),
            (
                "[[1, [2], 3, 4]]",
                four,
                "row 0, column 1: expected a number, got a list",
            ),
            (
                "[[1, {\"a\": [2]}, 3, 4]]",
                four,
                "row 0, column 1: expected a number, got an object",
            ),
            (
                "[[1, 2, NaN, 4]]",
                four,
                "row 0, column 2: NaN is not a finite number",
            ),
            (
                "[[Infinity, 2, 3, 4]]",
                four,
                "row 0, column 0: Infinity is not a finite number",
            ),
            (
                "[[1, 2, 3, 4],\n\n [1, -Infinity, 3, 4]]",
                four,
                "row 1, column 1: -Infinity is not a finite number",
            ),
            (
                "[[nan]]",
                any,
                "row 0, column 0: nan is not a finite number",
            ),
            (
                "[[1e400]]",
                any,
                "row 0, column 0: 1e400 is not a finite number",
            ),
            (
                "[[-1e400]]",
                any,
                "row 0, column 0: -1e400 is not a finite number",
            ),
            (
                "[[1 2]]",
                any,
                "row 0, column 1: not valid JSON: expected `,` or `]` at line 1 column 16",
            ),
            (
                "[[1, x]]",
                any,
                "row 0, column 1: not valid JSON: expected value at line 1 column 17",
            ),
            (
                "[[1, 2]",
                any,
                "row 1: not valid JSON: expected `,` or `]` at line 1 column 19",
            ),
        ];
        assert_refused(&cases);
    }

    #[test]
    fn takes_so_many_rows_and_no_more() {
        let rows = |n_samples: usize| format!("[{}]", vec!["[1]"; n_samples].join(","));
        let most = read(&rows(MAX_ROWS), Some(1)).expect("so many are taken");
        assert_eq!(most.n_samples, MAX_ROWS);
        assert_eq!(
            read(&rows(MAX_ROWS + 1), Some(1)),
            Err("row 100000: one request may have at most 100000 rows".into())
        );
    }
}
