//! The data of a customer, and its edits.

use serde_json::{Value, json};
use tandem_domain::customer::{Customer, CustomerEdit, Profile};

use crate::fixtures::{codes, company, customer, email, name, now};

fn edited(before: &Customer, edit: &Value) -> Customer {
    CustomerEdit::parse(edit)
        .expect("an edit")
        .apply(before.clone(), now())
}

#[test]
fn an_edit_sets_fields_clears_nulls_and_keeps_the_rest() {
    let before = customer(40, &company(1, true));
    let after = edited(
        &before,
        &json!({"email": "Anna@New.example", "firstName": "Anne", "phone": null}),
    );
    let profile = Profile {
        email: email("Anna@New.example"),
        first_name: Some(name("Anne")),
        phone: None,
        ..before.profile.clone()
    };
    assert_eq!(
        after,
        Customer {
            profile,
            updated_at: now(),
            ..before.clone()
        }
    );
    assert_eq!(
        edited(&before, &json!({})),
        Customer {
            updated_at: now(),
            ..before
        }
    );
}

#[test]
fn required_fields_cannot_be_cleared() {
    let before = customer(40, &company(1, true));
    let after = edited(&before, &json!({"email": null, "language": null}));
    assert_eq!(
        (after.profile.email, after.profile.language),
        (before.profile.email, before.profile.language)
    );
}

#[test]
fn every_optional_field_can_be_set_and_cleared() {
    let before = customer(40, &company(1, true));
    let set = json!({
        "externalSystemId": "CRM-7",
        "firstName": "A",
        "lastName": "B",
        "phone": "1",
        "address": {"street": "Weg 1", "postalCode": "8001", "city": "Zürich", "country": "CH"},
    });
    let profile = json!(edited(&before, &set).profile);
    for (member, value) in set.as_object().expect("an object") {
        assert_eq!(&profile[member], value, "{member}");
        let cleared = edited(&edited(&before, &set), &json!({member: null}));
        assert_eq!(json!(cleared.profile).get(member), None, "{member}");
    }
}

#[test]
fn an_invalid_customer_reports_each_wrong_member() {
    let wrong = json!({
        "email": "anna",
        "language": "deutsch",
        "externalSystemId": "",
        "firstName": 1,
        "phone": "1".repeat(41),
        "address": {"street": "Weg 1", "city": "Zürich", "country": "ch"},
        "companyId": "x",
    });
    let expected = [
        ("email", "invalid_email"),
        ("language", "invalid_language"),
        ("externalSystemId", "empty"),
        ("firstName", "not_a_string"),
        ("phone", "too_long"),
        ("address.postalCode", "required"),
        ("address.country", "invalid_country"),
        ("companyId", "unknown_field"),
    ];
    assert_eq!(
        codes(&Profile::parse(&wrong).expect_err("invalid input")),
        expected
    );
    assert_eq!(
        codes(&CustomerEdit::parse(&wrong).expect_err("invalid input")),
        expected
    );
    let errors = Profile::parse(&json!({})).expect_err("invalid input");
    assert_eq!(
        codes(&errors),
        [("email", "required"), ("language", "required")]
    );
}
