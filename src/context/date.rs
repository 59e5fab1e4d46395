//! Dates that stand beside a secret: the timestamp column of a log, the name
//! of npm's debug log.

use jiff::civil::Date;

use super::line_start;

/// A date (year-month-day) at which the text around the secret was written:
/// one at the start of its line, or one in the file's name. Dates in the
/// future or before npm had tokens are not believed.
pub fn near(bytes: &[u8], start: usize, file_name: &[u8], today: Date) -> Option<Date> {
    let floor = line_start(bytes, start, 4096);
    let column = &bytes[floor..start.min(floor + 80)];
    let name = &file_name[..file_name.len().min(80)];
    let believed = |date: &Date| *date <= today && date.year() >= 2014;
    first_date(column).filter(believed).or_else(|| first_date(name).filter(believed))
}

fn first_date(bytes: &[u8]) -> Option<Date> {
    bytes.windows(11).find_map(|window| {
        let mut digits = window.iter().enumerate().take(10);
        let shaped =
            digits.all(|(at, b)| if at == 4 || at == 7 { *b == b'-' } else { b.is_ascii_digit() });
        let ends = matches!(window[10], b'T' | b' ' | b'_');
        if !shaped || !ends {
            return None;
        }
        std::str::from_utf8(&window[..10]).ok()?.parse().ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_and_names() {
        let today: Date = "2026-11-23".parse().unwrap();
        let at = |text: &str, name: &str| near(text.as_bytes(), text.len(), name.as_bytes(), today);
        let date = |text: &str| Some(text.parse::<Date>().unwrap());
        assert_eq!(at("job\tstep\t2025-01-02T03:04:05.6Z TOKEN=", ""), date("2025-01-02"));
        assert_eq!(at("verbose argv", "2025-03-04T05_06_07_089Z-debug-0.log"), date("2025-03-04"));
        assert_eq!(at("2099-01-01T00:00 x", ""), None);
        assert_eq!(at("version 2025-13-45 x", ""), None);
    }
}
