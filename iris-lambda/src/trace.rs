//! Remembers where reading stands, so that whatever stops it is told with its row and column.

use std::fmt::Display;

use serde::de;

use crate::error::Error;

/// The place in the values that is being read, and what was found wrong there.
#[derive(Debug, Default)]
pub(crate) struct Trace {
    at: At,
    fault: Option<String>,
}

#[derive(Debug, Default)]
enum At {
    #[default]
    Outside,
    Row(usize),
    Cell(usize, usize),
}

impl Trace {
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

    /// Stops reading for `fault`.
    pub(crate) fn stop<E: de::Error>(&mut self, fault: impl Display) -> E {
        self.fault = Some(self.placed(fault));
        E::custom("stopped")
    }

    /// What to tell the caller whose `text`, called `name`, could not be read to its end.
    pub(crate) fn explain(self, error: &serde_json::Error, name: &str, text: &[u8]) -> Error {
        if let Some(fault) = self.fault {
            return Error::bad_request(fault);
        }
        let message = match (&self.at, not_finite(error, text)) {
            (At::Cell(..), Some(token)) => {
                self.placed(format_args!("{token} is not a finite number"))
            }
            (At::Outside, _) => format!("{name}: not valid JSON: {error}"),
            _ => self.placed(format_args!("not valid JSON: {error}")),
        };
        Error::bad_request(message)
    }

    fn placed(&self, what: impl Display) -> String {
        match self.at {
            At::Outside => what.to_string(),
            At::Row(row) => format!("row {row}: {what}"),
            At::Cell(row, column) => format!("row {row}, column {column}: {what}"),
        }
    }
}

/// The word at the place of `error` if it is a number in other languages, such as `NaN`, or is too big for one.
fn not_finite<'a>(error: &serde_json::Error, text: &'a [u8]) -> Option<&'a str> {
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
