use std::convert::Infallible;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use hyper::body::Frame;
use proptest::collection::vec;
use proptest::prelude::*;
use tokio::io::ReadBuf;

use super::*;
use crate::answer_head::MAX_HEAD_OCTETS;
use crate::bounded::MAX_BODY_OCTETS;

/// Accepts any request. Its answer is always ready; the last octets repeat without an end.
struct Script {
    start: Vec<u8>,
    repeated: Vec<u8>,
    read: Arc<AtomicUsize>,
}

impl Script {
    fn new(start: impl Into<Vec<u8>>, repeated: &str) -> Self {
        Self {
            start: start.into(),
            repeated: repeated.into(),
            read: Arc::default(),
        }
    }

    fn octet(&self, index: usize) -> Option<u8> {
        self.start.get(index).copied().or_else(|| {
            let index = (index - self.start.len()).checked_rem(self.repeated.len())?;
            Some(self.repeated[index])
        })
    }
}

impl AsyncRead for Script {
    fn poll_read(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        while buffer.remaining() > 0 {
            let Some(octet) = self.octet(self.read.load(Ordering::Relaxed)) else {
                break;
            };
            buffer.put_slice(&[octet]);
            self.read.fetch_add(1, Ordering::Relaxed);
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Script {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        octets: &[u8],
    ) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(octets.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// An exchange at its end.
struct Ended {
    answered: Result<Answered, Failure>,
    is_reusable: bool,
    /// Octets that were read.
    read: usize,
    /// Most octets that one poll read.
    at_once: usize,
}

fn exchanged(script: Script) -> Ended {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_time().build().expect("a runtime");
    let request = Request::post("/").body(Full::default()).expect("a request");
    let (settings, read) = (SenderSettings::default(), Arc::clone(&script.read));
    let (mut at_once, total) = (0, || read.load(Ordering::Relaxed));
    let Exchanged {
        answered, reusable, ..
    } = runtime.block_on(async {
        let mut call = pin!(exchange(script, request, &settings, Instant::now()));
        poll_fn(|context| {
            let before = total();
            let polled = call.as_mut().poll(context);
            at_once = at_once.max(total() - before);
            polled
        })
        .await
    });
    Ended {
        answered,
        is_reusable: reusable.is_some(),
        read: total(),
        at_once,
    }
}

#[test]
fn a_head_without_an_end_fails_and_yields() {
    for (start, repeated, failure) in [
        ("", "HTTP/1.1 100 \r\n\r\n", Failure::TooManyInterimAnswers),
        ("", "HTTP/1.1 199 x\n\n", Failure::TooManyInterimAnswers),
        ("HTTP/1.1 103 Hints\r\n", "link: x\r\n", Failure::LongHead),
        ("HTTP/1.1 200 OK\r\n", "x: y\r\n", Failure::LongHead),
        ("HTTP/1.1 200 OK\r\nx: ", "y", Failure::LongHead),
        ("HTTP/1.1 200 OK\r\nx: y\r\n", " z\r\n", Failure::LongHead),
        (
            "HTTP/1.1 200 OK\r\n",
            "content-length: 5\r\n",
            Failure::LongHead,
        ),
        (
            "HTTP/1.1 200 OK\r\n",
            "retry-after: 5\r\n",
            Failure::LongHead,
        ),
        ("HTTP/1.1 ", " ", Failure::LongHead),
        ("", "\r\n", Failure::LongHead),
    ] {
        let ended = exchanged(Script::new(start, repeated));
        assert_eq!(ended.answered.err(), Some(failure), "{start}{repeated}");
        assert!(ended.read <= MAX_HEAD_OCTETS + 8 * 1024, "{}", ended.read);
        assert!(ended.at_once <= 16 * 1024, "{}", ended.at_once);
    }
}

#[test]
fn a_body_without_an_end_is_cut_off_and_the_status_counts() {
    let chunked = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
    let long = Some(Failure::LongBody);
    for (start, repeated, failure) in [
        ("".to_owned(), "a", None),
        (format!("{chunked}5;"), "x=y;", Some(Failure::BrokenAnswer)),
        (format!("{chunked}5;x=\""), "y", Some(Failure::BrokenAnswer)),
        (chunked.to_owned(), "0", long.clone()),
        (format!("{chunked}5 "), " ", long.clone()),
        (chunked.to_owned(), "1\r\na\r\n", long),
        (
            chunked.to_owned(),
            "1;x=y\r\na\r\n",
            Some(Failure::BrokenAnswer),
        ),
        (
            format!("{chunked}0\r\n"),
            "x: y\r\n",
            Some(Failure::BrokenAnswer),
        ),
        (
            format!("{chunked}0\r\nx: "),
            "y",
            Some(Failure::BrokenAnswer),
        ),
    ] {
        let start = if start.is_empty() {
            "HTTP/1.1 200 OK\r\n\r\n".to_owned()
        } else {
            start
        };
        let ended = exchanged(Script::new(start.as_str(), repeated));
        let answered = ended
            .answered
            .unwrap_or_else(|failure| panic!("{start}{repeated}: {failure}"));
        assert_eq!(answered.status, StatusCode::OK);
        assert_eq!(answered.body.1, failure, "{start}{repeated}");
        assert!(ended.read <= MAX_BODY_OCTETS + 16 * 1024, "{}", ended.read);
    }
}

#[test]
fn a_switch_of_protocols_is_an_answer() {
    let ended = exchanged(Script::new(
        "HTTP/1.1 101 Switching\r\nupgrade: x\r\n\r\n",
        "",
    ));
    let status = ended.answered.map(|answered| answered.status);
    assert_eq!(status, Ok(StatusCode::SWITCHING_PROTOCOLS));
}

/// A line of a head: any octets, or a line that frames the body wrongly.
fn line() -> impl Strategy<Value = Vec<u8>> {
    let octets = vec(
        any::<u8>().prop_filter("no end", |octet| *octet != b'\n'),
        1..60,
    );
    let header = (
        prop::sample::select(vec![
            "content-length",
            "Content-Length ",
            "transfer-encoding",
            "Transfer-Encoding\t",
            "retry-after",
            " folded",
            "connection",
            "upgrade",
            "trailer",
            "x",
        ]),
        prop::sample::select(vec![
            "",
            "0",
            "5",
            "5, 5",
            "-1",
            "99999999999999999999999",
            "18446744073709551615",
            "chunked",
            "gzip",
            "chunked, gzip",
            "identity",
            "close",
            "120",
            "\u{e4}",
            "\0",
        ]),
    )
        .prop_map(|(name, value)| format!("{name}: {value}").into_bytes());
    prop_oneof![octets, header].prop_filter("not the end", |line| line != b"\r")
}

/// A head with a good status line, and any body.
fn sloppy(status: u16) -> impl Strategy<Value = Vec<u8>> {
    let ends = prop::sample::select(vec!["\r\n", "\n"]);
    (vec((line(), ends), 0..120), vec(any::<u8>(), 0..300)).prop_map(move |(lines, body)| {
        let mut answer = format!("HTTP/1.1 {status} OK\r\n").into_bytes();
        for (line, end) in lines {
            answer.extend_from_slice(&line);
            answer.extend_from_slice(end.as_bytes());
        }
        answer.extend_from_slice(b"\r\n");
        answer.extend_from_slice(&body);
        answer
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn any_sloppy_head_with_a_good_status_is_an_answer(
        (status, answer) in prop_oneof![Just(200_u16), Just(204), Just(410), Just(503)]
            .prop_flat_map(|status| (Just(status), sloppy(status))),
    ) {
        let ended = exchanged(Script::new(answer, ""));
        prop_assert_eq!(ended.answered.map(|answered| answered.status.as_u16()), Ok(status));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_octets_end_an_attempt(answer in vec(any::<u8>(), 0..2_000)) {
        let _ = exchanged(Script::new(answer, "x"));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// The next request finds the connection as the receiver left it, so no octet may be left of an answer.
    #[test]
    fn a_connection_is_kept_only_after_exactly_one_strict_answer(
        body in vec(any::<u8>(), 0..300),
        is_chunked in any::<bool>(),
        extra in vec(any::<u8>(), 0..40),
    ) {
        let mut answer = b"HTTP/1.1 200 OK\r\n".to_vec();
        if is_chunked {
            answer.extend_from_slice(b"transfer-encoding: chunked\r\n\r\n");
            if !body.is_empty() {
                answer.extend_from_slice(format!("{:x}\r\n", body.len()).as_bytes());
                answer.extend_from_slice(&body);
                answer.extend_from_slice(b"\r\n");
            }
            answer.extend_from_slice(b"0\r\n\r\n");
        } else {
            answer.extend_from_slice(format!("content-length: {}\r\n\r\n", body.len()).as_bytes());
            answer.extend_from_slice(&body);
        }
        answer.extend_from_slice(&extra);
        let ended = exchanged(Script::new(answer, ""));
        prop_assert_eq!(ended.is_reusable, extra.is_empty());
    }

    #[test]
    fn a_sloppy_head_keeps_no_connection_with_octets_left(answer in sloppy(200)) {
        let whole = answer.len();
        let ended = exchanged(Script::new(answer, ""));
        prop_assert!(!ended.is_reusable || ended.read == whole);
    }
}

const PIECE: &[u8] = &[b'a'; 1_000];

/// A body without an end, which counts the octets that were read.
struct Endless(Arc<AtomicUsize>);

impl Body for Endless {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let _ = self.0.fetch_add(PIECE.len(), Ordering::Relaxed);
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(PIECE)))))
    }
}

#[tokio::test]
async fn an_endless_answer_is_read_to_64_kb_and_kept_to_4_kb() {
    let taken = Arc::new(AtomicUsize::new(0));
    let mut body = Endless(Arc::clone(&taken));
    let read = read(&mut body, &SenderSettings::default(), Instant::now()).await;
    assert_eq!((read.kept.len(), read.failure.is_none()), (4_096, true));
    assert!(!read.is_complete);
    let taken = taken.load(Ordering::Relaxed);
    // The last piece may exceed the limit.
    assert!((65_536..65_536 + PIECE.len()).contains(&taken), "{taken}");
}
