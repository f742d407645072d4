//! Every mail in both languages, with harmless and hostile partner names.

use jiff::Timestamp;
use serde_json::json;
use tandem_domain::ids::{CallbackId, ConnectionId};
use tandem_domain::mail::{
    AboutCarts, Mail, MailKind, NamedCart, Occasion, SharedOfferRef, TermsProposal,
};
use tandem_domain::tenancy::MailLanguage;
use tandem_domain::terms::Terms;
use tandem_domain::text::Name;
use tandem_mail::{RenderedMail, render};

const CONNECTION: &str = "con_0190b8f5c6f77c3ab0a1c2d3e4f50617";
const OFFER: &str = "off_0190b8f5c6f77c3ab0a1c2d3e4f50619";
const CALLBACK: &str = "cbk_0190b8f5c6f77c3ab0a1c2d3e4f50618";

fn kinds(name: &str) -> Vec<(&'static str, MailKind)> {
    let name = || stored_name(name);
    let connection_id: ConnectionId = CONNECTION.parse().expect("an id");
    let callback_id: CallbackId = CALLBACK.parse().expect("an id");
    let failing_since: Timestamp = "2026-06-27T12:34:56.789Z".parse().expect("a time");
    let mut kinds = vec![
        (
            "invitation",
            MailKind::Invitation {
                source_name: name(),
                connection_id,
            },
        ),
        (
            "accepted",
            MailKind::InvitationAccepted {
                target_name: name(),
                connection_id,
            },
        ),
        (
            "declined",
            MailKind::InvitationDeclined {
                target_name: name(),
                connection_id,
            },
        ),
        (
            "withdrawn",
            MailKind::InvitationWithdrawn {
                source_name: name(),
                connection_id,
            },
        ),
        (
            "blocked",
            MailKind::ConnectionBlocked {
                by_name: name(),
                connection_id,
            },
        ),
        (
            "unblocked",
            MailKind::ConnectionUnblocked {
                by_name: name(),
                connection_id,
                still_blocked: false,
            },
        ),
        (
            "block_taken_back",
            MailKind::ConnectionUnblocked {
                by_name: name(),
                connection_id,
                still_blocked: true,
            },
        ),
        (
            "exhausted",
            MailKind::CallbackExhausted {
                callback_id,
                connection_id: Some(connection_id),
                attempts: 10,
            },
        ),
        (
            "own_exhausted",
            MailKind::CallbackExhausted {
                callback_id,
                connection_id: None,
                attempts: 10,
            },
        ),
        (
            "disabled",
            MailKind::EndpointDisabled {
                callback_id,
                connection_id: Some(connection_id),
            },
        ),
        (
            "own_disabled",
            MailKind::EndpointDisabled {
                callback_id,
                connection_id: None,
            },
        ),
        (
            "failing",
            MailKind::EndpointFailing {
                callback_id,
                connection_id: Some(connection_id),
                failing_since,
            },
        ),
        (
            "own_failing",
            MailKind::EndpointFailing {
                callback_id,
                connection_id: None,
                failing_since,
            },
        ),
        (
            "given_up",
            MailKind::EndpointGivenUp {
                callback_id,
                connection_id: Some(connection_id),
                failing_since,
            },
        ),
        (
            "own_given_up",
            MailKind::EndpointGivenUp {
                callback_id,
                connection_id: None,
                failing_since,
            },
        ),
    ];
    kinds.extend(about_offers(name(), connection_id));
    kinds
}

fn about_offers(name: Name, connection_id: ConnectionId) -> Vec<(&'static str, MailKind)> {
    let terms = |version, cents, share| {
        let price = json!({"amount": cents, "currency": "EUR"});
        let terms = json!({"version": version, "price": price, "sellerShareBasisPoints": share});
        serde_json::from_value::<Terms>(terms).expect("terms")
    };
    let offer = || SharedOfferRef {
        source_id: "cli_0190b8f5c6f77c3ab0a1c2d3e4f50611"
            .parse()
            .expect("an id"),
        source_name: name.clone(),
        connection_id,
        offer_id: OFFER.parse().expect("an id"),
        offer_name: stored_name("Alpenblick"),
    };
    let carts = |more_carts| AboutCarts {
        carts: vec![NamedCart {
            id: "crt_0190b8f5c6f77c3ab0a1c2d3e4f50612"
                .parse()
                .expect("an id"),
            name: stored_name("Stadt und Berge"),
        }],
        more_carts,
    };
    let proposed = |occasion, until: Option<&str>, more| MailKind::TermsProposed {
        offer: offer(),
        proposal: TermsProposal {
            accepted: terms(1, 990, 3_000),
            proposed: terms(2, 4_990, 1_250),
            sell_old_terms_until: until.map(|until| until.parse().expect("a time")),
        },
        occasion,
        carts: carts(more),
    };
    let access = |is_on, carts| MailKind::OffersAccess {
        source_name: name.clone(),
        connection_id,
        is_on,
        carts,
    };
    let until = Some("2026-08-01T00:00:00Z");
    vec![
        ("access_off", access(false, carts(false))),
        ("access_on", access(true, AboutCarts::default())),
        (
            "archived",
            MailKind::OfferArchived {
                offer: offer(),
                carts: carts(true),
            },
        ),
        ("proposed", proposed(Occasion::Proposed, None, false)),
        ("proposed_until", proposed(Occasion::Proposed, until, true)),
        ("expiring", proposed(Occasion::DayBefore, until, false)),
        (
            "terms_accepted",
            MailKind::TermsAccepted {
                target_name: name.clone(),
                connection_id,
                offer_id: OFFER.parse().expect("an id"),
                offer_name: stored_name("Alpenblick"),
                terms: terms(2, 4_990, 1_250),
            },
        ),
    ]
}

