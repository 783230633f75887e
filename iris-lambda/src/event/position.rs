//! The position of reading within the values of a request, so that every message names its row and column.

use std::fmt::Display;

use serde::de;

use crate::error::Error;

/// The row or cell that is being read, and the message about it if reading stopped there.
#[derive(Debug, Default)]
pub(crate) struct Position {
    at: At,
    /// The message, once reading was stopped for what a value is; none if the JSON itself is wrong.
    fault: Option<String>,
}

#[derive(Debug, Default)]
enum At {
    /// Not within the values.
    #[default]
    Outside,
    Row(usize),
    /// A row and a column.
    Cell(usize, usize),
}

impl Position {
    /// Reading is outside the values.
    pub(crate) fn leave(&mut self) {
        self.at = At::Outside;
    }

    /// Reading comes to row `row`.
    pub(crate) fn enter_row(&mut self, row: usize) {
        self.at = At::Row(row);
    }

    /// Reading comes to column `column` of row `row`.
    pub(crate) fn enter_cell(&mut self, row: usize, column: usize) {
        self.at = At::Cell(row, column);
    }

    /// Stops reading because of `fault`, which the message will name together with the position.
    pub(crate) fn stop<E: de::Error>(&mut self, fault: impl Display) -> E {
        self.fault = Some(self.with_position(fault));
        E::custom("stopped")
    }

    /// The error for the caller whose `text`, called `name`, could not be read to its end.
    pub(crate) fn explain(self, error: &serde_json::Error, name: &str, text: &[u8]) -> Error {
        if let Some(fault) = self.fault {
            return Error::bad_request(fault);
        }
        let message = match (&self.at, not_finite(error, text)) {
            (At::Cell(..), Some(token)) => {
                self.with_position(format_args!("{token} is not a finite number"))
            }
            (At::Outside, _) => format!("{name}: not valid JSON: {error}"),
            _ => self.with_position(format_args!("not valid JSON: {error}")),
        };
        Error::bad_request(message)
    }

    fn with_position(&self, what: impl Display) -> String {
        match self.at {
            At::Outside => what.to_string(),
            At::Row(row) => format!("row {row}: {what}"),
            At::Cell(row, column) => format!("row {row}, column {column}: {what}"),
        }
    }
}

/// The word in `text` at which `error` arose, if other languages write a number so, such as `NaN`, or if the number is too big.
fn not_finite<'a>(error: &serde_json::Error, text: &'a [u8]) -> Option<&'a str> {
    /// The longest word that a message repeats: enough for any number that programs write, and no room for abuse.
    const LONGEST_SHOWN: usize = 32;
    let line = text
        .split(|&byte| byte == b'\n')
        .nth(error.line().checked_sub(1)?)?;
    let (before, after) = line.split_at_checked(error.column().checked_sub(1)?)?;
    let is_end = |byte: &u8| !byte.is_ascii_alphanumeric() && !b"+-.".contains(byte);
    let start = before.iter().rposition(is_end).map_or(0, |end| end + 1);
    let end = after
        .iter()
        .position(is_end)
        .map_or(line.len(), |end| before.len() + end);
    let word = str::from_utf8(&line[start..end]).ok()?;
    let is_not_finite = word.parse::<f64>().is_ok_and(|number| !number.is_finite());
    (is_not_finite && word.len() <= LONGEST_SHOWN).then_some(word)
}
