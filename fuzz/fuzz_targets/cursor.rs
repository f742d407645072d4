//! Cursors: an issued cursor opens only for its caller and list, and no other text opens.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use tandem_sealing::{DataKey, Sealer, cursor};

static SEALER: LazyLock<Sealer> = LazyLock::new(|| {
    Sealer::new(
        DataKey::from_secret("a data key for fuzzing, long enough for anyone")
            .expect("long enough"),
    )
});
const MINE: &str = "cli_0190b8f5c6f77c3ab0a1c2d3e4f50617\n/v1/offers\n";
const ANOTHERS: &str = "cli_0190b8f5c6f77c3ab0a1c2d3e4f50618\n/v1/offers\n";

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    // As an untrusted cursor: it opens only if it equals the issued one.
    if let Some(position) = cursor::open(&SEALER, MINE, text) {
        assert_eq!(cursor::of(&SEALER, MINE, &position), text);
    }
    // As a position.
    let given = cursor::of(&SEALER, MINE, text);
    assert!(
        given
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.')),
        "{given}"
    );
    assert_eq!(cursor::open(&SEALER, MINE, &given).as_deref(), Some(text));
    assert_eq!(
        cursor::open(&SEALER, ANOTHERS, &given),
        None,
        "another tenant's"
    );
    // As the list that the cursor is bound to: list and position must not be confused.
    assert_eq!(
        cursor::open(&SEALER, text, &given).as_deref(),
        (text == MINE).then_some(text)
    );
    if let Some((before, after)) = text.split_once('\n') {
        let given = cursor::of(&SEALER, before, after);
        assert_eq!(cursor::open(&SEALER, &format!("{before}\n"), &given), None);
    }
    // One character changed.
    let at = bytes.len() * 7 % given.len();
    let other = if given.as_bytes()[at] == b'A' {
        "B"
    } else {
        "A"
    };
    let mut changed = given.clone();
    changed.replace_range(at..=at, other);
    assert_eq!(cursor::open(&SEALER, MINE, &changed), None, "{changed}");
});
