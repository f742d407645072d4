//! Cursors of lists: `base64url(position).base64url(mac)`. A position is not secret, but a cursor is valid only for the caller and
//! the list that it was created for.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::data_key::Purpose;
use crate::seal::Sealer;

/// Creates the cursor of a position. `bound_to` names the caller, the list and its filters.
pub fn of(sealer: &Sealer, bound_to: &str, position: &str) -> String {
    let mac = sealer.mac(Purpose::Cursor, signed(bound_to, position).as_bytes());
    format!(
        "{}.{}",
        URL_SAFE_NO_PAD.encode(position),
        URL_SAFE_NO_PAD.encode(mac)
    )
}

/// The position of a cursor; `None` unless [`of`] created it for the same `bound_to`.
pub fn open(sealer: &Sealer, bound_to: &str, cursor: &str) -> Option<String> {
    let (position, mac) = cursor.split_once('.')?;
    let position = String::from_utf8(URL_SAFE_NO_PAD.decode(position).ok()?).ok()?;
    let mac = URL_SAFE_NO_PAD.decode(mac).ok()?;
    sealer
        .verify_mac(
            Purpose::Cursor,
            signed(bound_to, &position).as_bytes(),
            &mac,
        )
        .then_some(position)
}

/// The length separates `bound_to` from the position: no other pair has the same text.
fn signed(bound_to: &str, position: &str) -> String {
    format!("{}\n{bound_to}\n{position}", bound_to.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data_key::DataKey;

    fn sealer() -> Sealer {
        Sealer::new(
            DataKey::from_secret("a data key for tests, long enough for anyone")
                .expect("long enough"),
        )
    }

    #[test]
    fn a_cursor_is_valid_only_for_its_caller_list_and_filters() {
        let cursor = of(&sealer(), "cli_1\n/v1/offers\n", "off_7");
        assert_eq!(
            open(&sealer(), "cli_1\n/v1/offers\n", &cursor).as_deref(),
            Some("off_7")
        );
        for other in [
            "cli_2\n/v1/offers\n",
            "cli_1\n/v1/carts\n",
            "cli_1\n/v1/offers\nstatus=active",
            "",
        ] {
            assert_eq!(open(&sealer(), other, &cursor), None, "{other}");
        }
    }

    #[test]
    fn the_binding_does_not_run_into_the_position() {
        let (given, other) = (
            of(&sealer(), "list\nname=a", "b"),
            of(&sealer(), "list", "name=a\nb"),
        );
        let (position, mac) = (
            other.split_once('.').expect("a dot").0,
            given.split_once('.').expect("a dot").1,
        );
        assert_eq!(open(&sealer(), "list", &format!("{position}.{mac}")), None);
    }
}
