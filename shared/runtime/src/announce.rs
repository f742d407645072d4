//! From what the domain announces to the callback's row, and from there to the body that is sent.
//!
//! What a body tells of a customer, and what receivers answer, lies under the customer's own key. When the customer's row is
//! gone, so is the key: the body is then put together without that part, and the answers are not shown.

use anyhow::Context as _;
use tandem_domain::callback::{Announcement, Callback, Concerned, whole_body};
use tandem_domain::customer::Customer;
use tandem_domain::ids::CallbackId;
use tandem_domain::{IdSource, Timestamp};
use tandem_sealing::{OpenError, Purpose, Sealer};

/// The callback of an announcement, its body sealed under the callback's id.
pub fn seal(
    sealer: &Sealer,
    ids: &mut dyn IdSource,
    announcement: Announcement,
    now: Timestamp,
) -> Callback {
    let id = CallbackId::generate(ids);
    let sealed = sealer.seal(
        Purpose::CallbackBody,
        &id.to_string(),
        &announcement.body(now),
    );
    announcement.into_callback(id, sealed, now)
}

/// The callback of an announcement that tells of a customer: what it tells of the person is sealed for itself, by `personal`.
pub fn seal_personal(
    sealer: &Sealer,
    ids: &mut dyn IdSource,
    mut announcement: Announcement,
    (concerned, personal): (Concerned, &Sealer),
    now: Timestamp,
) -> Callback {
    let person = announcement.take_person();
    let callback = seal(sealer, ids, announcement, now);
    let sealed_person = person
        .map(|person| personal.seal(Purpose::PersonalData, &callback.id.to_string(), &person));
    Callback {
        concerned: Some(concerned),
        sealed_person,
        ..callback
    }
}

/// What seals and opens under a customer's own key.
///
/// # Errors
/// The key is not this customer's.
pub fn personal(sealer: &Sealer, customer: &Customer) -> Result<Sealer, OpenError> {
    sealer.personal(&customer.id.to_string(), &customer.sealed_key)
}

/// The body of a callback as it is sent; `person` is `None` if the callback concerns nobody, or somebody who was erased.
///
/// # Errors
/// It cannot be opened or put together.
pub fn body(
    sealer: &Sealer,
    callback: &Callback,
    person: Option<&Sealer>,
) -> anyhow::Result<Vec<u8>> {
    let id = callback.id.to_string();
    let kept = sealer.open(Purpose::CallbackBody, &id, &callback.sealed_body)?;
    let Some(sealed) = &callback.sealed_person else {
        return Ok(kept);
    };
    let told = person
        .map(|person| person.open(Purpose::PersonalData, &id, sealed))
        .transpose()?;
    whole_body(&kept, told.as_deref()).context("the parts of the body do not fit")
}

/// What a receiver answered to an attempt, to be kept: in the clear if the callback concerns nobody, else sealed; nothing is
/// kept about somebody who was erased.
pub fn kept_answer(
    callback: &Callback,
    attempt: u32,
    person: Option<&Sealer>,
    answer: Option<String>,
) -> (Option<String>, Option<String>) {
    if callback.concerned.is_none() {
        return (answer, None);
    }
    let place = place_of(callback.id, attempt);
    let seal = |(person, answer): (&Sealer, String)| {
        person.seal(Purpose::ReceivedAnswer, &place, answer.as_bytes())
    };
    (None, person.zip(answer).map(seal))
}

/// What was sealed by [`kept_answer`]; `None` if the person was erased.
pub fn answer(
    callback: CallbackId,
    attempt: u32,
    person: Option<&Sealer>,
    sealed: &str,
) -> Option<String> {
    let opened = person?
        .open(
            Purpose::ReceivedAnswer,
            &place_of(callback, attempt),
            sealed,
        )
        .ok()?;
    String::from_utf8(opened).ok()
}

fn place_of(callback: CallbackId, attempt: u32) -> String {
    format!("{callback}#{attempt}")
}
