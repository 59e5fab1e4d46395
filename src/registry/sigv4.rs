//! AWS Signature Version 4, for questions whose answer is read and nothing else.
//!
//! The secret key never leaves: it makes a key for the day, that one signs the
//! request. The signature goes in headers; a signed address would work for
//! whoever reads it in a log. Source: "Create a signed AWS API request" in the
//! IAM User Guide.

use std::fmt::Write as _;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::{Carried, Request};

/// Who signs, and for what.
#[derive(Clone, Copy)]
pub struct Signer<'a> {
    /// Id of the access key.
    pub key_id: &'a str,
    /// The secret access key.
    pub secret: &'a str,
    /// The session token that belongs to a temporary key.
    pub session: Option<&'a str>,
    /// Region of the scope: `us-east-1`.
    pub region: &'a str,
    /// Service of the scope: `sts`.
    pub service: &'a str,
}

/// Signs a request without a body: adds `x-amz-date`, the session token and
/// `authorization`. `now` is in seconds since 1970; the signature is good for a few
/// minutes around it.
///
/// # Errors
/// A time that no calendar has.
pub fn sign(mut request: Request, signer: &Signer<'_>, now: i64) -> Result<Request, String> {
    let stamp = stamp(now).ok_or("the clock of this machine is beyond every calendar")?;
    request.headers.push(("x-amz-date".into(), stamp.clone()));
    if let Some(token) = signer.session {
        let carried = Carried::new(token.into(), "‹session token›");
        request.secrets.push(("x-amz-security-token".into(), carried));
    }
    let date = &stamp[..8];
    let scope = format!("{date}/{}/{}/aws4_request", signer.region, signer.service);
    let (canonical, signed) = canonical(&request);
    let to_sign = format!("{ALGORITHM}\n{stamp}\n{scope}\n{}", hex(&Sha256::digest(&*canonical)));
    let signature = hex(&*mac(&*day_key(signer, date), to_sign.as_bytes()));
    let head = |id: &str| format!("{ALGORITHM} Credential={id}/{scope}, SignedHeaders={signed}");
    let value = format!("{}, Signature={signature}", head(signer.key_id));
    let shown = format!("{}, Signature=…", head("…"));
    Ok(request.with_secret("authorization", Carried::new(value, shown)))
}

const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// `20150830T123600Z`.
fn stamp(now: i64) -> Option<String> {
    let time = jiff::Timestamp::from_second(now).ok()?;
    let text = time.strftime("%Y%m%dT%H%M%SZ").to_string();
    (text.len() == 16).then_some(text)
}

/// The request in the one form that both sides sign, and the names of the headers
/// that take part: the host, the type of the body, and Amazon's own.
fn canonical(request: &Request) -> (Zeroizing<String>, String) {
    let plain = request.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let secret = request.secrets.iter().map(|(name, value)| (name.as_str(), value.expose()));
    let mut headers: Vec<(&str, &str)> = plain
        .chain(secret)
        .filter(|(name, _)| *name == "content-type" || name.starts_with("x-amz-"))
        .chain([("host", request.host.as_str())])
        .collect();
    headers.sort_unstable();
    let (path, query) = request.path.split_once('?').unwrap_or((&request.path, ""));
    let mut query: Vec<&str> = query.split('&').collect();
    query.sort_unstable();
    let names: Vec<&str> = headers.iter().map(|(name, _)| *name).collect();
    let signed = names.join(";");
    let mut text =
        Zeroizing::new(format!("{}\n{path}\n{}\n", request.method.word(), query.join("&")));
    for (name, value) in headers {
        for part in [name, ":", value.trim(), "\n"] {
            text.push_str(part);
        }
    }
    for part in ["\n", &signed, "\n", &hex(&Sha256::digest(b""))] {
        text.push_str(part);
    }
    (text, signed)
}

