use std::fmt;
use std::str::FromStr;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::Zeroize;

use super::Mask;

/// The bytes of a credential.
///
/// It has no `Display` and no `Serialize`; `Debug` shows the length. The bytes
/// come out by [`Secret::expose`] alone and are zeroed on drop.
#[derive(Clone)]
pub struct Secret {
    bytes: Box<[u8]>,
    mask: Mask,
}

impl Secret {
    /// Copies `bytes`.
    pub fn new(bytes: &[u8], mask: Mask) -> Self {
        Self { bytes: bytes.into(), mask }
    }

    /// The bytes themselves. Every caller is a place to look at in a review.
    pub fn expose(&self) -> &[u8] {
        &self.bytes
    }

    /// A form that is safe to print: at most the first eight and the last four
    /// characters of a long token, less of a short one, none of a password.
    /// Bytes outside printable ASCII are never shown.
    pub fn masked(&self) -> String {
        let (head, tail) = match (self.mask, self.bytes.len()) {
            (Mask::All, _) | (_, 0..12) => (0, 0),
            (_, 12..20) => (3, 0),
            (_, 20..32) => (4, 2),
            _ => (8, 4),
        };
        let show = |part: &[u8]| -> String {
            part.iter().map(|&b| if b.is_ascii_graphic() { char::from(b) } else { '?' }).collect()
        };
        if head == 0 {
            return format!("‹{} bytes›", self.bytes.len());
        }
        let n = self.bytes.len();
        format!("{}…{}", show(&self.bytes[..head]), show(&self.bytes[n - tail..]))
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        self.bytes.zeroize();
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret({} bytes)", self.bytes.len())
    }
}

/// Names a secret's value without giving it away: the first 128 bits of
/// HMAC-SHA256 under a [`FingerprintKey`], in hex. Equal values have equal
/// fingerprints wherever and in whatever file they stand, so a moved line or a
/// rebase changes nothing.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint([u8; 16]);

/// The key of the fingerprints.
///
/// The default key is public: it separates our fingerprints from anybody
/// else's hashes, and is enough for random tokens. Who fears that a guessable
/// password is tried against a published baseline sets a key of their own.
#[derive(Clone)]
pub struct FingerprintKey {
    mac: Hmac<Sha256>,
    id: String,
}

impl FingerprintKey {
    /// A key from any bytes a user chose.
    pub fn new(key: &[u8]) -> Self {
        let mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
        let mut probe = mac.clone();
        probe.update(b"tokensweep key id");
        let id = hex(&probe.finalize().into_bytes()[..4]);
        Self { mac, id }
    }

    /// Eight hex digits that tell keys apart without telling the key.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The fingerprint of a value.
    pub fn fingerprint(&self, value: &[u8]) -> Fingerprint {
        let mut mac = self.mac.clone();
        mac.update(value);
        let mut out = [0; 16];
        out.copy_from_slice(&mac.finalize().into_bytes()[..16]);
        Fingerprint(out)
    }
}

impl Default for FingerprintKey {
    fn default() -> Self {
        Self::new(b"tokensweep fingerprint v1")
    }
}

impl fmt::Debug for FingerprintKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FingerprintKey({})", self.id)
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fingerprint({self})")
    }
}

impl FromStr for Fingerprint {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits = text.as_bytes();
        if digits.len() != 32 || !digits.iter().all(u8::is_ascii_hexdigit) {
            return Err("a fingerprint is 32 hex digits");
        }
        let mut out = [0; 16];
        for (byte, pair) in out.iter_mut().zip(digits.chunks(2)) {
            let pair = std::str::from_utf8(pair).expect("hex digits are ASCII");
            *byte = u8::from_str_radix(pair, 16).expect("checked above");
        }
        Ok(Self(out))
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks_show_less_of_shorter_values() {
        let shown = |len: usize, mask| {
            let value = "abcdefghijklmnopqrstuvwxyz0123456789".repeat(2);
            Secret::new(&value.as_bytes()[..len], mask).masked()
        };
        assert_eq!(shown(36, Mask::Ends), "abcdefgh…6789");
        assert_eq!(shown(24, Mask::Ends), "abcd…wx");
        assert_eq!(shown(12, Mask::Ends), "abc…");
        assert_eq!(shown(11, Mask::Ends), "‹11 bytes›");
        assert_eq!(shown(36, Mask::All), "‹36 bytes›");
        assert_eq!(
            Secret::new(b"\x1b[31m\xff\xfe aaaaaaaaaaaaaaaaaaaaaaaaaaaa", Mask::Ends).masked(),
            "?[31m??\u{3f}…aaaa"
        );
    }

    #[test]
    fn fingerprints_depend_on_value_and_key_only() {
        let a = FingerprintKey::default();
        let b = FingerprintKey::new(b"mine");
        assert_eq!(a.fingerprint(b"x"), FingerprintKey::default().fingerprint(b"x"));
        assert_ne!(a.fingerprint(b"x"), a.fingerprint(b"y"));
        assert_ne!(a.fingerprint(b"x"), b.fingerprint(b"x"));
        assert_ne!(a.id(), b.id());
        let f = a.fingerprint(b"x");
        assert_eq!(f.to_string().parse(), Ok(f));
        assert!("zz".parse::<Fingerprint>().is_err());
    }
}
