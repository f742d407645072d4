//! Heads of answers: octets of a receiver never panic, are read to a limit, and are rewritten to a head that has a status, a
//! frame for the body and waits only. The pieces in which they arrive do not matter.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tandem_webhooks::Failure;
use tandem_webhooks::answer_head::{AnswerHead, MAX_HEAD_OCTETS};

fuzz_target!(|input: (u8, &[u8])| {
    let (size, answer) = input;
    let whole = read(answer, answer.len().max(1));
    assert_eq!(read(answer, usize::from(size) + 1), whole);
    let Ok(Some((head, consumed))) = whole else {
        return;
    };
    assert!(consumed <= MAX_HEAD_OCTETS && answer[..consumed].ends_with(b"\n"));
    let text = String::from_utf8(head).expect("ASCII");
    let mut lines = text.strip_suffix("\r\n\r\n").expect("an end").split("\r\n");
    let status = lines.next().and_then(|line| line.strip_prefix("HTTP/1.1 "));
    let status: u16 = status.expect("a status").trim().parse().expect("a number");
    assert!((200..1_000).contains(&status) || status == 101, "{status}");
    for line in lines {
        let (name, value) = line.split_once(": ").expect("a header");
        match name {
            "content-length" => assert!(value.parse::<u64>().is_ok(), "{value}"),
            "transfer-encoding" => assert_eq!(value, "chunked"),
            _ => assert_eq!(name, "retry-after"),
        }
    }
});

/// The rewritten head, and how many octets it had.
fn read(answer: &[u8], size: usize) -> Result<Option<(Vec<u8>, usize)>, Failure> {
    let mut head = AnswerHead::default();
    for (index, piece) in answer.chunks(size).enumerate() {
        if let Some(rewritten) = head.push(piece)? {
            return Ok(Some((rewritten.head, index * size + rewritten.consumed)));
        }
    }
    Ok(None)
}
