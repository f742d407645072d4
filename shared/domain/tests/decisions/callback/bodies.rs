//! The stored parts of a body, and the body that is sent.

use proptest::prelude::*;
use serde_json::{Value, json};
use tandem_domain::callback::{Announcement, Callback, Concerned, EventType};

use crate::fixtures::{id, now, sealed, yesterday};

fn announcement(data: Value) -> Announcement {
    Announcement {
        client_id: id(11),
        connection_id: Some(id(20)),
        order_id: Some(id(50)),
        subscription_id: Some(id(70)),
        event: EventType::OrderCreated,
        data,
    }
}

fn concerned() -> Concerned {
    Concerned {
        company_id: id(2),
        customer_id: id(40),
    }
}

/// The row, and the stored parts of its body.
fn stored(mut announcement: Announcement) -> (Callback, Vec<u8>, Option<Vec<u8>>) {
    let person = announcement.take_person();
    let kept = announcement.kept(Some(concerned()), now());
    let callback = Callback {
        concerned: Some(concerned()),
        sealed_person: person.as_ref().map(|_| sealed("sealed person")),
        ..announcement.into_callback(id(80), sealed("sealed"), now())
    };
    (callback, kept, person)
}

fn sale() -> Value {
    json!({
        "connectionId": "con_0190b8f5c6f77c3ab0a1000000000014",
        "order": {"id": "ord_0190b8f5c6f77c3ab0a1000000000032", "createdAt": now()},
        "subscription": {"id": "sub_0190b8f5c6f77c3ab0a1000000000046", "startedAt": now()},
        "customer": {"id": "cus_0190b8f5c6f77c3ab0a1000000000028", "email": "anna@example.com", "lastName": null},
        "voucherCode": "x",
    })
}

#[test]
fn a_body_in_two_parts_is_sent_as_the_same_bytes_each_time() {
    let whole = announcement(sale()).body(now());
    let (callback, kept, person) = stored(announcement(sale()));
    let (text, person) = (String::from_utf8_lossy(&kept), person.expect("a person"));
    assert!(!text.contains("anna"), "{text}");
    assert!(!String::from_utf8_lossy(&person).contains("voucher"));
    assert_eq!(callback.body(&kept, Some(&person)).expect("a body"), whole);
}

#[test]
fn a_stored_body_repeats_no_value_of_its_row() {
    let (_, kept, _) = stored(announcement(sale()));
    let kept: Value = serde_json::from_slice(&kept).expect("JSON");
    assert_eq!(
        kept,
        json!({
            "connectionId": null,
            "order": {"id": null, "createdAt": null},
            "subscription": {"id": null, "startedAt": null},
            "customer": {"id": null},
            "voucherCode": "x",
        })
    );
}

#[test]
fn after_an_erasure_a_sale_callback_has_the_id_only() {
    let (callback, kept, _) = stored(announcement(sale()));
    let body = callback.body(&kept, None).expect("a body");
    let body: Value = serde_json::from_slice(&body).expect("JSON");
    let customer = json!({
        "id": concerned().customer_id, "email": null, "language": null, "firstName": null, "lastName": null, "erased": true
    });
    assert_eq!(body["data"]["customer"], customer);
    assert_eq!(body["data"]["voucherCode"], "x");
}

#[test]
fn a_body_without_a_customer_stays_in_one_part() {
    let data = json!({"order": {"id": "ord_1"}});
    assert_eq!(announcement(data).take_person(), None);
}

fn any_time() -> impl Strategy<Value = Value> {
    prop::sample::select(vec![json!(now()), json!(yesterday())])
}

/// The id of the row, another id, or no member.
fn any_id(prefix: &'static str, own: &'static str) -> impl Strategy<Value = Option<Value>> {
    let ids =
        [own, "0190b8f5c6f77c3ab0a10000000000ff"].map(|id| Some(json!(format!("{prefix}_{id}"))));
    prop::sample::select([&ids[..], &[None]].concat())
}

proptest! {
    #[test]
    fn any_body_is_sent_as_it_was_announced(
        connection in any_id("con", "0190b8f5c6f77c3ab0a1000000000014"),
        order in any_id("ord", "0190b8f5c6f77c3ab0a1000000000032"),
        subscription in any_id("sub", "0190b8f5c6f77c3ab0a1000000000046"),
        customer in any_id("cus", "0190b8f5c6f77c3ab0a1000000000028"),
        (created, started) in (any_time(), any_time()),
        email in "\\PC{0,20}",
    ) {
        let mut data = json!({"order": {"createdAt": created}, "subscription": {"startedAt": started}, "other": email});
        for (place, id) in [("connectionId", connection), ("order", order), ("subscription", subscription), ("customer", customer)] {
            match id {
                Some(id) if place == "connectionId" => data[place] = id,
                Some(id) if place == "customer" => data[place] = json!({"id": id, "email": email}),
                Some(id) => data[place]["id"] = id,
                None => {}
            }
        }
        let whole = announcement(data.clone()).body(now());
        let (callback, kept, person) = stored(announcement(data));
        prop_assert_eq!(callback.body(&kept, person.as_deref()).expect("a body"), whole);
    }
}
