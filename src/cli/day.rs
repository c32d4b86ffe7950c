//! Days of the calendar: which one it is, and the moment that a console's `Date` names.

use crate::serve::tls::seconds_now;

/// The seconds of a day.
const DAY: u64 = 86_400;

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// Today, in UTC, as `2026-12-31`.
pub(super) fn today() -> String {
    let (year, month, day) = civil(seconds_now() / DAY);
    format!("{year:04}-{month:02}-{day:02}")
}

/// The seconds from the start of 1970 to a moment as HTTP writes it: `Sun, 06 Nov 1994 08:49:37 GMT`.
pub(super) fn moment(text: &str) -> Option<u64> {
    let (_, rest) = text.split_once(", ")?;
    let mut words = rest.split(' ');
    let day: u64 = words.next()?.parse().ok()?;
    let name = words.next()?;
    let month = MONTHS.iter().position(|month| *month == name)? as u64 + 1;
    let year: u64 = words.next()?.parse().ok()?;
    let mut parts = words.next()?.split(':').map(|part| part.parse::<u64>().ok());
    let (hour, minute, second) = (parts.next()??, parts.next()??, parts.next()??);
    let is_one = (1970..=9999).contains(&year) && (1..=31).contains(&day) && hour < 24 && minute < 60;
    is_one.then(|| days(year, month, day) * DAY + hour * 3600 + minute * 60 + second)
}

/// The days from the start of 1970 to a day of the calendar. Years begin in March here, so that a leap day ends one.
fn days(year: u64, month: u64, day: u64) -> u64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let (era, of_era) = (year / 400, year % 400);
    let of_year = (153 * month + 2) / 5 + day - 1;
    (era * 146_097 + of_era * 365 + of_era / 4 + of_year).saturating_sub(of_era / 100 + 719_468)
}

/// The day of the calendar that many days after the start of 1970.
fn civil(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year = (of_era + of_era / 36_524 - of_era / 1_460 - of_era / 146_096) / 365;
    let of_year = of_era + year / 100 - 365 * year - year / 4;
    let month = (5 * of_year + 2) / 153;
    let day = of_year + 1 - (153 * month + 2) / 5;
    let (month, later) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    (era * 400 + year + later, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_of_http_is_read_and_nothing_else() {
        assert_eq!(moment("Sun, 06 Nov 1994 08:49:37 GMT"), Some(784_111_777));
        assert_eq!(moment("Thu, 29 Feb 2024 00:00:00 GMT"), Some(1_709_164_800));
        for wrong in [
            "",
            "now",
            "Sun, 06 Nov 1994",
            "Sun, 06 Nov 1994 25:49:37 GMT",
            "1994-11-06",
            "Sun, 06 Xyz 1994 08:49:37 GMT",
        ] {
            assert_eq!(moment(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn days_and_the_calendar_are_of_one_mind() {
        for count in (0..80_000).step_by(7) {
            let (year, month, day) = civil(count);
            assert_eq!(days(year, month, day), count, "{year}-{month}-{day}");
        }
        assert_eq!((civil(0), civil(20_784)), ((1970, 1, 1), (2026, 11, 27)));
        assert!(today().as_str() > "2026-01-01" && today().len() == 10);
    }
}
