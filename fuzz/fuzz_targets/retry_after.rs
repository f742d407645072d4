//! `Retry-After`: never a negative wait, and never one that moves a callback beyond a day or overflows a time.
#![no_main]

use jiff::SignedDuration;
use libfuzzer_sys::fuzz_target;
use tandem_domain::Timestamp;
use tandem_domain::callback::{
    Announcement, Callback, CallbackState, EventType, MAX_RETRY_AFTER, Outcome, RetrySchedule,
};
use tandem_webhooks::retry_after;

fuzz_target!(|input: (i64, &str)| {
    let (now, value) = input;
    let Some(wait) = retry_after::parse(value, now) else {
        assert!(!is_number(value), "{value}");
        return;
    };
    assert!(wait >= SignedDuration::ZERO);
    if is_number(value) {
        let seconds = value
            .trim()
            .parse::<u64>()
            .unwrap_or(u64::MAX)
            .min(u32::MAX.into());
        assert_eq!(u64::try_from(wait.as_secs()), Ok(seconds), "{value}");
    }
    assert_eq!(retry_after::parse(&format!(" {value}\t"), now), Some(wait));
    // The delay that the delivery uses.
    let now = Timestamp::from_second(now).unwrap_or(Timestamp::MAX);
    let schedule: RetrySchedule = "0,5".parse().expect("a schedule");
    let ended = in_flight(now).end(
        Outcome::Failed {
            retry_after: Some(wait),
        },
        &schedule,
        1_000,
        now,
    );
    let CallbackState::Waiting { due_at, .. } = ended.state else {
        panic!("there is another attempt")
    };
    let longest = MAX_RETRY_AFTER.max(SignedDuration::from_millis(5_500));
    assert!(
        due_at >= now && due_at.duration_since(now) <= longest,
        "{value}: {now} to {due_at}"
    );
});

fn is_number(value: &str) -> bool {
    let value = value.trim();
    !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit())
}

fn in_flight(now: Timestamp) -> Callback {
    let announcement = Announcement {
        client_id: "cli_0190b8f5c6f77c3ab0a1c2d3e4f50617"
            .parse()
            .expect("an id"),
        connection_id: None,
        order_id: None,
        subscription_id: None,
        event: EventType::ConnectionTest,
        data: serde_json::Value::Null,
    };
    let id = "cbk_0190b8f5c6f77c3ab0a1c2d3e4f50618"
        .parse()
        .expect("an id");
    announcement
        .into_callback(id, Vec::new().into(), now)
        .begin(now)
        .expect("it is due")
}
