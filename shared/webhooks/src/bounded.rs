//! Streams that bound a receiver: [`Metered`] beneath TLS, [`Answer`] above it.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::answer_head::AnswerHead;
use crate::failure::Failure;

/// Octets that one attempt reads from the network, TLS included.
pub(crate) const MAX_OCTETS: usize = 1024 * 1024;
/// Reads of one attempt that return octets. A receiver may not send that much in pieces of a few octets.
pub(crate) const MAX_READS: usize = 10_000;
/// Octets of the body with its framing. The HTTP client decodes them.
pub(crate) const MAX_BODY_OCTETS: usize = 256 * 1024;
/// Octets of a head that are read at once. The attempt then yields to the others.
const PIECE: usize = 8 * 1024;

/// Counts the octets and the reads of an attempt, and fails beyond their limits.
pub(crate) struct Metered<S> {
    stream: S,
    octets: usize,
    reads: usize,
}

impl<S> Metered<S> {
    pub(crate) fn new(stream: S) -> Self {
        Self {
            stream,
            octets: 0,
            reads: 0,
        }
    }

    /// Gives the next attempt on this connection the bounds of a new one.
    pub(crate) fn renew(&mut self) {
        (self.octets, self.reads) = (0, 0);
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Metered<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let left = MAX_OCTETS.saturating_sub(self.octets);
        if left == 0 || self.reads >= MAX_READS {
            return Poll::Ready(Err(failed(Failure::Flood)));
        }
        let read = ready!(read_at_most(
            &mut self.stream,
            context,
            buffer,
            left.min(PIECE)
        ))?;
        self.octets += read;
        self.reads += 1;
        Poll::Ready(Ok(()))
    }
}

/// Rewrites the head of an answer, and bounds its body.
pub(crate) struct Answer<S> {
    stream: S,
    part: Part,
    /// Whether the receiver has sent octets.
    has_begun: bool,
    /// Whether a part of the request was written after the receiver had begun to answer.
    is_early: bool,
}

enum Part {
    /// Nothing of the request is written. The HTTP client refuses an answer that it reads before, so its read waits.
    Request(Option<Waker>),
    Head(AnswerHead),
    /// Octets that were read and are not passed on yet: the rewritten head and the start of the body.
    Body {
        waiting: Vec<u8>,
        passed: usize,
        octets: usize,
        keeps_alive: bool,
    },
}

impl<S> Answer<S> {
    pub(crate) fn new(stream: S) -> Self {
        Self {
            stream,
            part: Part::Request(None),
            has_begun: false,
            is_early: false,
        }
    }

    /// Whether the receiver has sent octets.
    pub(crate) fn has_begun(&self) -> bool {
        self.has_begun
    }

    /// The connection, if the HTTP client got every octet that was read, and the answer lets another request follow. The caller
    /// checks that the body was complete.
    pub(crate) fn into_reusable(self) -> Option<S> {
        match self.part {
            Part::Body {
                waiting,
                passed,
                keeps_alive: true,
                ..
            } if passed == waiting.len() && !self.is_early => Some(self.stream),
            _ => None,
        }
    }
}

impl<S: AsyncRead + Unpin> Answer<S> {
    /// Reads one piece of the head. The caller yields if the head is not complete.
    fn poll_head(&mut self, context: &mut Context<'_>) -> Poll<io::Result<Progress>> {
        let head = match &mut self.part {
            Part::Request(reader) => {
                *reader = Some(context.waker().clone());
                return Poll::Pending;
            }
            Part::Head(head) => head,
            Part::Body { .. } => return Poll::Ready(Ok(Progress::Complete)),
        };
        let mut piece = [0; PIECE];
        let mut buffer = ReadBuf::new(&mut piece);
        ready!(Pin::new(&mut self.stream).poll_read(context, &mut buffer))?;
        let piece = buffer.filled();
        self.has_begun |= !piece.is_empty();
        let (mut waiting, body, keeps_alive) = if piece.is_empty() {
            match head.close() {
                Some(head) => (head, piece, false),
                None => return Poll::Ready(Ok(Progress::Closed)),
            }
        } else {
            match head.push(piece).map_err(failed)? {
                Some(read) => (read.head, &piece[read.consumed..], read.keeps_alive),
                None => return Poll::Ready(Ok(Progress::More)),
            }
        };
        waiting.extend_from_slice(body);
        self.part = Part::Body {
            waiting,
            passed: 0,
            octets: body.len(),
            keeps_alive,
        };
        Poll::Ready(Ok(Progress::Complete))
    }
}

enum Progress {
    More,
    Complete,
    /// The receiver closed the connection within the head.
    Closed,
}

impl<S: AsyncRead + Unpin> AsyncRead for Answer<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match ready!(self.poll_head(context))? {
            Progress::Complete => {}
            Progress::Closed => return Poll::Ready(Ok(())),
            Progress::More => {
                context.waker().wake_by_ref();
                return Poll::Pending;
            }
        }
        let Self { stream, part, .. } = &mut *self;
        let Part::Body {
            waiting,
            passed,
            octets,
            ..
        } = part
        else {
            return Poll::Ready(Ok(()));
        };
        if *passed < waiting.len() {
            let count = buffer.remaining().min(waiting.len() - *passed);
            buffer.put_slice(&waiting[*passed..*passed + count]);
            *passed += count;
            return Poll::Ready(Ok(()));
        }
        let left = MAX_BODY_OCTETS.saturating_sub(*octets);
        if left == 0 {
            return Poll::Ready(Err(failed(Failure::LongBody)));
        }
        *octets += ready!(read_at_most(stream, context, buffer, left))?;
        Poll::Ready(Ok(()))
    }
}

fn read_at_most(
    stream: &mut (impl AsyncRead + Unpin),
    context: &mut Context<'_>,
    buffer: &mut ReadBuf<'_>,
    most: usize,
) -> Poll<io::Result<usize>> {
    let most = most.min(buffer.remaining());
    let mut part = ReadBuf::new(buffer.initialize_unfilled_to(most));
    ready!(Pin::new(stream).poll_read(context, &mut part))?;
    let read = part.filled().len();
    buffer.advance(read);
    Poll::Ready(Ok(read))
}

fn failed(failure: Failure) -> io::Error {
    io::Error::other(failure)
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Metered<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        octets: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, octets)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Answer<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        octets: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.stream).poll_write(context, octets))?;
        self.is_early |= self.has_begun && written > 0;
        if let Part::Request(reader) = &mut self.part {
            if let Some(reader) = reader.take() {
                reader.wake();
            }
            self.part = Part::Head(AnswerHead::default());
        }
        Poll::Ready(Ok(written))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, repeat};

    use super::*;

    /// Reads until the stream fails; returns the number of octets.
    async fn read_until_failure(piece: usize) -> usize {
        let (mut stream, mut read) = (Metered::new(repeat(b'a')), 0);
        let error = loop {
            match stream.read(&mut vec![0; piece]).await {
                Ok(octets) => read += octets,
                Err(error) => break error,
            }
        };
        assert_eq!(Failure::find(&error), Some(Failure::Flood));
        read
    }

    #[tokio::test]
    async fn an_attempt_reads_a_megabyte_or_ten_thousand_pieces() {
        assert_eq!(read_until_failure(100_000).await, MAX_OCTETS);
        assert_eq!(read_until_failure(1_000).await, MAX_OCTETS);
        assert_eq!(read_until_failure(1).await, MAX_READS);
    }
}
