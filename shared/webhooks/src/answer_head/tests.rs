use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

fn rewritten(answer: &[u8]) -> Result<Option<(String, String)>, Failure> {
    let read = AnswerHead::default().push(answer)?;
    Ok(read.map(|Rewritten { head, consumed, .. }| {
        let body = String::from_utf8_lossy(&answer[consumed..]).into_owned();
        (String::from_utf8(head).expect("ASCII"), body)
    }))
}

fn head_of(answer: &str) -> String {
    let read = rewritten(answer.as_bytes()).expect(answer);
    read.expect("a complete head").0
}

#[test]
fn only_the_status_the_framing_and_the_wait_remain() {
    let answer =
        "HTTP/1.0 503 Busy\r\nServer: x\r\nRetry-After: 5\r\nContent-Length: 4\r\n\r\noops";
    let head = "HTTP/1.1 503 \r\ncontent-length: 4\r\nretry-after: 5\r\n\r\n";
    assert_eq!(
        rewritten(answer.as_bytes()),
        Ok(Some((head.into(), "oops".into())))
    );
}

#[test]
fn the_status_line_decides() {
    for (line, status) in [
        ("HTTP/1.1 200 OK", 200),
        ("HTTP/1.1 204", 204),
        ("HTTP/1.0 200 ", 200),
        ("HTTP/1.1  202\tAccepted", 202),
        ("HTTP/1.1 200 \u{e4}\u{0}", 200),
        ("\r\nHTTP/1.1 410 Gone", 410),
        ("HTTP/1.1 101 Switching", 101),
        ("HTTP/1.1 999 Odd", 999),
    ] {
        let expected = format!("HTTP/1.1 {status} \r\n\r\n");
        assert_eq!(head_of(&format!("{line}\r\n\r\n")), expected, "{line}");
        assert_eq!(head_of(&format!("{line}\n\n")), expected, "{line}");
    }
    for line in [
        "SSH-2.0-OpenSSH_9.9",
        "HTTP/2 200",
        "HTTP/1.1",
        "HTTP/1.1 20",
        "HTTP/1.1 2000",
        "HTTP/1.1 200OK",
        "HTTP/1.1 099 x",
        "HTTP/1.1 +20 x",
        "HTTP/1.x 200 OK",
        "http/1.1 200 OK",
        " HTTP/1.1 200 OK",
    ] {
        let answer = format!("{line}\r\n\r\n");
        assert_eq!(
            rewritten(answer.as_bytes()),
            Err(Failure::NotHttp),
            "{line}"
        );
    }
}

#[test]
fn sloppy_headers_are_skipped_or_read_leniently() {
    let many = "x: y\r\n".repeat(5_000);
    let long = format!("x: {}\r\n", "y".repeat(100_000));
    for (headers, expected) in [
        ("x: a\r\n b\r\n\tc\r\n", ""),
        (" folded from nothing\r\n", ""),
        ("no colon\r\n: no name\r\n::\r\n", ""),
        ("x\u{0}y: \u{7f}\u{e4}\r\nx\ry: z\r\n", ""),
        (&many, ""),
        (&long, ""),
        ("Content-Length : 5\r\n", "content-length: 5\r\n"),
        ("content-length:\r\n 5\r\n", "content-length: 5\r\n"),
        (
            "content-length: 5, 5\r\ncontent-length: 5\r\n",
            "content-length: 5\r\n",
        ),
        (
            "content-length: 5\r\ncontent-length: 6\r\n",
            "content-length: 0\r\n",
        ),
        ("content-length: five\r\n", "content-length: 0\r\n"),
        ("content-length: -1\r\n", "content-length: 0\r\n"),
        (
            "content-length: 18446744073709551615\r\n",
            "content-length: 0\r\n",
        ),
        (
            "content-length: 5\r\nTransfer-Encoding : gzip, Chunked\r\n",
            "transfer-encoding: chunked\r\n",
        ),
        ("transfer-encoding: gzip\r\ncontent-length: 5\r\n", ""),
        (
            "transfer-encoding: identity\r\ncontent-length: 5\r\n",
            "content-length: 5\r\n",
        ),
    ] {
        let answer = format!("HTTP/1.1 200 OK\r\n{headers}\r\n");
        let shown = &headers[..headers.len().min(80)];
        assert_eq!(
            head_of(&answer),
            format!("HTTP/1.1 200 \r\n{expected}\r\n"),
            "{shown}"
        );
    }
}

