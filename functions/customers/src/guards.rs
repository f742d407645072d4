//! Guard rows: each holds a value that must be unique among the customers of a contracting company.

use tandem_api::{App, Code, Problem};
use tandem_domain::customer::Customer;
use tandem_domain::ids::CompanyId;
use tandem_domain::text::{EmailAddress, ExternalId};
use tandem_sealing::sha256_hex;
use tandem_store::rows::{Guard, Unique};
use tandem_store::{Entity, Key, keys};

/// The guard of an e-mail address; case does not count.
pub(crate) fn email(company: CompanyId, email: &EmailAddress) -> Key<Guard> {
    keys::guard(
        company,
        Unique::Email,
        &sha256_hex(email.folded().as_bytes()),
    )
}

pub(crate) fn external(company: CompanyId, id: &ExternalId) -> Key<Guard> {
    keys::guard(
        company,
        Unique::ExternalSystemId,
        &sha256_hex(id.as_str().as_bytes()),
    )
}

pub(crate) fn of(customer: &Customer) -> Vec<Guard> {
    let profile = &customer.profile;
    let guard = |unique, text: &str| {
        Guard::new(
            customer.company_id,
            unique,
            &sha256_hex(text.as_bytes()),
            customer.id,
        )
    };
    let email = guard(Unique::Email, &profile.email.folded());
    let external = profile
        .external_system_id
        .as_ref()
        .map(|id| guard(Unique::ExternalSystemId, id.as_str()));
    std::iter::once(email).chain(external).collect()
}

/// Fails if another customer holds one of these guards.
pub(crate) async fn are_free(
    app: &App,
    customer: &Customer,
    guards: &[Guard],
) -> Result<(), Problem> {
    let held = app.store.load_all(guards.iter().map(Entity::key)).await?;
    let email = email(customer.company_id, &customer.profile.email);
    for guard in guards {
        if held
            .get(&guard.key())
            .is_some_and(|held| held.customer_id != customer.id)
        {
            let is_email = guard.key().raw() == email.raw();
            let code = if is_email {
                Code::CustomerEmailTaken
            } else {
                Code::CustomerExternalIdTaken
            };
            return Err(Problem::new(
                code,
                "the value must be unique within the contracting company; look up that customer instead",
            ));
        }
    }
    Ok(())
}
