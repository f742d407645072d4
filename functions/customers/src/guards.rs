//! Guard rows: each holds a value that must be unique among the customers of a contracting company.
//!
//! Earlier releases compared e-mail addresses with their domains in letters. Their guards stay until the address changes, so an
//! address with such a domain has two keys: its own, and a former one.

use tandem_api::{App, Code, Problem};
use tandem_domain::customer::Customer;
use tandem_domain::ids::CompanyId;
use tandem_domain::text::{EmailAddress, ExternalId};
use tandem_sealing::sha256_hex;
use tandem_store::rows::{Guard, Unique};
use tandem_store::{Entity, Key, StoreError, keys};

/// The guard of an e-mail address, under which a new one is written; case does not count.
pub(crate) fn email(company: CompanyId, email: &EmailAddress) -> Key<Guard> {
    key(company, Unique::Email, &email.folded())
}

/// The guard that an earlier release wrote, if its key differs.
pub(crate) fn former_email(company: CompanyId, email: &EmailAddress) -> Option<Key<Guard>> {
    let former = email.formerly_folded()?;
    Some(key(company, Unique::Email, &former))
}

pub(crate) fn external(company: CompanyId, id: &ExternalId) -> Key<Guard> {
    key(company, Unique::ExternalSystemId, id.as_str())
}

fn key(company: CompanyId, unique: Unique, text: &str) -> Key<Guard> {
    keys::guard(company, unique, &sha256_hex(text.as_bytes()))
}

/// The guards to write for a new customer: of the e-mail address, then of the `externalSystemId`.
pub(crate) fn of(customer: &Customer) -> Vec<Guard> {
    let external = external_of(customer);
    std::iter::once(email_of(customer))
        .chain(external)
        .collect()
}

fn email_of(customer: &Customer) -> Guard {
    guard(customer, Unique::Email, &customer.profile.email.folded())
}

fn external_of(customer: &Customer) -> Option<Guard> {
    let id = customer.profile.external_system_id.as_ref()?;
    Some(guard(customer, Unique::ExternalSystemId, id.as_str()))
}

fn guard(customer: &Customer, unique: Unique, text: &str) -> Guard {
    let hash = sha256_hex(text.as_bytes());
    Guard::new(customer.company_id, unique, &hash, customer.id)
}

/// The guards that the customer holds in the table.
pub(crate) async fn held(app: &App, customer: &Customer) -> Result<Vec<Guard>, StoreError> {
    let mut guards = of(customer);
    if let Some(former) = customer.profile.email.formerly_folded() {
        guards.push(guard(customer, Unique::Email, &former));
        let rows = app.store.load_all(guards.iter().map(Entity::key)).await?;
        guards.retain(|guard| rows.get(&guard.key()) == Some(guard));
    }
    Ok(guards)
}

/// The guards of the customer after an edit. A guard of an unchanged address stays, whichever release wrote it.
pub(crate) fn after_edit(before: &Customer, held: &[Guard], after: &Customer) -> Vec<Guard> {
    let (old, new) = (&before.profile.email, &after.profile.email);
    if old.folded() != new.folded() {
        return of(after);
    }
    let emails = [Some(old.folded()), old.formerly_folded()];
    let emails = emails.into_iter().flatten();
    let emails: Vec<Guard> = emails
        .map(|text| guard(before, Unique::Email, &text))
        .filter(|guard| held.contains(guard))
        .collect();
    emails.into_iter().chain(external_of(after)).collect()
}

/// Fails if another customer holds one of these guards, or the former one of its address.
pub(crate) async fn are_free(
    app: &App,
    customer: &Customer,
    guards: &[Guard],
) -> Result<(), Problem> {
    let address = &customer.profile.email;
    let email = email(customer.company_id, address);
    let writes_email = guards.iter().any(|guard| guard.key().raw() == email.raw());
    let former = former_email(customer.company_id, address).filter(|_| writes_email);
    let external = external_of(customer).map(|guard| guard.key());
    let wanted: Vec<Key<Guard>> = guards.iter().map(Entity::key).chain(former).collect();
    let rows = app.store.load_all(wanted.iter().cloned()).await?;
    for key in &wanted {
        if rows
            .get(key)
            .is_some_and(|held| held.customer_id != customer.id)
        {
            let code = if external
                .as_ref()
                .is_some_and(|external| external.raw() == key.raw())
            {
                Code::CustomerExternalIdTaken
            } else {
                Code::CustomerEmailTaken
            };
            return Err(Problem::new(
                code,
                "the value must be unique within the contracting company; look up that customer instead",
            ));
        }
    }
    Ok(())
}