#[test]
fn a_wait_is_read_from_sloppy_headers() {
    for header in [
        "Retry-After: 120",
        "RETRY-AFTER :120",
        "retry-after:\r\n\t120",
        "broken\r\nretry-after: 120\r\nbroken",
    ] {
        let head = head_of(&format!("HTTP/1.1 503 Busy\r\n{header}\r\n\r\n"));
        assert_eq!(
            head, "HTTP/1.1 503 \r\nretry-after: 120\r\n\r\n",
            "{header}"
        );
    }
    let unreadable = head_of("HTTP/1.1 503 Busy\r\nretry-after: \u{e4}\r\n\r\n");
    assert_eq!(unreadable, "HTTP/1.1 503 \r\n\r\n");
}

#[test]
fn a_head_may_end_with_the_connection_after_a_whole_line() {
    for (answer, expected) in [
        ("HTTP/1.1 200 OK\r\n", Some("HTTP/1.1 200 \r\n\r\n")),
        (
            "HTTP/1.1 200 OK\nretry-after: 5\n",
            Some("HTTP/1.1 200 \r\nretry-after: 5\r\n\r\n"),
        ),
        ("HTTP/1.1 200 OK", None),
        ("HTTP/1.1 200 OK\r\nx:", None),
        ("HTTP/1.1 100 Continue\r\n", None),
        ("HTTP/1.1 100 Continue\r\n\r\n", None),
        ("", None),
    ] {
        let mut head = AnswerHead::default();
        assert_eq!(head.push(answer.as_bytes()), Ok(None), "{answer:?}");
        let closed = head.close();
        assert_eq!(closed.as_deref(), expected.map(str::as_bytes), "{answer:?}");
    }
}

#[test]
fn interim_answers_are_skipped_up_to_a_number() {
    let interim = "HTTP/1.1 103 Early Hints\r\ncontent-length: 7\r\nretry-after: 9\r\n\r\n";
    let head = |count: usize| interim.repeat(count) + "HTTP/1.1 200 OK\r\n\r\n";
    assert_eq!(head_of(&head(MAX_INTERIM_ANSWERS)), "HTTP/1.1 200 \r\n\r\n");
    let more = head(MAX_INTERIM_ANSWERS + 1);
    assert_eq!(
        rewritten(more.as_bytes()),
        Err(Failure::TooManyInterimAnswers)
    );
}

#[test]
fn a_head_without_an_end_is_refused_after_256_kb() {
    for piece in ["x: y\r\n", "x", " \r\n", "\r\n"] {
        let mut head = AnswerHead::default();
        let start = if piece == "\r\n" {
            ""
        } else {
            "HTTP/1.1 200 OK\r\n"
        };
        assert_eq!(head.push(start.as_bytes()), Ok(None));
        let mut octets = start.len();
        let failure = loop {
            match head.push(piece.as_bytes()) {
                Ok(read) => assert_eq!(read, None, "{piece:?}"),
                Err(failure) => break failure,
            }
            octets += piece.len();
        };
        assert_eq!(failure, Failure::LongHead, "{piece:?}");
        let limit = MAX_HEAD_OCTETS - piece.len()..=MAX_HEAD_OCTETS;
        assert!(limit.contains(&octets), "{piece:?}: {octets}");
        assert!(head.line.len() <= MAX_LINE);
    }
}

fn read_in_pieces(answer: &[u8], size: usize) -> Result<Option<(Vec<u8>, usize)>, Failure> {
    let mut head = AnswerHead::default();
    for (index, piece) in answer.chunks(size).enumerate() {
        if let Some(rewritten) = head.push(piece)? {
            return Ok(Some((rewritten.head, index * size + rewritten.consumed)));
        }
    }
    Ok(None)
}

proptest! {
    #[test]
    fn the_pieces_in_which_a_head_arrives_do_not_matter(
        lines in vec("[ -~\\r\\t]{0,20}\\n|HTTP/1.1 [12]0[0-9] x\\n|(?i)(content-length|transfer-encoding) ?: [0-9a-z,]{0,7}\\n", 0..20),
        size in 1..40_usize,
    ) {
        let answer = format!("HTTP/1.1 200 OK\r\n{}", lines.concat());
        let whole = read_in_pieces(answer.as_bytes(), answer.len());
        prop_assert_eq!(read_in_pieces(answer.as_bytes(), size), whole);
    }
}