/// Fails to compile when a kind is added: add it to [`kinds`] too.
fn kind_count(kind: &MailKind) -> usize {
    match kind {
        MailKind::Invitation { .. }
        | MailKind::InvitationAccepted { .. }
        | MailKind::InvitationDeclined { .. }
        | MailKind::InvitationWithdrawn { .. }
        | MailKind::ConnectionBlocked { .. }
        | MailKind::OfferArchived { .. }
        | MailKind::TermsAccepted { .. } => 1,
        // With and without a block of the recipient; with and without a connection.
        MailKind::ConnectionUnblocked { .. }
        | MailKind::CallbackExhausted { .. }
        | MailKind::EndpointDisabled { .. }
        | MailKind::EndpointFailing { .. }
        | MailKind::EndpointGivenUp { .. }
        | MailKind::OffersAccess { .. } => 2,
        // Without and with a deadline, and before it.
        MailKind::TermsProposed { .. } => 3,
    }
}

/// A name as stored in a row: not validated, so it may hold any text.
fn stored_name(name: &str) -> Name {
    serde_json::from_value(json!(name)).expect("a text")
}

fn mail(kind: MailKind, language: MailLanguage) -> Mail {
    let mail = json!({
        "id": "mal_0190b8f5c6f77c3ab0a1c2d3e4f50601",
        "clientId": "cli_0190b8f5c6f77c3ab0a1c2d3e4f50602",
        "email": "partner@example.com",
        "language": language,
        "kind": kind,
        "status": "waiting",
        "dueAt": "2026-07-01T12:00:00Z",
        "tries": 0,
        "createdAt": "2026-07-01T12:00:00Z",
        "version": 1,
    });
    let mail: Mail = serde_json::from_value(mail).expect("a mail");
    assert_eq!(
        mail.due_at(),
        Some("2026-07-01T12:00:00Z".parse::<Timestamp>().expect("a time"))
    );
    mail
}

fn rendered(kind: MailKind, language: MailLanguage) -> RenderedMail {
    render(&mail(kind, language)).expect("rendered")
}

#[test]
fn the_list_of_kinds_is_complete() {
    for (about, kind) in kinds("Tagblatt") {
        let same =
            |other: &MailKind| std::mem::discriminant(other) == std::mem::discriminant(&kind);
        let listed = kinds("Tagblatt")
            .iter()
            .filter(|(_, other)| same(other))
            .count();
        assert_eq!(listed, kind_count(&kind), "{about}");
    }
}

#[test]
fn every_mail_has_text_and_html_in_both_languages() {
    for (language, tag) in [(MailLanguage::De, "de"), (MailLanguage::En, "en")] {
        for (about, kind) in kinds("Tagblatt Süd & Söhne") {
            let RenderedMail {
                subject,
                text,
                html,
            } = rendered(kind, language);
            insta::assert_snapshot!(
                format!("{about}_{tag}.txt"),
                format!("Subject: {subject}\n\n{text}")
            );
            insta::assert_snapshot!(format!("{about}_{tag}.html"), html);
        }
    }
}

#[test]
fn text_and_html_have_the_same_content() {
    for language in [MailLanguage::De, MailLanguage::En] {
        for (about, kind) in kinds("Tagblatt") {
            let RenderedMail { text, html, .. } = rendered(kind, language);
            for line in text
                .lines()
                .map(str::trim)
                .filter(|line| !line.is_empty() && *line != "--")
            {
                assert!(html.contains(line), "{about}: {line}");
            }
        }
    }
}

