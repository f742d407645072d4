//! Reads the head of an answer leniently: the status line decides, and sloppy headers never fail a good status.
//!
//! A receiver's head is rewritten for the HTTP client: the status, the framing of the body and `Retry-After` remain.
//! Interim answers (1xx) are skipped. Lines without a colon, folded lines, spaces before a colon, any number of other
//! headers, and a missing last line are accepted. Every limit counts octets or answers, so that a receiver cannot send without an end.

use crate::failure::Failure;

/// Of all interim answers and the final head together.
pub const MAX_HEAD_OCTETS: usize = 256 * 1024;
/// Interim answers before the final one.
pub const MAX_INTERIM_ANSWERS: usize = 20;
/// The rest of a line is skipped.
const MAX_LINE: usize = 4 * 1024;
/// `Retry-After` headers that are passed on.
const MAX_RETRY_AFTER: usize = 4;

/// The rewritten head, once the receiver has sent all of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rewritten {
    pub head: Vec<u8>,
    /// Octets of the last piece that belong to the head. The rest is the body.
    pub consumed: usize,
    /// Whether the connection can take another request after the body: the head is strictly HTTP/1.1, says where the body ends,
    /// and does not close the connection.
    pub keeps_alive: bool,
}

/// An answer's head, as far as it has arrived.
#[derive(Debug, Default)]
pub struct AnswerHead {
    octets: usize,
    interim: usize,
    /// The line that is not complete yet.
    line: Vec<u8>,
    status: Option<u16>,
    headers: Headers,
    /// Whether a line was not strictly HTTP/1.1, or an interim answer came before.
    is_sloppy: bool,
}

impl AnswerHead {
    /// Reads the next piece.
    ///
    /// # Errors
    /// A status line is not valid, or a limit is exceeded.
    pub fn push(&mut self, piece: &[u8]) -> Result<Option<Rewritten>, Failure> {
        for (index, octet) in piece.iter().enumerate() {
            self.octets += 1;
            if self.octets > MAX_HEAD_OCTETS {
                return Err(Failure::LongHead);
            }
            if *octet != b'\n' {
                if self.line.len() < MAX_LINE {
                    self.line.push(*octet);
                } else {
                    self.is_sloppy = true;
                }
                continue;
            }
            let line = std::mem::take(&mut self.line);
            let stripped = line.strip_suffix(b"\r");
            self.is_sloppy |= stripped.is_none();
            if let Some((head, keeps_alive)) = self.end_line(stripped.unwrap_or(&line))? {
                let consumed = index + 1;
                return Ok(Some(Rewritten {
                    head,
                    consumed,
                    keeps_alive,
                }));
            }
        }
        Ok(None)
    }

    /// Returns the rewritten head if the receiver closes the connection after a whole line of the final head: the empty line
    /// is missing.
    pub fn close(&mut self) -> Option<Vec<u8>> {
        let status = self.status.filter(|status| !is_interim(*status))?;
        let is_whole = self.line.is_empty();
        is_whole.then(|| std::mem::take(&mut self.headers).head(status).0)
    }

    /// Returns the rewritten head after its last line, and whether the connection can take another request.
    fn end_line(&mut self, line: &[u8]) -> Result<Option<(Vec<u8>, bool)>, Failure> {
        let Some(status) = self.status else {
            self.is_sloppy |= !is_strict_status(line);
            if !line.is_empty() {
                self.status = Some(status_of(line).ok_or(Failure::NotHttp)?);
            }
            return Ok(None);
        };
        if !line.is_empty() {
            self.headers.read(line);
            return Ok(None);
        }
        let headers = std::mem::take(&mut self.headers);
        if !is_interim(status) {
            let (head, keeps_alive) = headers.head(status);
            return Ok(Some((head, keeps_alive && !self.is_sloppy)));
        }
        self.is_sloppy = true;
        self.status = None;
        self.interim += 1;
        if self.interim > MAX_INTERIM_ANSWERS {
            Err(Failure::TooManyInterimAnswers)
        } else {
            Ok(None)
        }
    }
}

/// 101 is final: no HTTP follows it.
fn is_interim(status: u16) -> bool {
    (100..200).contains(&status) && status != 101
}

/// `HTTP/1.1`, a space, three digits, and nothing or a space.
fn is_strict_status(line: &[u8]) -> bool {
    let rest = line.strip_prefix(b"HTTP/1.1 ").unwrap_or_default();
    let (digits, rest) = rest.split_at_checked(3).unwrap_or_default();
    digits.len() == 3 && digits.iter().all(u8::is_ascii_digit) && matches!(rest, [] | [b' ', ..])
}

/// Of `HTTP/1.x`, spaces, three digits, and anything after a space.
fn status_of(line: &[u8]) -> Option<u16> {
    let [minor, rest @ ..] = line.strip_prefix(b"HTTP/1.")? else {
        return None;
    };
    let is_space = |octet: &u8| matches!(octet, b' ' | b'\t');
    let [space, rest @ ..] = rest else {
        return None;
    };
    if !minor.is_ascii_digit() || !is_space(space) {
        return None;
    }
    let rest = rest.trim_ascii_start();
    let (digits, rest) = rest.split_at_checked(3)?;
    if !rest.first().is_none_or(is_space) || digits[0] == b'0' {
        return None;
    }
    number(digits).and_then(|status| u16::try_from(status).ok())
}

/// Of digits only.
fn number(text: &[u8]) -> Option<u64> {
    let digits = !text.is_empty() && text.iter().all(u8::is_ascii_digit);
    std::str::from_utf8(text)
        .ok()
        .filter(|_| digits)?
        .parse()
        .ok()
}

