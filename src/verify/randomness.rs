//! Is the value random enough to be what its rule says?

use crate::rules::spec::VerifySpec;

/// Applies a rule's tests of randomness.
pub(super) fn test(value: &[u8], spec: &VerifySpec) -> Result<(), &'static str> {
    if spec.human {
        return Ok(());
    }
    let counts = counts(value);
    let distinct = counts.iter().filter(|count| **count > 0).count();
    if spec.distinct.is_some_and(|least| distinct < least) {
        return Err("too few different characters");
    }
    if spec.digits.is_some_and(|least| value.iter().filter(|b| b.is_ascii_digit()).count() < least)
    {
        return Err("too few digits");
    }
    if spec.mixed && !is_mixed(value) {
        return Err("letters of one case only");
    }
    if spec.entropy.is_some_and(|least| entropy(&counts, value.len()) < least) {
        return Err("too little entropy");
    }
    Ok(())
}

fn counts(value: &[u8]) -> [u32; 256] {
    let mut counts = [0; 256];
    value.iter().for_each(|&byte| counts[usize::from(byte)] += 1);
    counts
}

/// Shannon entropy in bits per byte.
fn entropy(counts: &[u32; 256], length: usize) -> f32 {
    let length = length as f32;
    counts
        .iter()
        .filter(|count| **count > 0)
        .map(|&count| {
            let share = count as f32 / length;
            -share * share.log2()
        })
        .sum()
}

fn is_mixed(value: &[u8]) -> bool {
    let has = |test: fn(&u8) -> bool| value.iter().any(test);
    let letter = has(u8::is_ascii_alphabetic);
    letter && has(u8::is_ascii_digit) || has(u8::is_ascii_lowercase) && has(u8::is_ascii_uppercase)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entropy_is_shannons() {
        assert_eq!(entropy(&counts(b"aaaa"), 4), 0.0);
        assert_eq!(entropy(&counts(b"abab"), 4), 1.0);
        assert_eq!(entropy(&counts(b"abcd"), 4), 2.0);
    }

    #[test]
    fn words_are_not_mixed() {
        assert!(!is_mixed(b"password") && !is_mixed(b"12345678"));
        assert!(is_mixed(b"passw0rd") && is_mixed(b"passWord"));
    }
}