/// The key of one day, region and service.
fn day_key(signer: &Signer<'_>, date: &str) -> Zeroizing<[u8; 32]> {
    let first = Zeroizing::new(format!("AWS4{}", signer.secret));
    let day = mac(first.as_bytes(), date.as_bytes());
    let region = mac(&*day, signer.region.as_bytes());
    let service = mac(&*region, signer.service.as_bytes());
    mac(&*service, b"aws4_request")
}

fn mac(key: &[u8], text: &[u8]) -> Zeroizing<[u8; 32]> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
    mac.update(text);
    Zeroizing::new(mac.finalize().into_bytes().into())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::Method;

    /// 2015-08-30T12:36:00Z, the moment of all published examples.
    const THEN: i64 = 1_440_938_160;
    const SECRET: &str = concat!("wJalrXUtnFEMI/K7MDENG", "+bPxRfiCYEXAMPLEKEY");

    fn signer(service: &str) -> Signer<'_> {
        Signer {
            key_id: "AKIDEXAMPLE",
            secret: SECRET,
            session: None,
            region: "us-east-1",
            service,
        }
    }

    fn signature(request: Request, service: &str) -> String {
        let signed = sign(request, &signer(service), THEN).unwrap();
        let (_, value) = signed.secrets.last().unwrap();
        assert!(!value.shown().contains("AKIDEXAMPLE"));
        value.expose().rsplit_once("Signature=").unwrap().1.to_owned()
    }

    #[test]
    fn the_published_key_of_a_day() {
        let expected = "c4afb1cc5771d871763a393e44b703571b55cc28424d1a5e86da6ed3c154a4b9";
        assert_eq!(hex(&*day_key(&signer("iam"), "20150830")), expected);
    }

    #[test]
    fn the_published_example_of_the_guide() {
        let mut request =
            Request::get("iam.amazonaws.com", "/?Action=ListUsers&Version=2010-05-08");
        let form = "application/x-www-form-urlencoded; charset=utf-8";
        request.headers.push(("content-type".into(), form.into()));
        let expected = "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7";
        assert_eq!(signature(request, "iam"), expected);
    }

    #[test]
    fn the_published_test_suite() {
        let cases = [
            ("/", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
            (
                "/?Param2=value2&Param1=value1",
                "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
            ),
        ];
        for (path, expected) in cases {
            let request = Request::get("example.amazonaws.com", path);
            assert_eq!(signature(request, "service"), expected, "{path}");
        }
    }

    #[test]
    fn the_published_example_with_a_session_token() {
        let token = concat!(
            "AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBu",
            "FqwAeMicRXmxfpSPfIeoIYRqTflfKD8YUuwthAx7mSEI/qkPpKPi/kMcGdQrmGdeehM4IC1NtBmU",
            "pp2wUE8phUZampKsburEDy0KPkyQDYwT7WZ0wq5VSXDvp75YU9HFvlRd8Tx6q6fE8YQcHNVXAkiY",
            "9q6d+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+scqKmlzm8FDrypNC9Yjc8fPOLn9FX9KSYvK",
            "Tr4rvx3iSIlTJabIQwj2ICCR/oLxBA==",
        );
        let request =
            Request { method: Method::Post, ..Request::get("example.amazonaws.com", "/") };
        let signer = Signer { session: Some(token), ..signer("service") };
        let signed = sign(request, &signer, THEN).unwrap();
        let expected = "85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead";
        assert!(signed.secrets[1].1.expose().ends_with(expected));
    }

    #[test]
    fn a_session_token_is_signed_and_hidden() {
        let request = || Request::get("sts.amazonaws.com", "/");
        let signer = Signer { session: Some("session"), ..signer("sts") };
        let signed = sign(request(), &signer, THEN).unwrap();
        assert_eq!(signed.secrets.len(), 2);
        assert!(signed.secrets[1].1.expose().contains("host;x-amz-date;x-amz-security-token"));
        assert!(!format!("{signed:?}").contains(SECRET));
        assert!(sign(request(), &signer, i64::MAX).is_err());
        assert!(sign(request(), &signer, i64::MIN).is_err());
    }
}
