//! How onnxruntime's Cast reads numbers from strings and writes them: as C's `strtod`, `strtoll` and `printf("%.8g")`.
//!
//! Reading skips white space, and ends where the number does: `"1.5 cm"` is 1.5, and 1 as an integer.

/// Reads a float. `inf`, `infinity` and `nan` in any case are numbers; hexadecimal ones, and ones beyond the largest
/// float, are not.
pub(crate) fn parse_float(text: &str) -> Option<f64> {
    let text = trim_start(text);
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let is_negative = text.starts_with('-');
    let starts_with = |word: &str| {
        unsigned
            .get(..word.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(word))
    };
    let value = if starts_with("inf") {
        f64::INFINITY
    } else if starts_with("nan") {
        f64::NAN
    } else if starts_with("0x") {
        return None;
    } else {
        let number = &unsigned[..decimal_len(unsigned.as_bytes())];
        number
            .parse()
            .ok()
            .filter(|value: &f64| value.is_finite())?
    };
    Some(if is_negative { -value } else { value })
}

/// The length of the decimal number that `text` starts with.
fn decimal_len(text: &[u8]) -> usize {
    let digits = |from: usize| {
        let rest = text.get(from..).unwrap_or_default();
        rest.iter().take_while(|b| b.is_ascii_digit()).count()
    };
    let whole = digits(0);
    let mut len = whole;
    let mut any = whole > 0;
    if text.get(len) == Some(&b'.') {
        let fraction = digits(len + 1);
        any |= fraction > 0;
        len += 1 + fraction;
    }
    if !any {
        return 0;
    }
    if matches!(text.get(len), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(text.get(len + 1), Some(b'+' | b'-')));
        let exponent = digits(len + 1 + sign);
        if exponent > 0 {
            len += 1 + sign + exponent;
        }
    }
    len
}

/// Reads a signed integer of 64 bits.
pub(crate) fn parse_signed(text: &str) -> Option<i64> {
    let text = trim_start(text);
    let signs = usize::from(text.starts_with(['+', '-']));
    let digits = text[signs..].bytes().take_while(u8::is_ascii_digit).count();
    text[..signs + digits].parse().ok()
}

/// Reads an unsigned integer of 64 bits; a negative one wraps around, as `strtoull`'s does.
pub(crate) fn parse_unsigned(text: &str) -> Option<u64> {
    let text = trim_start(text);
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let digits = unsigned.bytes().take_while(u8::is_ascii_digit).count();
    let value: u64 = unsigned[..digits].parse().ok()?;
    Some(if text.starts_with('-') {
        value.wrapping_neg()
    } else {
        value
    })
}

fn trim_start(text: &str) -> &str {
    text.trim_start_matches([' ', '\t', '\n', '\u{b}', '\u{c}', '\r'])
}

/// Writes a float with at most eight significant digits.
pub(crate) fn format_float(value: f64) -> String {
    const DIGITS: i32 = 8;
    if value.is_nan() {
        return "NaN".into();
    }
    if value.is_infinite() {
        return if value > 0.0 { "INF" } else { "-INF" }.into();
    }
    let scientific = format!("{value:.7e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..DIGITS).contains(&exponent) {
        let decimals = usize::try_from(DIGITS - 1 - exponent).unwrap_or(0);
        let fixed = format!("{value:.decimals$}");
        return without_trailing_zeros(&fixed).into();
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    let mantissa = without_trailing_zeros(mantissa);
    format!("{mantissa}e{sign}{:02}", exponent.abs())
}

fn without_trailing_zeros(number: &str) -> &str {
    if number.contains('.') {
        number.trim_end_matches('0').trim_end_matches('.')
    } else {
        number
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_floats() {
        let cases = [
            ("1", Some(1.0)),
            (" \t2 ", Some(2.0)),
            ("+3", Some(3.0)),
            ("-0.5e3x", Some(-500.0)),
            (".5", Some(0.5)),
            ("5.", Some(5.0)),
            ("1e", Some(1.0)),
            ("1e+", Some(1.0)),
            ("1_000", Some(1.0)),
            ("-INF", Some(f64::NEG_INFINITY)),
            ("Infinity", Some(f64::INFINITY)),
            ("1e-400", Some(0.0)),
            ("1e400", None),
            ("--1", None),
            ("", None),
            (".", None),
            ("e5", None),
            ("abc", None),
            ("0x1F", None),
            ("\u{ff11}", None),
            ("é", None),
        ];
        for (text, expected) in cases {
            assert_eq!(parse_float(text), expected, "{text:?}");
        }
        assert!(parse_float("-nan").is_some_and(f64::is_nan));
        assert!(parse_float("-0").is_some_and(f64::is_sign_negative));
    }

    #[test]
    fn reads_integers() {
        let cases = [
            ("1.5", Some(1), Some(1)),
            (" -7x", Some(-7), Some(u64::MAX - 6)),
            ("+3", Some(3), Some(3)),
            ("9223372036854775807", Some(i64::MAX), Some(i64::MAX as u64)),
            ("9223372036854775808", None, Some(1 << 63)),
            ("-9223372036854775808", Some(i64::MIN), Some(1 << 63)),
            ("18446744073709551616", None, None),
            ("", None, None),
            ("-", None, None),
            ("nan", None, None),
            (".5", None, None),
        ];
        for (text, signed, unsigned) in cases {
            assert_eq!(parse_signed(text), signed, "{text:?}");
            assert_eq!(parse_unsigned(text), unsigned, "{text:?}");
        }
    }

    #[test]
    fn writes_floats() {
        let cases = [
            (0.0, "0"),
            (-0.0, "-0"),
            (1.5, "1.5"),
            (100.0, "100"),
            (f64::from(1e-5_f32), "9.9999997e-06"),
            (1e-4, "0.0001"),
            (f64::from(0.1_f32), "0.1"),
            (123_456_789.0, "1.2345679e+08"),
            (12_345_678.0, "12345678"),
            (99_999_999.5, "1e+08"),
            (1.0 / 3.0, "0.33333333"),
            (1e300, "1e+300"),
            (5e-324, "4.9406565e-324"),
            (-2.5e-7, "-2.5e-07"),
            (f64::NAN, "NaN"),
            (f64::INFINITY, "INF"),
            (f64::NEG_INFINITY, "-INF"),
        ];
        for (value, expected) in cases {
            assert_eq!(format_float(value), expected);
        }
    }
}
