//! Companies, clients and their keys.

use std::collections::BTreeSet;

use jiff::SignedDuration;
use serde_json::{Value, json};
use tandem_domain::ids::CompanyId;
use tandem_domain::tenancy::{
    ApiKey, Client, ClientDraft, ClientEdit, CompanyDraft, CompanyEdit, ContractingCompany,
    KeyDraft, KeyStatus, MailLanguage, Modules, OwnEdit,
};
use tandem_domain::zone::Zone;

use crate::fixtures::{client, codes, company, email, id, name, now, yesterday, zone};

#[test]
fn a_new_company_has_only_the_booked_module() {
    let made = |draft| {
        CompanyDraft::parse(&draft)
            .expect("a draft")
            .create(id(1), now())
    };
    let plain = ContractingCompany {
        id: id(1),
        name: name("Verlag"),
        modules: Modules {
            cross_client_connections: false,
        },
        time_zone: Zone::default(),
        disabled_clients: BTreeSet::new(),
        created_at: now(),
        version: 1,
    };
    assert_eq!(made(json!({"name": "Verlag"})), plain);
    let modules = Modules {
        cross_client_connections: true,
    };
    let booked = json!({"name": "Verlag", "modules": {"crossClientConnections": true}});
    assert_eq!(
        made(booked),
        ContractingCompany {
            modules,
            ..plain.clone()
        }
    );
    let in_berlin = ContractingCompany {
        time_zone: zone("Europe/Berlin"),
        ..plain
    };
    assert_eq!(
        made(json!({"name": "Verlag", "timeZone": "Europe/Berlin"})),
        in_berlin
    );
}

#[test]
fn an_edit_of_a_company_changes_its_fields_only() {
    let edited = |edit| {
        CompanyEdit::parse(&edit)
            .expect("an edit")
            .apply(company(1, true))
    };
    assert_eq!(edited(json!({})), company(1, true));
    assert_eq!(
        edited(json!({"modules": {"crossClientConnections": false}})),
        company(1, false)
    );
    assert_eq!(
        edited(json!({"name": "Neu"})),
        ContractingCompany {
            name: name("Neu"),
            ..company(1, true)
        }
    );
    assert_eq!(
        edited(json!({"timeZone": "Europe/Vienna"})),
        ContractingCompany {
            time_zone: zone("Europe/Vienna"),
            ..company(1, true)
        }
    );
}

#[test]
fn a_client_belongs_to_a_company() {
    let company: CompanyId = id(1);
    let draft = json!({"contractingCompanyId": company, "name": "Tagblatt", "email": "a@example.com", "language": "en"});
    let expected = Client {
        id: id(11),
        company_id: company,
        name: name("Tagblatt"),
        email: email("a@example.com"),
        language: MailLanguage::En,
        disabled_at: None,
        created_at: now(),
        version: 1,
    };
    assert_eq!(
        ClientDraft::parse(&draft)
            .expect("a draft")
            .create(id(11), now()),
        expected
    );
}

#[test]
fn an_edit_of_a_client_changes_its_members_only() {
    let before = client(11, &company(1, true));
    let edited = |body: Value, client: &Client, now| {
        ClientEdit::parse(&body)
            .expect("an edit")
            .apply(client.clone(), now)
    };
    assert_eq!(edited(json!({}), &before, now()), before);
    let body = json!({"name": "Neu", "email": "neu@example.com", "language": "en"});
    let expected = Client {
        name: name("Neu"),
        email: email("neu@example.com"),
        language: MailLanguage::En,
        ..before.clone()
    };
    assert_eq!(edited(body, &before, now()), expected);
    let disabled = edited(json!({"disabled": true}), &before, yesterday());
    assert_eq!(disabled.disabled_at, Some(yesterday()));
    let again = edited(json!({"disabled": true}), &disabled, now());
    assert_eq!(again, disabled, "the first time counts");
    assert_eq!(edited(json!({"disabled": false}), &disabled, now()), before);
    let own = OwnEdit::parse(&json!({"language": "en"})).expect("an edit");
    assert_eq!(own.apply(before.clone()).language, MailLanguage::En);
}

