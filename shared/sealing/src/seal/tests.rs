use super::*;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;

fn sealer(character: &str) -> Sealer {
    Sealer::new(DataKey::from_secret(&character.repeat(32)).expect("long enough"))
}

fn keys(characters: &[&str]) -> Sealer {
    let lines: Vec<String> = characters
        .iter()
        .map(|character| character.repeat(32))
        .collect();
    Sealer::from_secret(&lines.join("\n")).expect("long enough")
}

proptest! {
    #[test]
    fn a_sealed_text_opens(plain in proptest::collection::vec(any::<u8>(), 0..200), place in ".{0,20}", text in ".{0,99}") {
        let sealed = sealer("x").seal(Purpose::CallbackBody, &place, &plain);
        prop_assert_eq!(sealer("x").open(Purpose::CallbackBody, &place, &sealed), Ok(plain));
        let sealed = Text { octets: text.as_bytes(), secrets: &[] };
        let sealed = sealer("x").seal_text(Purpose::CallbackBody, &place, &sealed);
        let opened = sealer("x").open(Purpose::CallbackBody, &place, &sealed);
        prop_assert_eq!(opened, Ok(text.into_bytes()));
    }

    #[test]
    fn opening_never_panics(octets in proptest::collection::vec(any::<u8>(), 0..100)) {
        prop_assert!(sealer("x").open(Purpose::CallbackBody, "a", &octets).is_err());
    }
}

#[test]
fn a_text_does_not_open_under_another_key_purpose_or_row() {
    let sealed = sealer("x").seal(Purpose::CallbackBody, "cbk_1", b"plain");
    for (sealer, purpose, place, error) in [
        (
            sealer("y"),
            Purpose::CallbackBody,
            "cbk_1",
            OpenError::UnknownKey,
        ),
        (
            sealer("x"),
            Purpose::SigningSecret,
            "cbk_1",
            OpenError::Refused,
        ),
        (
            sealer("x"),
            Purpose::CallbackBody,
            "cbk_2",
            OpenError::Refused,
        ),
    ] {
        assert_eq!(sealer.open(purpose, place, &sealed), Err(error));
    }
}

#[test]
fn the_newest_key_seals_and_all_open() {
    let (old, both, new) = (keys(&["x"]), keys(&["y", "x"]), keys(&["y"]));
    let by_old = old.seal(Purpose::CallbackBody, "a", b"old");
    let by_both = both.seal(Purpose::CallbackBody, "a", b"new");
    let open = |sealer: &Sealer, sealed: &[u8]| sealer.open(Purpose::CallbackBody, "a", sealed);
    assert_eq!(open(&both, &by_old), Ok(b"old".to_vec()));
    assert_eq!(open(&both, &by_both), Ok(b"new".to_vec()));
    assert_eq!(open(&new, &by_both), Ok(b"new".to_vec()));
    assert_eq!(open(&new, &by_old), Err(OpenError::UnknownKey));
    assert_eq!(open(&old, &by_both), Err(OpenError::UnknownKey));
    let (by_old, by_both) = (
        old.mac(Purpose::Cursor, b"a"),
        both.mac(Purpose::Cursor, b"a"),
    );
    assert!(both.verify_mac(Purpose::Cursor, b"a", &by_old));
    assert!(both.verify_mac(Purpose::Cursor, b"a", &by_both));
    assert!(new.verify_mac(Purpose::Cursor, b"a", &by_both));
    assert!(!new.verify_mac(Purpose::Cursor, b"a", &by_old));
}

#[test]
fn a_secret_has_a_key_in_each_line() {
    let (x, y) = ("x".repeat(32), "y".repeat(32));
    let ids = |text: &str| {
        let sealer = Sealer::from_secret(text).expect("keys");
        sealer.keys.iter().map(DataKey::id).collect::<Vec<_>>()
    };
    assert_eq!(ids(&x), ids(&format!("\n {x} \r\n\n")));
    assert_eq!(ids(&format!("{y}\n{x}")), [ids(&y), ids(&x)].concat());
    for wrong in ["", "\n", "short", &format!("{x}\nshort")] {
        assert_eq!(
            Sealer::from_secret(wrong).err(),
            Some(WeakDataKey),
            "{wrong}"
        );
    }
}

