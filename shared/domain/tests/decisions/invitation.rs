//! Invitations.

use serde_json::{Value, json};
use tandem_domain::callback_url::LocalTargets;
use tandem_domain::connection::{
    Action, CallbackDraft, CallbackSettings, Change, ConnectionDraft, ConnectionError,
    HistoryEntry, Party, SealedSettings, Side, SigningSecret, State, modules_are_on,
};
use tandem_domain::ids::ClientId;
use tandem_domain::mail::MailKind;

use crate::fixtures::{Pair, callback_url, client, codes, company, id, now, sealed};

fn within() -> Value {
    json!({"targetClientId": id::<ClientId>(12), "offersAccess": true})
}

fn between() -> Value {
    json!({"targetClientId": id::<ClientId>(12), "offersAccess": false, "callback": {"url": "https://source.example.com/tandem"}})
}

fn invite(pair: &Pair, draft: &Value) -> Result<Change, ConnectionError> {
    let draft = ConnectionDraft::parse(draft, &LocalTargets::default()).expect("a draft");
    let (source, target) = (
        (&pair.source, &pair.source_company),
        (&pair.target, &pair.target_company),
    );
    draft.invite(id(50), source, target, settings, now())
}

fn settings(callback: &CallbackDraft) -> SealedSettings {
    let headers = callback.headers.as_ref();
    SealedSettings {
        secret: sealed("sealed"),
        headers: headers.and_then(|headers| headers.sealed(|text| text.to_vec().into())),
    }
}

#[test]
fn an_invitation_within_one_company_waits_for_the_target() {
    let pair = Pair::within_one_company();
    let change = invite(&pair, &within()).expect("allowed");
    let connection = &change.connection;
    assert_eq!(
        (connection.id, connection.state, connection.offers_access),
        (id(50), State::Invited, true)
    );
    assert_eq!(
        (&connection.source, &connection.target),
        (&Party::from(&pair.source), &Party::from(&pair.target))
    );
    assert_eq!(
        (
            connection.created_at,
            connection.updated_at,
            connection.version
        ),
        (now(), now(), 1)
    );
    assert_eq!(connection.callback, None);
    let entry = HistoryEntry {
        number: 1,
        at: now(),
        by: Side::Source,
        action: Action::Invited,
        changes: Vec::new(),
    };
    assert_eq!(change.entry, entry);
    let mail = MailKind::Invitation {
        source_name: pair.source.name,
        connection_id: id(50),
    };
    assert_eq!(change.mail, Some((Side::Target, mail)));
}

#[test]
fn an_invitation_between_two_companies_has_callback_settings() {
    let change = invite(&Pair::between_two_companies(), &between()).expect("allowed");
    let secrets = vec![SigningSecret {
        sealed: sealed("sealed"),
        created_at: now(),
        expires_at: None,
    }];
    let url = callback_url("https://source.example.com/tandem");
    assert_eq!(
        change.connection.callback,
        Some(CallbackSettings {
            url,
            secrets,
            headers: None
        })
    );
    assert!(!change.connection.offers_access);
}

#[test]
fn callback_settings_are_for_two_companies_only() {
    assert_eq!(
        invite(&Pair::between_two_companies(), &within()),
        Err(ConnectionError::CallbackMissing)
    );
    assert_eq!(
        invite(&Pair::within_one_company(), &between()),
        Err(ConnectionError::CallbackWithinCompany)
    );
}

#[test]
fn the_module_must_be_on_in_every_involved_company() {
    let source_off = Err(ConnectionError::ModuleOff { side: Side::Source });
    let target_off = Err(ConnectionError::ModuleOff { side: Side::Target });
    for (source, target, expected) in [
        (true, true, Ok(())),
        (false, true, source_off),
        (true, false, target_off),
        (false, false, source_off),
    ] {
        assert_eq!(
            modules_are_on(&company(1, source), &company(2, target)),
            expected
        );
        let mut pair = Pair::between_two_companies();
        pair.source_company.modules.cross_client_connections = source;
        pair.target_company.modules.cross_client_connections = target;
        assert_eq!(
            invite(&pair, &between()).map(drop),
            expected,
            "{source} {target}"
        );
    }
}

#[test]
fn a_client_cannot_invite_itself() {
    let mut pair = Pair::within_one_company();
    pair.target = client(11, &pair.source_company);
    assert_eq!(invite(&pair, &within()), Err(ConnectionError::Itself));
}

#[test]
fn an_invalid_invitation_reports_each_wrong_member() {
    let local = LocalTargets::default();
    let errors = ConnectionDraft::parse(&json!({"callback": {}, "sourceClientId": "x"}), &local)
        .expect_err("invalid input");
    assert_eq!(
        codes(&errors),
        [
            ("targetClientId", "required"),
            ("offersAccess", "required"),
            ("callback.url", "required"),
            ("sourceClientId", "unknown_field"),
        ]
    );
    let wrong = json!({"targetClientId": "cco_0190b8f5c6f77c3ab0a1c2d3e4f50617", "offersAccess": 1, "callback": "x"});
    let errors = ConnectionDraft::parse(&wrong, &local).expect_err("invalid input");
    assert_eq!(
        codes(&errors),
        [
            ("targetClientId", "invalid"),
            ("offersAccess", "not_a_boolean"),
            ("callback", "not_an_object")
        ]
    );
    assert_eq!(
        codes(&ConnectionDraft::parse(&json!([]), &local).expect_err("invalid input")),
        [("", "not_an_object")]
    );
}
