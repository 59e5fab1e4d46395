//! What services, lists and lockfiles told, as JSON.
//!
//! A server that was asked with a secret in hand may say it back, in any field
//! and even as the name of one. So the words of the model become a tree, and
//! every string of the tree is masked before it is written.

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::sanitize::{Masker, exact};
use crate::model::{Outcome, Validation};

/// Fields that hold seconds since 1970, by themselves or in their `value`.
const TIMES: [&str; 7] = ["asked", "created", "expires", "used", "time", "from", "until"];

/// A value of the model with every string masked and every time in RFC 3339;
/// null if there is none. The fields of an object are sorted by name.
pub(super) fn told(value: Option<&impl Serialize>, masker: &Masker<'_>) -> Value {
    // The words of the model always have a form in JSON.
    let value = value.and_then(|value| serde_json::to_value(value).ok()).unwrap_or_default();
    tidy(value, false, masker)
}

/// What a validation says beyond its outcome; null if nobody asked.
pub(super) fn detail(validation: &Validation, masker: &Masker<'_>) -> Value {
    let Validation { outcome, words, identity, evidence, asked } = validation;
    if *outcome == Outcome::NotAttempted {
        return Value::Null;
    }
    let detail = json!({
        "words": words, "identity": identity, "evidence": evidence, "asked": asked,
    });
    tidy(detail, false, masker)
}

/// Goes no deeper than the types of the model do.
fn tidy(value: Value, time: bool, masker: &Masker<'_>) -> Value {
    match value {
        Value::String(text) => Value::String(masked(&text, masker)),
        Value::Array(items) => items.into_iter().map(|item| tidy(item, time, masker)).collect(),
        Value::Object(fields) => Value::Object(object(fields, time, masker)),
        Value::Number(number) if time => {
            number.as_i64().and_then(super::time::utc).map_or(Value::Null, Value::String)
        }
        other => other,
    }
}

fn object(fields: Map<String, Value>, time: bool, masker: &Masker<'_>) -> Map<String, Value> {
    let tidy = |(name, value): (String, Value)| {
        let time = TIMES.contains(&name.as_str()) || time && name == "value";
        (masked(&name, masker), tidy(value, time, masker))
    };
    fields.into_iter().map(tidy).collect()
}

fn masked(text: &str, masker: &Masker<'_>) -> String {
    exact(&masker.mask_told(text)).into_owned()
}
