//! Callback bodies: sealed into the callback's row, and opened again to be sent.
//!
//! The personal part of a body and the receiver's answers are sealed under the customer's own key. Erasing the customer
//! deletes that key: the body is then sent without the personal part, and the answers are no longer shown.

use anyhow::Context as _;
use tandem_domain::callback::{Announcement, Callback, Concerned};
use tandem_domain::customer::Customer;
use tandem_domain::ids::CallbackId;
use tandem_domain::sealed::Sealed;
use tandem_domain::{IdSource, Timestamp};
use tandem_sealing::{OpenError, Purpose, Sealer, Text};

/// The callback of an announcement, its body sealed under the callback's id. A receiver's answer is sealed for the customer
/// concerned, if any; the announcement itself names no customer.
pub fn seal(
    sealer: &Sealer,
    ids: &mut dyn IdSource,
    concerned: Option<Concerned>,
    announcement: Announcement,
    now: Timestamp,
) -> Callback {
    let id = CallbackId::generate(ids);
    let kept = announcement.kept(concerned, now);
    let secrets: Vec<&[u8]> = announcement
        .secret()
        .map(str::as_bytes)
        .into_iter()
        .collect();
    let text = Text {
        octets: &kept,
        secrets: &secrets,
    };
    let sealed = sealer.seal_text(Purpose::CallbackBody, &id.to_string(), &text);
    Callback {
        concerned,
        ..announcement.into_callback(id, sealed.into(), now)
    }
}

/// The callback of an announcement about a customer: `personal` seals the personal part separately.
pub fn seal_personal(
    sealer: &Sealer,
    ids: &mut dyn IdSource,
    mut announcement: Announcement,
    (concerned, personal): (Concerned, &Sealer),
    now: Timestamp,
) -> Callback {
    let person = announcement.take_person();
    let callback = seal(sealer, ids, Some(concerned), announcement, now);
    let seal = |person: Vec<u8>| {
        let text = Text {
            octets: &person,
            secrets: &[],
        };
        personal.seal_text(Purpose::PersonalData, &callback.id.to_string(), &text)
    };
    Callback {
        sealed_person: person.map(seal).map(Sealed::from),
        ..callback
    }
}

/// The sealer under a customer's own key.
///
/// # Errors
/// The stored key is not this customer's.
pub fn personal(sealer: &Sealer, customer: &Customer) -> Result<Sealer, OpenError> {
    sealer.personal(&customer.id.to_string(), &customer.sealed_key)
}

/// The body to send. `person` is `None` if the callback concerns no customer, or an erased one.
///
/// # Errors
/// A part cannot be opened, or the parts do not combine.
pub fn body(
    sealer: &Sealer,
    callback: &Callback,
    person: Option<&Sealer>,
) -> anyhow::Result<Vec<u8>> {
    let id = callback.id.to_string();
    let kept = sealer.open(Purpose::CallbackBody, &id, &callback.sealed_body)?;
    let personal = person
        .zip(callback.sealed_person.as_ref())
        .map(|(person, sealed)| person.open(Purpose::PersonalData, &id, sealed))
        .transpose()?;
    callback
        .body(&kept, personal.as_deref())
        .context("the parts of the body do not combine")
}

/// The receiver's answer to an attempt as `(plain, sealed)`, to be stored: plain if the callback concerns no customer,
/// otherwise sealed. Nothing is stored for an erased customer.
pub fn seal_answer(
    callback: &Callback,
    attempt: u32,
    person: Option<&Sealer>,
    answer: Option<String>,
) -> (Option<String>, Option<Sealed>) {
    if callback.concerned.is_none() {
        return (answer, None);
    }
    let context = attempt_context(callback.id, attempt);
    let seal = |(person, answer): (&Sealer, String)| {
        let sealed = person.seal(Purpose::ReceivedAnswer, &context, answer.as_bytes());
        Sealed::from(sealed)
    };
    (None, person.zip(answer).map(seal))
}

/// Opens an answer sealed by [`seal_answer`]; `None` if the customer was erased.
pub fn open_answer(
    callback: CallbackId,
    attempt: u32,
    person: Option<&Sealer>,
    sealed: &[u8],
) -> Option<String> {
    let context = attempt_context(callback, attempt);
    let opened = person?
        .open(Purpose::ReceivedAnswer, &context, sealed)
        .ok()?;
    String::from_utf8(opened).ok()
}

fn attempt_context(callback: CallbackId, attempt: u32) -> String {
    format!("{callback}#{attempt}")
}
