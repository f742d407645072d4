//! The check of a cart: it turns looked-up offers into positions that can be sold.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::{CartStatus, Choice, Origin, Position};
use crate::ids::ClientId;
use crate::money::{Currency, Money};
use crate::offer::{Offer, OfferStatus};
use crate::sharing::{AvailableOffer, NotShared, SharedOffer};
use crate::terms::{Terms, TermsNotAccepted};

/// The result of looking up a position's offer.
#[derive(Debug, Clone, Copy)]
pub enum OfferLookup<'a> {
    /// An offer of the cart's owner.
    Own(&'a Offer),
    /// An offer that is or was shared with the owner.
    Shared(SharedOffer<'a>),
    /// The offer does not exist, or the owner must not know of it.
    NotFound,
}

impl<'a> OfferLookup<'a> {
    pub fn offer(&self) -> Option<&'a Offer> {
        match self {
            Self::Own(offer) => Some(offer),
            Self::Shared(shared) => Some(shared.offer),
            Self::NotFound => None,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PositionProblem {
    #[error("the offer does not exist")]
    NotFound,
    #[error("the offer is archived")]
    Archived,
    #[error("the offer is externally managed; its orders are imported")]
    ExternallyManaged,
    #[error("the offer is shared with other clients, so its owner does not sell it")]
    OwnCrossClient,
    #[error("{0}")]
    NotShared(NotShared),
    /// The source changed the terms, and no longer allows sales at the accepted ones; or the target has accepted none.
    #[error("{0}; read GET /v1/offers/shared/{{offerId}}, and accept by POST accept-terms")]
    TermsNotAccepted(TermsNotAccepted),
    #[error("the offer's currency differs from the first position's")]
    OtherCurrency,
    #[error("the cart already contains the offer")]
    Repeated,
}

impl CartError {
    pub fn code(&self) -> &'static str {
        match self {
            Self::Archived => "cart_archived",
            Self::Positions(_) => "position_not_sellable",
            Self::NothingMandatory => "nothing_mandatory",
            Self::NothingOwn => "nothing_own",
        }
    }
}

impl PositionProblem {
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotFound => "offer_not_found",
            Self::Archived => "offer_archived",
            Self::ExternallyManaged => "offer_externally_managed",
            Self::OwnCrossClient => "offer_is_cross_client",
            Self::NotShared(_) => "offer_not_available",
            Self::TermsNotAccepted(_) => "terms_not_accepted",
            Self::OtherCurrency => "currency_differs",
            Self::Repeated => "offer_repeated",
        }
    }
}

/// Why a cart cannot be created, edited or bought.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CartError {
    #[error("the cart is archived")]
    Archived,
    /// The rejected positions, each with its number.
    #[error("{} position(s) of the cart cannot be sold", .0.len())]
    Positions(Vec<(u8, PositionProblem)>),
    #[error("at least one position must be mandatory")]
    NothingMandatory,
    #[error("a cart with a cross-client offer must also contain an offer of its owner")]
    NothingOwn,
}

/// The positions of a cart that passed the check: all of them, in order.
#[derive(Debug, Clone, PartialEq)]
pub struct Sellable<'a> {
    /// The currency of all positions.
    pub currency: Currency,
    pub positions: Vec<SellablePosition<'a>>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SellablePosition<'a> {
    pub number: u8,
    pub choice: Choice,
    pub offer: SellableOffer<'a>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum SellableOffer<'a> {
    Own(&'a Offer),
    /// At the terms that the cart's owner accepted.
    Shared(AvailableOffer<'a>, Terms),
}

impl SellableOffer<'_> {
    pub fn offer(&self) -> &Offer {
        match self {
            Self::Own(offer) => offer,
            Self::Shared(shared, _) => shared.offer,
        }
    }

    /// Of one unit.
    pub fn price(&self) -> Money {
        match self {
            Self::Own(offer) => offer.price,
            Self::Shared(_, terms) => terms.price,
        }
    }
}

/// The occasion of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Occasion {
    /// A cart is created or edited, which accepts the first terms of a shared offer.
    Draft,
    /// A cart is bought.
    Sale,
}

impl From<SellablePosition<'_>> for Position {
    fn from(position: SellablePosition<'_>) -> Self {
        let origin = match position.offer {
            SellableOffer::Own(_) => None,
            SellableOffer::Shared(shared, _) => Some(Origin {
                client_id: shared.connection.source.client_id,
                company_id: shared.connection.source.company_id,
                connection_id: shared.connection.id,
            }),
        };
        Self {
            number: position.number,
            offer_id: position.offer.offer().id,
            choice: position.choice,
            origin,
        }
    }
}

