//! Mails about shared offers: their access, their end, their terms.

use tandem_domain::ids::ConnectionId;
use tandem_domain::mail::{AboutCarts, Occasion, SharedOfferRef, TermsProposal};
use tandem_domain::money::{BasisPoints, Money};
use tandem_domain::terms::Terms;
use tandem_domain::text::Name;

use super::{Outline, format_time, from_partner};
use crate::texts::{TextError, Texts};

pub(super) fn access(
    source: &Name,
    connection: ConnectionId,
    is_on: bool,
    carts: &AboutCarts,
) -> Outline {
    let message = if is_on { "access-on" } else { "access-off" };
    from_partner(message, source, connection)
        .paragraph("outcome")
        .carts(carts)
        .paragraph("view")
        .call(format!("GET /v1/connections/{connection}"))
}

pub(super) fn archived(offer: &SharedOfferRef, carts: &AboutCarts) -> Outline {
    about("offer-archived", offer)
        .paragraph("outcome")
        .carts(carts)
        .paragraph("remove")
        .call("PATCH /v1/carts/{cartId}")
}

fn about(message: &'static str, offer: &SharedOfferRef) -> Outline {
    from_partner(message, &offer.source_name, offer.connection_id).arg("offer", &offer.offer_name)
}

pub(super) fn proposed(
    offer: &SharedOfferRef,
    proposal: &TermsProposal,
    occasion: Occasion,
    carts: &AboutCarts,
    texts: &Texts,
) -> Result<Outline, TextError> {
    let message = match (occasion, proposal.sell_old_terms_until) {
        (Occasion::Proposed, None) => "terms-proposed",
        (Occasion::Proposed, Some(_)) => "terms-proposed-until",
        (Occasion::WeekBefore | Occasion::DayBefore, _) => "terms-expire",
    };
    let mut outline = about(message, offer)
        .terms(["old-price", "old-share"], proposal.accepted, texts)?
        .terms(["price", "share"], proposal.proposed, texts)?;
    if let Some(until) = proposal.sell_old_terms_until {
        outline = outline.arg("until", format_time(until, texts)?);
    }
    let (version, id) = (proposal.proposed.version, offer.offer_id);
    Ok(outline
        .arg("version", version)
        .paragraph("outcome")
        .paragraph("effect")
        .carts(carts)
        .paragraph("accept")
        .call(format!("POST /v1/offers/shared/{id}/accept-terms")))
}

/// Such as `20` or `12.5`.
fn percent(BasisPoints(points): BasisPoints) -> String {
    let (whole, part) = (points / 100, points % 100);
    let text = format!("{whole}.{part:02}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

impl Outline {
    /// Adds the arguments of a price and a share in percent.
    pub(super) fn terms(
        self,
        [price, share]: [&'static str; 2],
        terms: Terms,
        texts: &Texts,
    ) -> Result<Self, TextError> {
        let Money { currency, .. } = terms.price;
        let amount = texts.decimal(&terms.price.decimal())?;
        let percent = texts.decimal(&percent(terms.seller_share_basis_points))?;
        Ok(self
            .arg(price, format!("{amount} {currency}"))
            .arg(share, percent))
    }

    /// Names the carts that are concerned, if there are any.
    fn carts(self, carts: &AboutCarts) -> Self {
        let names: Vec<_> = carts
            .carts
            .iter()
            .map(|cart| format!("{} ({})", cart.name, cart.id))
            .collect();
        match (names.is_empty(), carts.more_carts) {
            (true, _) => self.paragraph("no-carts"),
            (false, false) => self.arg("carts", names.join(", ")).paragraph("carts"),
            (false, true) => self.arg("carts", names.join(", ")).paragraph("more-carts"),
        }
    }
}
