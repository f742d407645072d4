//! Edits of a connection by the source, and the rotation of its signing secret.

use jiff::SignedDuration;
use serde_json::{Value, json};
use tandem_domain::callback_url::LocalTargets;
use tandem_domain::connection::{
    Action, BLOCK_MAILS_PER_HOUR, Blocks, CallbackSettings, Connection, ConnectionEdit,
    ConnectionError, SECRET_OVERLAP, Side, SigningSecret, State,
};
use tandem_domain::mail::{AboutCarts, MailKind};

use tandem_domain::sealed::Sealed;

use crate::fixtures::{Pair, callback_url, codes, now, sealed, yesterday};

fn seal(text: &[u8]) -> Sealed {
    [b"sealed ", text].concat().into()
}

fn edit(value: &Value) -> ConnectionEdit {
    ConnectionEdit::parse(value, &LocalTargets::default()).expect("an edit")
}

fn states() -> [State; 5] {
    let blocked = State::Blocked(Blocks::by(Side::Target, yesterday()));
    [
        State::Invited,
        State::Active,
        blocked,
        State::Declined,
        State::Withdrawn,
    ]
}

#[test]
fn only_the_source_edits_a_live_connection() {
    for state in states() {
        let connection = Connection {
            state,
            ..Pair::between_two_companies().connection
        };
        let edited = |by| {
            connection
                .clone()
                .edit(edit(&json!({"offersAccess": false})), seal, by, now())
                .map(|change| change.entry.by)
        };
        let rotated = |by| {
            connection
                .clone()
                .rotate_secret(sealed("new"), by, now())
                .map(|change| change.entry.by)
        };
        let status = state.as_str();
        let expected = match state {
            State::Invited | State::Active | State::Blocked(_) => Ok(Side::Source),
            State::Declined | State::Withdrawn => Err(ConnectionError::EditImpossible { status }),
        };
        assert_eq!(edited(Side::Source), expected, "{status}");
        assert_eq!(rotated(Side::Source), expected, "{status}");
        assert_eq!(
            edited(Side::Target),
            Err(ConnectionError::EditByTarget),
            "{status}"
        );
        assert_eq!(
            rotated(Side::Target),
            Err(ConnectionError::EditByTarget),
            "{status}"
        );
    }
}

#[test]
fn only_the_source_resends_an_open_invitation() {
    for state in states() {
        let connection = Connection {
            state,
            ..Pair::between_two_companies().connection
        };
        let resent = |by| connection.clone().resend_invitation(by, now());
        let status = state.as_str();
        assert_eq!(
            resent(Side::Target),
            Err(ConnectionError::ResendByTarget),
            "{status}"
        );
        match resent(Side::Source) {
            Ok(change) => {
                assert_eq!(state, State::Invited);
                let source_name = connection.source.name.clone();
                let connection_id = connection.id;
                let mail = MailKind::Invitation {
                    source_name,
                    connection_id,
                };
                assert_eq!(change.mail, Some((Side::Target, mail)));
                assert_eq!(change.entry.action, Action::InvitationResent);
                let expected = Connection {
                    updated_at: now(),
                    ..connection.clone()
                };
                assert_eq!(change.connection, expected);
                assert_eq!(change.events(), []);
            }
            Err(error) => {
                assert_ne!(state, State::Invited);
                assert_eq!(error, ConnectionError::ResendImpossible { status });
            }
        }
    }
}

#[test]
fn an_edit_is_in_the_history_and_access_is_mailed() {
    let before = Pair::between_two_companies().connection;
    let asked = json!({"offersAccess": false, "callback": {"url": "https://new.example.com/"}});
    let change = before
        .clone()
        .edit(edit(&asked), seal, Side::Source, now())
        .expect("allowed");
    assert_eq!(change.entry.action, Action::Edited);
    assert_eq!(change.entry.number, before.version + 1);
    assert_eq!(
        change.entry.changes,
        ["offersAccess: false", "callback.url"]
    );
    let mail = MailKind::OffersAccess {
        source_name: before.source.name.clone(),
        connection_id: before.id,
        is_on: false,
        carts: AboutCarts::default(),
    };
    assert_eq!(change.mail, Some((Side::Target, mail)));
    let secrets = before.callback.clone().expect("settings").secrets;
    let callback = Some(CallbackSettings {
        url: callback_url("https://new.example.com/"),
        secrets,
        headers: None,
    });
    assert_eq!(
        change.connection,
        Connection {
            offers_access: false,
            callback,
            block_mails: change.connection.block_mails,
            updated_at: now(),
            ..before
        }
    );
}

#[test]
fn mails_about_access_are_for_sellers_and_limited() {
    let toggled = |connection: Connection| {
        let access = json!({"offersAccess": !connection.offers_access});
        let change = connection.edit(edit(&access), seal, Side::Source, now());
        change.expect("allowed")
    };
    let mut connection = Pair::within_one_company().connection;
    let mut mails = 0;
    for _ in 0..=BLOCK_MAILS_PER_HOUR {
        let change = toggled(connection);
        mails += u32::from(change.mail.is_some());
        connection = change.connection;
    }
    assert_eq!(mails, BLOCK_MAILS_PER_HOUR);
    let mut invited = Pair::within_one_company().connection;
    invited.state = State::Invited;
    assert_eq!(toggled(invited).mail, None);
}

