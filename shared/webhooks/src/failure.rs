//! Why an attempt got no valid answer, in words for the people who run the receiver.

use std::error::Error;
use std::fmt;
use std::io;
use std::iter;
use std::time::Duration;

use tandem_domain::callback_url::InvalidCallbackUrl;

use crate::answer_head::{MAX_HEAD_OCTETS, MAX_INTERIM_ANSWERS};
use crate::bounded::{MAX_BODY_OCTETS, MAX_OCTETS, MAX_READS};

/// The texts go to the source client: they name no address and no internals of Tandem.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    #[error("the callback URL is not allowed: {0}")]
    Url(InvalidCallbackUrl),
    #[error("the name does not resolve")]
    NoSuchName,
    #[error("the receiver's address is not public")]
    NotPublic,
    #[error("no connection within {}", Span(*.0))]
    NoConnection(Duration),
    #[error("the receiver refused the connection")]
    Refused,
    #[error("the receiver's network cannot be reached")]
    Unreachable,
    #[error("the receiver's certificate is not valid: {0}")]
    Certificate(String),
    #[error("the TLS handshake with the receiver failed")]
    Tls,
    #[error("no answer within {}", Span(*.0))]
    NoAnswer(Duration),
    #[error("the receiver closed the connection before it answered")]
    Closed,
    #[error("the answer is not HTTP: its first line must be a status line such as HTTP/1.1 200 OK")]
    NotHttp,
    #[error("the answer's headers do not end within {} KB", MAX_HEAD_OCTETS / 1024)]
    LongHead,
    #[error("more than {MAX_INTERIM_ANSWERS} interim answers (1xx) preceded the answer")]
    TooManyInterimAnswers,
    #[error("the answer's body was cut off after {} KB", MAX_BODY_OCTETS / 1024)]
    LongBody,
    #[error("the receiver sent more than {} KB, or more than {MAX_READS} pieces", MAX_OCTETS / 1024)]
    Flood,
    #[error(
        "the receiver redirects to another address, which is not followed: set the callback URL to the final address"
    )]
    Redirect,
    #[error("the answer was not complete within {}", Span(*.0))]
    SlowAnswer(Duration),
    #[error("the connection broke before the answer was complete")]
    BrokenAnswer,
    #[error("the exchange with the receiver failed")]
    Other,
}

impl Failure {
    /// Finds the cause in the chain of an error, if it is known.
    pub(crate) fn find(error: &(dyn Error + 'static)) -> Option<Self> {
        iter::successors(Some(error), |&error| error.source()).find_map(cause)
    }
}

fn cause(error: &(dyn Error + 'static)) -> Option<Failure> {
    if let Some(failure) = error.downcast_ref::<Failure>() {
        Some(failure.clone())
    } else if let Some(error) = error.downcast_ref::<rustls::Error>() {
        Some(of_tls(error))
    } else if let Some(error) = error.downcast_ref::<hyper::Error>() {
        of_http(error)
    } else {
        of_network(error.downcast_ref::<io::Error>()?)
    }
}

/// Of a refused certificate, in characters.
const MAX_REASON: usize = 200;

fn of_tls(error: &rustls::Error) -> Failure {
    match error {
        // The text lists all names that the receiver presented.
        rustls::Error::InvalidCertificate(reason) => {
            Failure::Certificate(reason.to_string().chars().take(MAX_REASON).collect())
        }
        _ => Failure::Tls,
    }
}

fn of_http(error: &hyper::Error) -> Option<Failure> {
    if error.is_parse() {
        Some(Failure::NotHttp)
    } else {
        (error.is_incomplete_message() || error.is_canceled() || error.is_closed())
            .then_some(Failure::Closed)
    }
}

fn of_network(error: &io::Error) -> Option<Failure> {
    // An I/O error that wraps another error does not return it as its source.
    if let Some(failure) = error.get_ref().and_then(|inner| cause(inner)) {
        return Some(failure);
    }
    match error.kind() {
        io::ErrorKind::ConnectionRefused => Some(Failure::Refused),
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => {
            Some(Failure::Unreachable)
        }
        io::ErrorKind::ConnectionReset
        | io::ErrorKind::ConnectionAborted
        | io::ErrorKind::BrokenPipe
        | io::ErrorKind::UnexpectedEof => Some(Failure::Closed),
        // Of the TLS library, beside its own errors.
        io::ErrorKind::InvalidData => Some(Failure::Tls),
        _ => None,
    }
}

/// A duration as people read it.
struct Span(Duration);

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.subsec_millis() {
            0 => write!(f, "{} s", self.0.as_secs()),
            _ => write!(f, "{} ms", self.0.as_millis()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deadlines_are_shown_in_seconds_or_milliseconds() {
        assert_eq!(
            Failure::NoAnswer(Duration::from_secs(10)).to_string(),
            "no answer within 10 s"
        );
        assert_eq!(
            Failure::NoConnection(Duration::from_millis(250)).to_string(),
            "no connection within 250 ms"
        );
    }

    #[test]
    fn the_reason_for_a_refused_certificate_is_bounded() {
        let presented = (0..1_000)
            .map(|number| format!("name-{number}.example"))
            .collect();
        let expected = rustls::pki_types::ServerName::try_from("receiver.example")
            .expect("a name")
            .to_owned();
        let wrong = rustls::CertificateError::NotValidForNameContext {
            expected,
            presented,
        };
        let Failure::Certificate(reason) = of_tls(&rustls::Error::InvalidCertificate(wrong)) else {
            panic!("a certificate")
        };
        assert!(
            reason.contains("receiver.example") && reason.chars().count() == MAX_REASON,
            "{reason}"
        );
    }

    #[test]
    fn the_cause_is_found_inside_an_io_error() {
        let wrapped = io::Error::other(rustls::Error::InvalidCertificate(
            rustls::CertificateError::Expired,
        ));
        assert!(matches!(cause(&wrapped), Some(Failure::Certificate(_))));
        assert_eq!(cause(&io::Error::other("unknown")), None);
    }
}