/// The headers that have a meaning for Tandem.
#[derive(Debug, Default)]
struct Headers {
    /// The header that a folded line continues.
    last: Option<(Name, Vec<u8>)>,
    length: Length,
    coding: Coding,
    retry_after: Vec<Vec<u8>>,
    /// Whether a header is not strictly HTTP/1.1, frames the body a second time, or asks for something else than the next request.
    closes: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Name {
    ContentLength,
    TransferEncoding,
    RetryAfter,
}

#[derive(Debug, Default, PartialEq, Eq)]
enum Length {
    #[default]
    None,
    Octets(u64),
    /// No number, or several numbers.
    Unusable,
}

#[derive(Debug, Default, PartialEq, Eq)]
enum Coding {
    #[default]
    None,
    Chunked,
    /// The body ends with the connection.
    Other,
}

impl Headers {
    fn read(&mut self, line: &[u8]) {
        if matches!(line, [b' ' | b'\t', ..]) {
            self.closes = true;
            self.continue_last(line.trim_ascii());
            return;
        }
        self.end_header();
        let Some(colon) = line.iter().position(|octet| *octet == b':') else {
            self.closes = true;
            return;
        };
        self.closes |= !line[..colon].iter().all(is_token);
        let (name, value) = (line[..colon].trim_ascii(), line[colon + 1..].trim_ascii());
        self.closes |= closes(name, value);
        self.last = Name::of(name).map(|name| (name, value.to_vec()));
    }

    fn continue_last(&mut self, folded: &[u8]) {
        let Some((_, value)) = &mut self.last else {
            return;
        };
        if value.len() < MAX_LINE {
            if !value.is_empty() {
                value.push(b' ');
            }
            value.extend_from_slice(folded);
        }
    }

    fn end_header(&mut self) {
        match self.last.take() {
            None => {}
            Some((Name::ContentLength, value)) => {
                self.closes |= self.length != Length::None || number(&value).is_none();
                for element in elements(&value) {
                    self.length.read(element);
                }
            }
            Some((Name::TransferEncoding, value)) => {
                self.closes |=
                    self.coding != Coding::None || !value.eq_ignore_ascii_case(b"chunked");
                for element in elements(&value) {
                    self.coding.read(element);
                }
            }
            Some((Name::RetryAfter, value)) => {
                let is_text = value.iter().all(|octet| matches!(octet, b' '..=b'~'));
                if is_text && self.retry_after.len() < MAX_RETRY_AFTER {
                    self.retry_after.push(value);
                }
            }
        }
    }

    /// The rewritten head, and whether the connection can take another request after the body.
    fn head(mut self, status: u16) -> (Vec<u8>, bool) {
        self.end_header();
        let is_framed = match (&self.coding, &self.length) {
            (Coding::Chunked, Length::None) | (Coding::None, Length::Octets(_)) => true,
            (Coding::None, Length::None) => status == 204,
            _ => false,
        };
        let keeps_alive = is_framed && !self.closes && status != 101;
        let mut head = format!("HTTP/1.1 {status} \r\n").into_bytes();
        match (self.coding, self.length) {
            (Coding::Chunked, _) => head.extend_from_slice(b"transfer-encoding: chunked\r\n"),
            (Coding::Other, _) | (Coding::None, Length::None) => {}
            (Coding::None, Length::Octets(length)) => {
                head.extend_from_slice(format!("content-length: {length}\r\n").as_bytes());
            }
            // Nobody knows where the body ends. The status is enough.
            (Coding::None, Length::Unusable) => head.extend_from_slice(b"content-length: 0\r\n"),
        }
        for value in self.retry_after {
            head.extend_from_slice(b"retry-after: ");
            head.extend_from_slice(&value);
            head.extend_from_slice(b"\r\n");
        }
        head.extend_from_slice(b"\r\n");
        (head, keeps_alive)
    }
}

/// Whether a header ends the connection, changes its protocol, or announces trailers.
fn closes(name: &[u8], value: &[u8]) -> bool {
    let is = |text: &str| name.eq_ignore_ascii_case(text.as_bytes());
    (is("connection") && !value.eq_ignore_ascii_case(b"keep-alive"))
        || is("upgrade")
        || is("trailer")
        || is("proxy-connection")
}

/// An octet of the name of a header.
fn is_token(octet: &u8) -> bool {
    octet.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(octet)
}

impl Name {
    fn of(name: &[u8]) -> Option<Self> {
        [
            ("content-length", Self::ContentLength),
            ("transfer-encoding", Self::TransferEncoding),
            ("retry-after", Self::RetryAfter),
        ]
        .into_iter()
        .find_map(|(text, found)| name.eq_ignore_ascii_case(text.as_bytes()).then_some(found))
    }
}

impl Length {
    fn read(&mut self, element: &[u8]) {
        // The HTTP client reserves the largest numbers.
        let length = number(element).filter(|length| *length < 1 << 48);
        *self = match (&*self, length) {
            (Self::None, Some(length)) => Self::Octets(length),
            (Self::Octets(before), Some(length)) if *before == length => Self::Octets(length),
            _ => Self::Unusable,
        };
    }
}

impl Coding {
    /// The last coding frames the body.
    fn read(&mut self, element: &[u8]) {
        *self = if element.eq_ignore_ascii_case(b"chunked") {
            Self::Chunked
        } else if element.is_empty() || element.eq_ignore_ascii_case(b"identity") {
            return;
        } else {
            Self::Other
        };
    }
}

fn elements(list: &[u8]) -> impl Iterator<Item = &[u8]> {
    list.split(|octet| *octet == b',').map(<[u8]>::trim_ascii)
}

#[cfg(test)]
mod tests;
