//! Writes JSON exactly, to the character, as Python's `json.dumps` does with its defaults: the answers and the log are so
//! spelled.

use std::fmt::Write;

/// Writes a list of `items`, each of which `write` writes.
pub(crate) fn list<T>(
    out: &mut String,
    items: impl IntoIterator<Item = T>,
    mut write: impl FnMut(&mut String, T),
) {
    out.push('[');
    for (index, item) in items.into_iter().enumerate() {
        if index > 0 {
            out.push_str(", ");
        }
        write(out, item);
    }
    out.push(']');
}

/// Writes an integer.
pub(crate) fn int(out: &mut String, number: impl Into<i64>) {
    out.push_str(itoa::Buffer::new().format(number.into()));
}

/// Writes a float as Python's `repr` does: the fewest digits that read back as the same number, with an exponent where there
/// are more than 16 digits before the point or more than 3 zeros after it.
pub(crate) fn float(out: &mut String, number: f64) {
    if number.is_nan() {
        out.push_str("NaN");
        return;
    }
    if number.is_infinite() {
        out.push_str(if number > 0.0 {
            "Infinity"
        } else {
            "-Infinity"
        });
        return;
    }
    let magnitude = number.abs();
    if magnitude != 0.0 && !(1e-4..1e16).contains(&magnitude) {
        let start = out.len();
        push(out, format_args!("{number:e}"));
        pad_exponent(out, start);
    } else {
        // `Debug` writes the number as `Display` does, but with `.0` after a whole number.
        push(out, format_args!("{number:?}"));
    }
}

/// Gives the exponent of the number that starts at `start` its sign, and two digits at least.
fn pad_exponent(out: &mut String, start: usize) {
    let Some(e) = out[start..].find('e').map(|index| start + index) else {
        return;
    };
    let exponent = out.split_off(e + 1);
    let (sign, digits) = exponent
        .strip_prefix('-')
        .map_or(('+', exponent.as_str()), |digits| ('-', digits));
    push(out, format_args!("{sign}{digits:0>2}"));
}

/// Writes a string, with escapes for all that is not ASCII.
pub(crate) fn string(out: &mut String, text: &str) {
    let is_plain = |byte: u8| matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\';
    out.push('"');
    // Most texts have nothing to escape: all bytes are looked at, without a branch for each, and the text is copied at once.
    if text
        .bytes()
        .fold(true, |plain, byte| plain & is_plain(byte))
    {
        out.push_str(text);
        out.push('"');
        return;
    }
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            ' '..='~' => out.push(c),
            _ => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    push(out, format_args!("\\u{unit:04x}"));
                }
            }
        }
    }
    out.push('"');
}

fn push(out: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a string does not fail.
    let _ = out.write_fmt(text);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The texts are what `json.dumps` of Python 3.11 gives.
    #[test]
    #[allow(
        clippy::unreadable_literal,
        clippy::excessive_precision,
        reason = "to be seen beside their spelling"
    )]
    fn floats_are_spelled_as_python_does() {
        let cases = [
            (0.0, "0.0"),
            (-0.0, "-0.0"),
            (1.0, "1.0"),
            (-1.0, "-1.0"),
            (0.1, "0.1"),
            (0.5, "0.5"),
            (1e-3, "0.001"),
            (1e-4, "0.0001"),
            (0.00012345, "0.00012345"),
            (9.999e-5, "9.999e-05"),
            (1e-5, "1e-05"),
            (1e-7, "1e-07"),
            (1.5e-7, "1.5e-07"),
            (-2.5e-10, "-2.5e-10"),
            (5e-324, "5e-324"),
            (2.2250738585072014e-308, "2.2250738585072014e-308"),
            (1.7976931348623157e308, "1.7976931348623157e+308"),
            (123456789.0, "123456789.0"),
            (1e15, "1000000000000000.0"),
            (9007199254740993.0, "9007199254740992.0"),
            (9999999999999998.0, "9999999999999998.0"),
            (1e16, "1e+16"),
            (1.2345e16, "1.2345e+16"),
            (-1e16, "-1e+16"),
            (1e17, "1e+17"),
            (1e21, "1e+21"),
            (1e22, "1e+22"),
            (1e23, "1e+23"),
            (1e100, "1e+100"),
            (1.5e300, "1.5e+300"),
            (0.30000000000000004, "0.30000000000000004"),
            (100.0, "100.0"),
            (1234.5678, "1234.5678"),
            (f64::from(0.1_f32), "0.10000000149011612"),
            (f64::from(0.9_f32), "0.8999999761581421"),
            (f64::from(0.3333333333333333_f32), "0.3333333432674408"),
            (f64::from(1e-07_f32), "1.0000000116860974e-07"),
            (f64::from(0.008308806456625462_f32), "0.008308806456625462"),
            (f64::from(1e-45_f32), "1.401298464324817e-45"),
            (f64::from(3.4e+38_f32), "3.3999999521443642e+38"),
            (f64::NAN, "NaN"),
            (f64::INFINITY, "Infinity"),
            (f64::NEG_INFINITY, "-Infinity"),
        ];
        for (number, expected) in cases {
            let mut out = String::new();
            float(&mut out, number);
            assert_eq!(out, expected);
        }
    }

    /// The texts are what `json.dumps` of Python 3.11 gives.
    #[test]
    fn strings_are_spelled_as_python_does() {
        let cases = [
            ("", "\"\""),
            ("setosa", "\"setosa\""),
            ("a\"b\\c/d", "\"a\\\"b\\\\c/d\""),
            ("\u{a}\u{d}\u{9}\u{8}\u{c}", "\"\\n\\r\\t\\b\\f\""),
            ("\u{0}\u{1}\u{1f}", "\"\\u0000\\u0001\\u001f\""),
            ("\u{7f}\u{80}", "\"\\u007f\\u0080\""),
            ("\u{e9} \u{df}", "\"\\u00e9 \\u00df\""),
            ("\u{2028}\u{20ac}\u{ffff}", "\"\\u2028\\u20ac\\uffff\""),
            ("\u{1f600}\u{1d11e}", "\"\\ud83d\\ude00\\ud834\\udd1e\""),
            ("<&>'", "\"<&>'\""),
        ];
        for (text, expected) in cases {
            let mut out = String::new();
            string(&mut out, text);
            assert_eq!(out, expected);
        }
    }

    #[test]
    fn lists_have_a_space_after_the_comma() {
        let cases: [(&[i64], &str); 3] = [(&[], "[]"), (&[1], "[1]"), (&[1, -2, 3], "[1, -2, 3]")];
        for (items, expected) in cases {
            let mut out = String::new();
            list(&mut out, items, |out, &item| int(out, item));
            assert_eq!(out, expected);
        }
    }
}