#[test]
fn a_change_of_any_octet_is_detected() {
    let sealed = sealer("x").seal(Purpose::CallbackBody, "a", b"plain");
    for index in 0..sealed.len() {
        let mut changed = sealed.clone();
        changed[index] ^= 1;
        let expected = match index {
            0 => OpenError::UnknownVersion(0),
            2..6 => OpenError::UnknownKey,
            _ => OpenError::Refused,
        };
        let opened = sealer("x").open(Purpose::CallbackBody, "a", &changed);
        assert_eq!(opened, Err(expected), "octet {index}");
    }
}

#[test]
fn a_text_that_is_too_short_is_malformed() {
    for length in [0, 1, 2, 5, 17] {
        let octets = vec![VERSION; length];
        let opened = sealer("x").open(Purpose::Cursor, "a", &octets);
        assert_eq!(opened, Err(OpenError::Malformed), "{length}");
    }
}

#[test]
fn the_same_text_is_sealed_differently_each_time() {
    assert_ne!(
        sealer("x").seal(Purpose::Cursor, "a", b"plain"),
        sealer("x").seal(Purpose::Cursor, "a", b"plain")
    );
}

#[test]
fn a_mac_is_valid_for_its_message_purpose_and_key_only() {
    let mac = sealer("x").mac(Purpose::Cursor, b"message");
    assert_eq!(mac.len(), 32);
    assert!(sealer("x").verify_mac(Purpose::Cursor, b"message", &mac));
    assert!(!sealer("x").verify_mac(Purpose::Cursor, b"massage", &mac));
    assert!(!sealer("x").verify_mac(Purpose::IdempotentAnswer, b"message", &mac));
    assert!(!sealer("y").verify_mac(Purpose::Cursor, b"message", &mac));
    assert!(!sealer("x").verify_mac(Purpose::Cursor, b"message", &mac[..31]));
    assert!(!sealer("x").verify_mac(Purpose::Cursor, b"message", b""));
}

#[test]
fn a_sealer_is_not_printed() {
    assert_eq!(format!("{:?}", sealer("x")), "Sealer(..)");
}

/// A line of sealed_texts.tsv.
struct Line<'a> {
    purpose: Purpose,
    bound_to: &'a str,
    /// The key of the person cus_1, sealed, in base64; `-` if the text is sealed under the data key.
    person: &'a str,
    sealed: &'a str,
    plain: &'a str,
}

fn line(text: &str) -> Line<'_> {
    let columns: [&str; 5] = text
        .split('\t')
        .collect::<Vec<_>>()
        .try_into()
        .expect("five columns");
    let [word, bound_to, person, sealed, plain] = columns;
    let purpose = Purpose::ALL
        .into_iter()
        .find(|purpose| purpose.word() == word);
    Line {
        purpose: purpose.expect("a purpose"),
        bound_to,
        person,
        sealed,
        plain,
    }
}

/// infra/operate/sealing.py opens the same texts.
#[test]
fn texts_of_earlier_releases_open() {
    let sealer = Sealer::from_secret("0123456789abcdef0123456789abcdef").expect("long enough");
    let decode = |text: &str| STANDARD.decode(text).expect("base64");
    let lines = include_str!("../../sealed_texts.tsv").lines();
    let mut opened = 0;
    for text in lines.filter(|line| !line.starts_with('#')) {
        let line = line(text);
        let sealer = match line.person {
            "-" => sealer.clone(),
            key => sealer
                .personal("cus_1", &decode(key))
                .expect("the person's key"),
        };
        let sealed = decode(line.sealed);
        assert_eq!(
            sealer.open(line.purpose, line.bound_to, &sealed),
            Ok(line.plain.as_bytes().to_vec()),
            "{text}"
        );
        opened += 1;
    }
    assert_eq!(opened, 7);
}

/// A new dictionary adds a line to sealed_texts.tsv.
#[test]
fn each_form_is_in_the_texts_of_releases() {
    let forms: std::collections::BTreeSet<u8> = include_str!("../../sealed_texts.tsv")
        .lines()
        .filter(|text| !text.starts_with('#'))
        .map(|text| STANDARD.decode(line(text).sealed).expect("base64")[1])
        .collect();
    assert_eq!(forms, [0, 1, 2, 3].into());
}
