//! Points in time, in words.

/// RFC 3339 in UTC; seconds since 1970 if no calendar reaches that far.
pub(super) fn utc(seconds: i64) -> String {
    match jiff::Timestamp::from_second(seconds) {
        Ok(time) => time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        Err(_) => seconds.to_string(),
    }
}

/// The day alone.
pub(super) fn day(seconds: i64) -> String {
    utc(seconds).split('T').next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_time_can_be_told() {
        assert_eq!(utc(1_700_000_000), "2023-11-14T22:13:20Z");
        assert_eq!(day(-1), "1969-12-31");
        assert_eq!(utc(i64::MAX), i64::MAX.to_string());
    }
}
