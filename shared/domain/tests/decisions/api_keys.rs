//! API keys that a client manages itself.

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use serde_json::json;
use tandem_domain::scope::{Scope, Scopes};
use tandem_domain::tenancy::{ApiKey, KeyDraft, KeyError};

use crate::fixtures::{client, company, now, yesterday};

/// Words of scopes, with and without the management of keys.
const SCOPES: [&str; 5] = [
    "keys:write",
    "keys:read",
    "catalog:write",
    "catalog:read",
    "payouts:read",
];

fn any_scopes() -> impl Strategy<Value = Vec<&'static str>> {
    proptest::sample::subsequence(SCOPES.to_vec(), 1..=SCOPES.len())
}

/// Before and after now, or none.
fn any_end() -> impl Strategy<Value = Option<Timestamp>> {
    proptest::option::of((-3_i64..4).prop_map(|hours| now() + SignedDuration::from_hours(hours)))
}

fn any_key() -> impl Strategy<Value = ApiKey> {
    (any_scopes(), any_end(), proptest::bool::weighted(0.2)).prop_map(|(scopes, end, revoked)| {
        let draft = KeyDraft::parse(&json!({"scopes": scopes}), yesterday()).expect("a draft");
        let owner = client(11, &company(1, true));
        let key = draft.create(&owner, "k0".to_owned(), String::new(), yesterday());
        ApiKey {
            expires_at: end,
            revoked_at: revoked.then(yesterday),
            ..key
        }
    })
}

fn manages(key: &ApiKey) -> bool {
    key.revoked_at.is_none()
        && key.expires_at.is_none_or(|end| end > now())
        && key.scopes.allow(Scope::KEYS_WRITE)
}

fn end(key: &ApiKey) -> Timestamp {
    key.expires_at.unwrap_or(Timestamp::MAX)
}

proptest! {
    #[test]
    fn a_key_creates_no_key_beyond_itself(caller in any_key(), scopes in any_scopes(), own_end in any_end(), named in any::<[bool; 2]>()) {
        let mut body = json!({});
        if named[0] {
            body["scopes"] = json!(scopes);
        }
        if named[1] {
            body["expiresAt"] = own_end.map_or(json!("9999-12-31"), |end| json!(end));
        }
        let draft = KeyDraft::parse(&body, yesterday()).expect("a draft");
        match draft.create_by(&caller, "k1".to_owned(), String::new(), now()) {
            Ok(key) => {
                prop_assert!(manages(&caller));
                prop_assert!(key.scopes.iter().all(|scope| caller.scopes.allow(scope)));
                prop_assert!(end(&key) <= end(&caller));
                prop_assert_eq!(key.created_by, Some(caller.key_id));
                prop_assert_eq!((key.client_id, key.company_id), (caller.client_id, caller.company_id));
            }
            Err(KeyError::CallerInvalid) => prop_assert!(!manages(&caller)),
            Err(KeyError::BeyondScopes(beyond)) => {
                prop_assert!(named[0] && !beyond.is_empty());
                prop_assert!(beyond.iter().all(|scope| !caller.scopes.allow(*scope)));
            }
            Err(KeyError::BeyondExpiry(limit)) => {
                prop_assert_eq!(Some(limit), caller.expires_at);
                prop_assert!(named[1] && own_end.is_none_or(|own| own > limit));
            }
            Err(KeyError::LastKey) => prop_assert!(false, "only for a revocation"),
        }
    }

    #[test]
    fn a_key_revokes_each_other_key_but_itself_only_if_one_remains(
        mut keys in proptest::collection::vec(any_key(), 1..5),
        caller in any::<proptest::sample::Index>(),
        revoked in any::<proptest::sample::Index>(),
    ) {
        for (number, key) in keys.iter_mut().enumerate() {
            key.key_id = format!("k{number}");
        }
        let (caller, revoked) = (caller.get(&keys), revoked.get(&keys));
        let is_itself = caller.key_id == revoked.key_id;
        let lasts = |key: &ApiKey| manages(key) && key.key_id != caller.key_id && end(key) >= end(caller);
        match revoked.clone().revoke_by(caller, &keys, now()) {
            Ok(revocation) => {
                prop_assert!(manages(caller));
                prop_assert!(revocation.revoked.revoked_at.is_some());
                prop_assert_eq!(&revocation.revoked.key_id, &revoked.key_id);
                prop_assert_ne!(&revocation.remaining.key_id, &revoked.key_id);
                prop_assert!(manages(&revocation.remaining));
                prop_assert!(!is_itself || lasts(&revocation.remaining));
            }
            Err(KeyError::CallerInvalid) => prop_assert!(!manages(caller)),
            Err(KeyError::LastKey) => prop_assert!(is_itself && !keys.iter().any(lasts)),
            Err(other) => prop_assert!(false, "{other}"),
        }
    }
}

#[test]
fn stored_keys_without_scopes_do_not_manage_keys() {
    let draft = KeyDraft::parse(&json!({}), yesterday()).expect("a draft");
    let owner = client(11, &company(1, true));
    let key = draft.create(&owner, "k1".to_owned(), String::new(), yesterday());
    assert!(
        key.scopes.allow(Scope::KEYS_WRITE),
        "a new key may do everything"
    );
    let mut stored = serde_json::to_value(&key).expect("JSON");
    stored.as_object_mut().expect("members").remove("scopes");
    let key: ApiKey = serde_json::from_value(stored).expect("a row of an earlier release");
    assert_eq!(key.scopes, Scopes::without_keys());
    assert!(!key.scopes.allow(Scope::KEYS_WRITE));
}