/// The tags of an HTML document, without its text.
fn markup(html: &str) -> Vec<&str> {
    html.split('<')
        .skip(1)
        .map(|tag| tag.split_once('>').expect("tags end").0)
        .collect()
}

#[test]
fn no_name_changes_the_markup() {
    let names = [
        "</p><script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "\"onmouseover='x'",
        "&lt;b&gt; &amp;",
        "{{ self.0.footer }}",
        "{ $connection }",
        "<!--",
    ];
    for language in [MailLanguage::De, MailLanguage::En] {
        for name in names {
            for ((about, kind), (_, plain)) in kinds(name).into_iter().zip(kinds("Tagblatt")) {
                let (html, expected) = (
                    rendered(kind, language).html,
                    rendered(plain, language).html,
                );
                assert_eq!(markup(&html), markup(&expected), "{about} with {name}");
            }
        }
    }
}

#[test]
fn an_escaped_name_is_unchanged_for_the_reader() {
    let (_, invitation) = kinds("A <b> & \"C\"").remove(0);
    let RenderedMail {
        subject,
        text,
        html,
    } = rendered(invitation, MailLanguage::En);
    assert!(subject.contains("A <b> & \"C\"") && text.contains("A <b> & \"C\""));
    assert!(html.contains("A &#60;b&#62; &#38; &#34;C&#34;"), "{html}");
}

#[test]
fn no_name_adds_line_breaks_or_text_direction() {
    let forbidden = [
        '\r', '\u{85}', '\u{2028}', '\u{2029}', '\u{202e}', '\u{202b}', '\u{2066}', '\u{2067}',
        '\u{200f}', '\0',
    ];
    let name = format!(
        "Tag\r\nBcc: x@example.com\n\n{}blatt",
        String::from_iter(forbidden)
    );
    for language in [MailLanguage::De, MailLanguage::En] {
        for ((about, kind), (_, plain)) in kinds(&name)
            .into_iter()
            .zip(kinds("TagBcc: x@example.comblatt"))
        {
            let RenderedMail {
                subject,
                text,
                html,
            } = rendered(kind, language);
            let expected = rendered(plain, language);
            assert!(!subject.contains(|c: char| c.is_control()), "{about}");
            assert!(
                !text.contains(forbidden) && !html.contains(forbidden),
                "{about}"
            );
            assert_eq!(
                (subject, text, html),
                (expected.subject, expected.text, expected.html),
                "{about}"
            );
        }
    }
}

#[test]
fn every_mail_names_its_connection_and_its_client() {
    for language in [MailLanguage::De, MailLanguage::En] {
        for (about, kind) in kinds("Tagblatt") {
            let RenderedMail { text, .. } = rendered(kind, language);
            // The client's own event endpoint belongs to no connection.
            assert!(
                text.contains(CONNECTION) != about.starts_with("own_"),
                "{about}"
            );
            assert!(
                text.contains("cli_0190b8f5c6f77c3ab0a1c2d3e4f50602"),
                "{about}"
            );
        }
    }
}

#[test]
fn the_invitation_contains_the_call_to_accept() {
    for language in [MailLanguage::De, MailLanguage::En] {
        let (_, invitation) = kinds("Tagblatt").remove(0);
        let RenderedMail { text, html, .. } = rendered(invitation, language);
        let call = format!("POST /v1/connections/{CONNECTION}/accept");
        assert!(text.contains(&call) && html.contains(&call));
    }
}

#[test]
fn the_html_names_its_language() {
    let (_, invitation) = kinds("Tagblatt").remove(0);
    assert!(
        rendered(invitation.clone(), MailLanguage::De)
            .html
            .contains("<html lang=\"de\"")
    );
    assert!(
        rendered(invitation, MailLanguage::En)
            .html
            .contains("<html lang=\"en\"")
    );
}

#[test]
fn one_attempt_is_singular() {
    let exhausted = |attempts| MailKind::CallbackExhausted {
        callback_id: CALLBACK.parse().expect("an id"),
        connection_id: None,
        attempts,
    };
    for (language, singular, plural) in [
        (
            MailLanguage::De,
            "nach 1 Versuch nicht",
            "nach 2 Versuchen nicht",
        ),
        (MailLanguage::En, "after 1 attempt.", "after 2 attempts."),
    ] {
        assert!(rendered(exhausted(1), language).text.contains(singular));
        assert!(rendered(exhausted(2), language).text.contains(plural));
    }
}

#[test]
fn a_name_is_never_read_as_catalogue_syntax() {
    let (_, invitation) = kinds("{ $connection }").remove(0);
    let subject = rendered(invitation, MailLanguage::En).subject;
    assert_eq!(subject, "“{ $connection }” invites you to sell together");
}
