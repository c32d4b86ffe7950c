//! Numbers by exact decimal value, from their text. Nothing is expanded: `1e999999999` costs its eleven bytes.

use std::cmp::Ordering;

/// A number as `digits * 10^(exponent + shift)`. Zero has no digits; otherwise the first and the last are not `0`.
struct Decimal<'a> {
    negative: bool,
    digits: String,
    /// What the point and the stripped zeros add to the written exponent; at most the length of the text.
    shift: i128,
    exponent: Exponent<'a>,
}

/// The exponent as written. It may have more digits than any machine integer.
#[derive(Clone, Copy)]
struct Exponent<'a> {
    negative: bool,
    digits: &'a str,
}

/// Whether two JSON numbers have the same value.
pub(super) fn same(one: &str, two: &str) -> bool {
    if one == two {
        return true;
    }
    let (one, two) = (Decimal::of(one), Decimal::of(two));
    if one.digits.is_empty() || two.digits.is_empty() {
        return one.digits == two.digits;
    }
    one.negative == two.negative
        && one.digits == two.digits
        && difference(one.exponent, two.exponent) == two.shift - one.shift
}

/// Which of two JSON numbers is the smaller one.
pub(super) fn compare(one: &str, two: &str) -> Ordering {
    let (one, two) = (Decimal::of(one), Decimal::of(two));
    match (one.sign(), two.sign()) {
        (0, 0) => Ordering::Equal,
        (1, 1) => one.compare_size(&two),
        (-1, -1) => two.compare_size(&one),
        (left, right) => left.cmp(&right),
    }
}

/// The value of a JSON number that is an integer in range.
pub(super) fn integer(text: &str) -> Option<i128> {
    let Decimal { negative, digits, shift, exponent } = Decimal::of(text);
    if digits.is_empty() {
        return Some(0);
    }
    let power = difference(exponent, Exponent { negative: false, digits: "" }) + shift;
    // 2^127 has 39 digits; a negative power leaves a fraction, since the last digit is not 0.
    let zeros = usize::try_from(power).ok().filter(|zeros| digits.len() + zeros <= 39)?;
    let sign = if negative { "-" } else { "" };
    format!("{sign}{digits}{}", "0".repeat(zeros)).parse().ok()
}

impl<'a> Decimal<'a> {
    fn of(text: &'a str) -> Self {
        let (negative, rest) = signed(text);
        let (mantissa, exponent) = rest.split_once(['e', 'E']).unwrap_or((rest, ""));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let mut digits = format!("{whole}{fraction}");
        let written = digits.len();
        digits.truncate(digits.trim_end_matches('0').len());
        let shift = length(written - digits.len()) - length(fraction.len());
        let digits = digits.trim_start_matches('0').to_owned();
        let (exponent_negative, exponent) = signed(exponent);
        let exponent = Exponent { negative: exponent_negative, digits: exponent.trim_start_matches('0') };
        Self { negative, digits, shift, exponent }
    }

    fn sign(&self) -> i8 {
        match (self.digits.is_empty(), self.negative) {
            (true, _) => 0,
            (false, true) => -1,
            (false, false) => 1,
        }
    }

    /// Which of two numbers that are not zero is the smaller one, signs aside: by the place of the first digit, then
    /// digit by digit.
    fn compare_size(&self, other: &Decimal<'_>) -> Ordering {
        let places = difference(self.exponent, other.exponent)
            + (self.shift - other.shift)
            + (length(self.digits.len()) - length(other.digits.len()));
        places.cmp(&0).then_with(|| self.digits.cmp(&other.digits))
    }
}

impl Exponent<'_> {
    /// Its digits in groups of 18, the highest first, as `groups` numbers that carry its sign.
    fn groups(self, groups: usize) -> impl Iterator<Item = i128> {
        let sign = if self.negative { -1 } else { 1 };
        let length = self.digits.len();
        (0..groups).rev().map(move |group| {
            let end = length.saturating_sub(group * 18);
            let digits = self.digits.get(end.saturating_sub(18)..end).unwrap_or_default();
            sign * digits.parse::<i128>().unwrap_or(0)
        })
    }
}

/// `one - two`. What is larger than the length of any text is only that large.
fn difference(one: Exponent<'_>, two: Exponent<'_>) -> i128 {
    const LARGE: i128 = 100_000_000_000_000_000_000;
    let groups = one.digits.len().max(two.digits.len()).div_ceil(18);
    let mut sum: i128 = 0;
    for (one, two) in one.groups(groups).zip(two.groups(groups)) {
        // Once this large, the groups that follow cannot bring it back.
        if sum.abs() > LARGE {
            return sum.signum() * LARGE;
        }
        sum = sum * 1_000_000_000_000_000_000 + one - two;
    }
    sum
}

fn signed(text: &str) -> (bool, &str) {
    match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    }
}

fn length(bytes: usize) -> i128 {
    i128::try_from(bytes).unwrap_or(i128::MAX)
}