#[test]
fn an_edit_to_the_same_access_is_no_change() {
    let connection = Pair::within_one_company().connection;
    let change = connection
        .edit(
            edit(&json!({"offersAccess": true})),
            seal,
            Side::Source,
            now(),
        )
        .expect("allowed");
    assert!(change.entry.changes.is_empty());
    assert!(change.connection.offers_access);
}

#[test]
fn a_connection_within_one_company_has_no_callback() {
    let connection = Pair::within_one_company().connection;
    let asked = edit(&json!({"callback": {"url": "https://new.example.com/"}}));
    assert_eq!(
        connection.clone().edit(asked, seal, Side::Source, now()),
        Err(ConnectionError::CallbackWithinCompany)
    );
    let rotated = connection.rotate_secret(sealed("new"), Side::Source, now());
    assert_eq!(rotated, Err(ConnectionError::CallbackWithinCompany));
}

#[test]
fn an_invalid_edit_reports_each_wrong_member() {
    let wrong = json!({"offersAccess": "yes", "callback": {"url": "http://example.com/", "secret": "x"}, "status": "active"});
    let errors =
        ConnectionEdit::parse(&wrong, &LocalTargets::default()).expect_err("invalid input");
    assert_eq!(
        codes(&errors),
        [
            ("offersAccess", "not_a_boolean"),
            ("callback.url", "not_https"),
            ("callback.secret", "unknown_field"),
            ("status", "unknown_field"),
        ]
    );
}

fn secret(
    text: &str,
    created_at: jiff::Timestamp,
    expires_at: Option<jiff::Timestamp>,
) -> SigningSecret {
    SigningSecret {
        sealed: sealed(text),
        created_at,
        expires_at,
    }
}

#[test]
fn a_rotation_adds_the_new_secret_and_expires_the_old_one() {
    let connection = Pair::between_two_companies().connection;
    let change = connection
        .rotate_secret(sealed("sealed 2"), Side::Source, now())
        .expect("allowed");
    assert_eq!(change.entry.action, Action::SecretRotated);
    assert_eq!(change.mail, None);
    let secrets = change.connection.callback.expect("settings").secrets;
    assert_eq!(
        secrets,
        [
            secret("sealed 2", now(), None),
            secret("sealed 1", yesterday(), Some(now() + SECRET_OVERLAP))
        ]
    );
}

#[test]
fn both_secrets_sign_only_during_the_overlap() {
    let mut settings = Pair::between_two_companies()
        .connection
        .callback
        .expect("settings");
    settings.rotate(sealed("sealed 2"), now());
    let signing = |time| {
        settings
            .secrets_at(time)
            .map(|secret| String::from_utf8_lossy(&secret.sealed))
            .collect::<Vec<_>>()
    };
    assert_eq!(signing(now()), ["sealed 2", "sealed 1"]);
    let last = now() + SECRET_OVERLAP - SignedDuration::from_millis(1);
    assert_eq!(signing(last), ["sealed 2", "sealed 1"]);
    assert_eq!(signing(now() + SECRET_OVERLAP), ["sealed 2"]);
}

#[test]
fn only_the_newest_five_secrets_sign() {
    let mut settings = Pair::between_two_companies()
        .connection
        .callback
        .expect("settings");
    for number in 0..20 {
        settings.rotate(sealed(&format!("sealed {number}")), now());
    }
    let used: Vec<_> = settings
        .secrets_at(now())
        .map(|secret| String::from_utf8_lossy(&secret.sealed))
        .collect();
    assert_eq!(
        used,
        [
            "sealed 19",
            "sealed 18",
            "sealed 17",
            "sealed 16",
            "sealed 15"
        ]
    );
}

#[test]
fn a_second_rotation_does_not_extend_the_oldest_secret() {
    let mut settings = Pair::between_two_companies()
        .connection
        .callback
        .expect("settings");
    let hour = SignedDuration::from_hours(1);
    settings.rotate(sealed("sealed 2"), now());
    settings.rotate(sealed("sealed 3"), now() + hour);
    assert_eq!(
        settings.secrets,
        [
            secret("sealed 3", now() + hour, None),
            secret("sealed 2", now(), Some(now() + hour + SECRET_OVERLAP)),
            secret("sealed 1", yesterday(), Some(now() + SECRET_OVERLAP)),
        ]
    );
    settings.rotate(sealed("sealed 4"), now() + SECRET_OVERLAP);
    let kept: Vec<_> = settings
        .secrets
        .iter()
        .map(|secret| String::from_utf8_lossy(&secret.sealed))
        .collect();
    assert_eq!(kept, ["sealed 4", "sealed 3", "sealed 2"]);
}
