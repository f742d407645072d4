//! The events of a changed connection.

use serde_json::json;
use tandem_domain::callback_url::LocalTargets;
use tandem_domain::connection::{ConnectionEdit, Side};

use super::{Outcome, applied, table};
use crate::fixtures::{Pair, now, sealed};

#[test]
fn every_transition_is_an_event_of_both_sides() {
    for (from, transition, by_source, by_target) in table() {
        for (by, outcome) in [(Side::Source, by_source), (Side::Target, by_target)] {
            let Outcome::To(state) = outcome else {
                continue;
            };
            let (before, change) = applied(from, transition, by);
            let events = change.events();
            assert_eq!(events.len(), 2, "{from}, {transition}");
            for (event, role) in events.iter().zip([Side::Source, Side::Target]) {
                assert_eq!(event.client_id, before.party(role).client_id);
                assert_eq!(event.connection_id, None, "it goes to the event endpoint");
                let expected = format!("connection.{}", change.entry.action);
                assert_eq!(event.event.as_str(), expected);
                let said = ["role", "by", "status"].map(|name| event.data[name].clone());
                assert_eq!(said, [json!(role), json!(by), json!(state.as_str())]);
            }
        }
    }
}

#[test]
fn only_a_changed_access_is_an_event_of_an_edit() {
    let connection = Pair::between_two_companies().connection;
    let events = |body| {
        let edit = ConnectionEdit::parse(&body, &LocalTargets::default()).expect("an edit");
        let change =
            connection
                .clone()
                .edit(edit, |text| text.to_vec().into(), Side::Source, now());
        let events = change.expect("allowed").events();
        events.into_iter().map(|event| event.event.as_str())
    };
    let url = json!({"url": "https://new.example.com/"});
    assert_eq!(events(json!({"callback": url})).count(), 0);
    assert_eq!(events(json!({"offersAccess": true})).count(), 0);
    for body in [
        json!({"offersAccess": false}),
        json!({"offersAccess": false, "callback": url}),
    ] {
        let events: Vec<_> = events(body).collect();
        assert_eq!(events, ["connection.accessChanged"; 2]);
    }
    let rotated = connection
        .clone()
        .rotate_secret(sealed("new"), Side::Source, now());
    assert_eq!(rotated.expect("allowed").events(), []);
}