/// Checks the positions of a cart, each with its looked-up offer.
///
/// # Errors
/// All rejected positions; if there are none, the first rule that the cart as a whole breaks.
pub fn check<'a>(
    owner: ClientId,
    positions: &[(Position, OfferLookup<'a>)],
    (occasion, now): (Occasion, Timestamp),
) -> Result<Sellable<'a>, CartError> {
    let offered: Vec<_> = positions
        .iter()
        .map(|(_, lookup)| offered(owner, lookup, (occasion, now)))
        .collect();
    // The first offer sets the currency, even if its own position is rejected.
    let currency = offered
        .iter()
        .zip(positions)
        .find_map(|(offered, (_, lookup))| match offered {
            Ok(offered) => Some(offered.price().currency),
            Err(_) => lookup.offer().map(|offer| offer.price.currency),
        });
    let mut seen = BTreeSet::new();
    let mut sellable = Vec::new();
    let mut rejected = Vec::new();
    for ((position, _), offered) in positions.iter().zip(offered) {
        let repeated = !seen.insert(position.offer_id);
        match offered.and_then(|offered| check_position(offered, currency, repeated)) {
            Ok(offer) => sellable.push(SellablePosition {
                number: position.number,
                choice: position.choice,
                offer,
            }),
            Err(problem) => rejected.push((position.number, problem)),
        }
    }
    if !rejected.is_empty() {
        return Err(CartError::Positions(rejected));
    }
    let has_mandatory = positions
        .iter()
        .any(|(position, _)| position.choice == Choice::Mandatory);
    // A cart without positions has no currency; nothing in it is mandatory either.
    let Some(currency) = currency.filter(|_| has_mandatory) else {
        return Err(CartError::NothingMandatory);
    };
    let has_own = sellable
        .iter()
        .any(|position| matches!(position.offer, SellableOffer::Own(_)));
    if !has_own {
        return Err(CartError::NothingOwn);
    }
    Ok(Sellable {
        currency,
        positions: sellable,
    })
}

/// Whether a cart can be bought now, and the reasons against it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sellability {
    /// The reason that no purchase of the cart succeeds; `None` if one does.
    pub refusal: Option<CartError>,
    /// The positions that cannot be bought, each with its number. An optional one does not make the cart unsellable.
    pub positions: Vec<(u8, PositionProblem)>,
    /// The prices at which positions are sold, each with its number.
    pub prices: Vec<(u8, Money)>,
}

/// Judges a purchase of all mandatory positions and of the optional ones that can be sold.
pub fn sellability(
    owner: ClientId,
    status: CartStatus,
    positions: &[(Position, OfferLookup<'_>)],
    now: Timestamp,
) -> Sellability {
    let sale = (Occasion::Sale, now);
    let rejected = match check(owner, positions, sale) {
        Err(CartError::Positions(rejected)) => rejected,
        _ => Vec::new(),
    };
    let is_sellable = |position: &Position| {
        !rejected
            .iter()
            .any(|(number, _)| *number == position.number)
    };
    let bought: Vec<_> = positions
        .iter()
        .filter(|(position, _)| position.choice == Choice::Mandatory || is_sellable(position))
        .copied()
        .collect();
    let refusal = match status {
        CartStatus::Archived => Some(CartError::Archived),
        CartStatus::Active => check(owner, &bought, sale).err(),
    };
    let price = |(position, lookup): &(Position, OfferLookup<'_>)| {
        let offered = offered(owner, lookup, sale).ok()?;
        Some((position.number, offered.price()))
    };
    Sellability {
        refusal,
        positions: rejected,
        prices: positions.iter().filter_map(price).collect(),
    }
}

/// The offer of a position by itself, at the terms of the occasion.
fn offered<'a>(
    owner: ClientId,
    lookup: &OfferLookup<'a>,
    (occasion, now): (Occasion, Timestamp),
) -> Result<SellableOffer<'a>, PositionProblem> {
    let shared = match lookup {
        OfferLookup::NotFound => return Err(PositionProblem::NotFound),
        OfferLookup::Own(offer) if offer.externally_managed => {
            return Err(PositionProblem::ExternallyManaged);
        }
        OfferLookup::Own(offer) if offer.cross_client.is_some() => {
            return Err(PositionProblem::OwnCrossClient);
        }
        OfferLookup::Own(offer) if offer.status == OfferStatus::Archived => {
            return Err(PositionProblem::Archived);
        }
        OfferLookup::Own(offer) => return Ok(SellableOffer::Own(offer)),
        OfferLookup::Shared(shared) => shared,
    };
    let available = shared
        .available_to(owner)
        .map_err(PositionProblem::NotShared)?;
    let standing = shared
        .offer
        .standing(owner, now)
        .ok_or(PositionProblem::NotShared(NotShared::NotNamed))?;
    let terms = match occasion {
        Occasion::Draft => standing.put_into_cart_at(),
        Occasion::Sale => standing.sold_at(),
    };
    let terms = terms.map_err(PositionProblem::TermsNotAccepted)?;
    Ok(SellableOffer::Shared(available, terms))
}

fn check_position(
    offered: SellableOffer<'_>,
    currency: Option<Currency>,
    repeated: bool,
) -> Result<SellableOffer<'_>, PositionProblem> {
    if repeated {
        return Err(PositionProblem::Repeated);
    }
    if Some(offered.price().currency) != currency {
        return Err(PositionProblem::OtherCurrency);
    }
    Ok(offered)
}
