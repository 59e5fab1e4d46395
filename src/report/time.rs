//! Points in time, in words.

/// RFC 3339 in UTC; nothing if no calendar reaches that far.
pub(super) fn utc(seconds: i64) -> Option<String> {
    let time = jiff::Timestamp::from_second(seconds).ok()?;
    Some(time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
}

/// The day alone.
pub(super) fn day(seconds: i64) -> Option<String> {
    utc(seconds)?.split('T').next().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_time_can_be_told() {
        assert_eq!(utc(1_700_000_000).as_deref(), Some("2023-11-14T22:13:20Z"));
        assert_eq!(day(-1).as_deref(), Some("1969-12-31"));
        assert_eq!(utc(i64::MAX), None);
    }
}
