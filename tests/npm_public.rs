//! Public data of npm, whatever the server answers: nothing panics, nothing is
//! asked without end, and nothing but plain questions leaves.

use std::collections::BTreeSet;
use std::sync::Mutex;

use proptest::prelude::*;
use serde_json::{Value, json};
use tokensweep::model::NPM_REGISTRY;
use tokensweep::registry::npm::public;
use tokensweep::registry::{Answer, Ask, Method, NPM_DOWNLOADS, NoAnswer, Request};

/// Says the same to everybody, and keeps what was asked.
struct Parrot {
    answer: Answer,
    asked: Mutex<Vec<Request>>,
}

impl Parrot {
    fn new(status: u16, body: Vec<u8>, cut: bool) -> Self {
        let answer = Answer { status, body, cut, ..Answer::default() };
        Self { answer, asked: Mutex::default() }
    }

    fn asked(&self) -> Vec<Request> {
        self.asked.lock().unwrap().clone()
    }
}

impl Ask for Parrot {
    fn ask(&self, request: &Request) -> Result<Answer, NoAnswer> {
        self.asked.lock().unwrap().push(request.clone());
        Ok(self.answer.clone())
    }
}

fn answer() -> impl Strategy<Value = Vec<u8>> {
    let key = prop_oneof![
        Just("objects"),
        Just("total"),
        Just("package"),
        Just("name"),
        Just("maintainers"),
        Just("username"),
        Just("publisher"),
        Just("links"),
        Just("repository"),
        Just("downloads"),
        Just("weekly"),
        Just("dependents"),
        Just("date"),
        Just("attestations"),
        Just("bundle"),
        Just("dsseEnvelope"),
        Just("payload"),
        Just("alice"),
        Just("pad"),
    ];
    let leaf = prop_oneof![
        3 => key.clone().prop_map(Value::from),
        1 => any::<String>().prop_map(Value::from),
        1 => any::<u64>().prop_map(Value::from),
        1 => any::<f64>().prop_map(Value::from),
        1 => any::<Option<bool>>().prop_map(Value::from),
    ];
    let json = leaf.prop_recursive(6, 60, 8, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec((key.clone(), inner), 0..8).prop_map(|fields| {
                Value::Object(fields.into_iter().map(|(name, it)| (name.to_owned(), it)).collect())
            }),
        ]
    });
    let text = json.prop_map(|json| json.to_string().into_bytes());
    prop_oneof![4 => text, 1 => prop::collection::vec(any::<u8>(), 0..200)]
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("pad".to_owned()),
        Just("@scope/pad".to_owned()),
        "[@/.a-z%?# \u{1b}-]{0,12}",
        any::<String>(),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn whatever_is_answered(
        body in answer(), status in prop_oneof![4 => Just(200), 1 => 100..600u16],
        cut in prop::bool::weighted(0.1), name in name(), user in name(), version in name(),
    ) {
        let parrot = Parrot::new(status, body, cut);
        let found = public::search(&parrot, NPM_REGISTRY, &user);
        prop_assert!(!found.how.is_empty());
        prop_assert!(found.hits.iter().all(|hit| public::is_package_name(&hit.name)));
        let _ = public::packument(&parrot, NPM_REGISTRY, &name);
        let _ = public::attestation(&parrot, NPM_REGISTRY, &name, &version);
        let _ = public::attestation(&parrot, NPM_REGISTRY, "pad", "1.0.0");
        let _ = public::downloads(&parrot, &[&name, "pad", "alice"]);
        let asked = parrot.asked();
        prop_assert!(asked.len() < 50);
        for request in asked {
            prop_assert!(request.secrets.is_empty() && request.path_secret.is_none());
            prop_assert!(request.method == Method::Get && request.body.is_none());
            prop_assert!([NPM_REGISTRY, NPM_DOWNLOADS].contains(&request.host.as_str()));
            prop_assert!(request.path.starts_with('/') && !request.path.contains("/.."));
            prop_assert!(request.path.bytes().all(|b| b.is_ascii_graphic() && b != b'#'));
            let questions = request.path.matches('?').count();
            prop_assert_eq!(questions, usize::from(request.path.starts_with("/-/v1/search?")));
        }
    }
}

/// An account with 2,000 packages takes eight searches.
#[test]
fn a_large_account_takes_few_questions() {
    struct Large(Mutex<usize>);
    impl Ask for Large {
        fn ask(&self, request: &Request) -> Result<Answer, NoAnswer> {
            *self.0.lock().unwrap() += 1;
            let from = request.path.rsplit('=').next().unwrap().parse::<usize>().unwrap();
            let hit = |n: usize| {
                json!({
                    "package": {"name": format!("pad-{n}"), "maintainers": [{"username": "alice"}]},
                    "downloads": {"weekly": n}, "dependents": 1,
                })
            };
            let hits: Vec<Value> = (from..2000.min(from + 250)).map(hit).collect();
            let body = json!({"objects": hits, "total": 2000}).to_string().into_bytes();
            Ok(Answer { status: 200, body, ..Answer::default() })
        }
    }
    let server = Large(Mutex::default());
    let found = public::search(&server, NPM_REGISTRY, "alice");
    let names: BTreeSet<&str> = found.hits.iter().map(|hit| hit.name.as_str()).collect();
    assert_eq!((names.len(), *server.0.lock().unwrap()), (2000, 8));
    assert_eq!(found.cut, None);
}