#[test]
fn a_company_notes_which_of_its_clients_are_disabled() {
    let (company, client) = (company(1, true), client(11, &company(1, true)));
    assert_eq!(company.with_client(&client), None, "nothing to note");
    let disabled = Client {
        disabled_at: Some(now()),
        ..client.clone()
    };
    let noted = company.with_client(&disabled).expect("a change");
    assert!(noted.has_disabled(client.id));
    assert_eq!(noted.with_client(&disabled), None);
    assert_eq!(noted.with_client(&client), Some(company));
}

#[test]
fn invalid_input_reports_each_wrong_member() {
    let errors = CompanyDraft::parse(&json!({"modules": {"crossClientConnections": 1, "x": 1}}))
        .expect_err("invalid input");
    let modules = [
        ("modules.crossClientConnections", "not_a_boolean"),
        ("modules.x", "unknown_field"),
    ];
    assert_eq!(
        codes(&errors),
        [&[("name", "required")][..], &modules].concat()
    );
    let errors = CompanyEdit::parse(&json!({"modules": {}, "timeZone": "Berlin"}))
        .expect_err("invalid input");
    assert_eq!(
        codes(&errors),
        [
            ("modules.crossClientConnections", "required"),
            ("timeZone", "unknown_time_zone")
        ]
    );
    let wrong = json!({"contractingCompanyId": "cli_1", "email": "x", "language": "fr"});
    let expected = [
        ("contractingCompanyId", "invalid"),
        ("name", "required"),
        ("email", "invalid_email"),
        ("language", "unknown_value"),
    ];
    assert_eq!(
        codes(&ClientDraft::parse(&wrong).expect_err("invalid input")),
        expected
    );
    let wrong =
        json!({"name": "", "scopes": ["catalog", "payouts:read"], "expiresAt": now(), "key": "x"});
    let expected = [
        ("name", "empty"),
        ("scopes[0]", "invalid"),
        ("expiresAt", "in_the_past"),
        ("key", "unknown_field"),
    ];
    assert_eq!(
        codes(&KeyDraft::parse(&wrong, now()).expect_err("invalid input")),
        expected
    );
}

fn key(body: &Value) -> ApiKey {
    let draft = KeyDraft::parse(body, yesterday()).expect("valid");
    draft.create(
        &client(11, &company(1, true)),
        "k1".to_owned(),
        "5f2a".to_owned(),
        yesterday(),
    )
}

#[test]
fn a_key_until_the_last_day_of_9999_does_not_expire() {
    for text in ["9999-12-31", "9999-12-31T23:59:59.999Z"] {
        assert_eq!(key(&json!({"expiresAt": text})).expires_at, None, "{text}");
    }
}

#[test]
fn the_first_revocation_of_a_key_counts() {
    let key = key(&json!({}));
    assert_eq!(key.status(now()), KeyStatus::Active);
    let revoked = key.revoke(yesterday());
    assert_eq!(revoked.status(now()), KeyStatus::Revoked);
    assert_eq!(revoked.revoke(now()).revoked_at, Some(yesterday()));
}

#[test]
fn a_key_is_refused_after_its_expiry() {
    let key = key(&json!({"expiresAt": now()}));
    assert_eq!(
        key.status(now() - SignedDuration::from_secs(1)),
        KeyStatus::Active
    );
    assert_eq!(key.status(now()), KeyStatus::Expired);
}

#[test]
fn the_last_use_of_a_key_is_recorded_once_a_day() {
    let used = key(&json!({})).used(now()).expect("a first use");
    assert_eq!(used.used(now()), None);
    let tomorrow = used
        .used(now() + SignedDuration::from_hours(24))
        .expect("another day");
    assert!(tomorrow.last_used_on > used.last_used_on);
}
