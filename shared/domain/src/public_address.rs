//! Decides which addresses a callback may be sent to, by a list of allowed addresses:
//!
//! - IPv4 outside every block of the IANA IPv4 Special-Purpose Address Registry, and no multicast. Blocks that the
//!   registry calls globally reachable (anycast of protocols, AS112) are refused too: they have no receivers.
//! - IPv6 within 2000::/3, the only space that IANA assigns, outside every block of its special-purpose registry.
//! - An IPv4 address inside an IPv6 address is checked too: mapped, compatible, translated, NAT64, 6to4, Teredo,
//!   ISATAP.
//!
//! Sources: <https://www.iana.org/assignments/iana-ipv4-special-registry>,
//! <https://www.iana.org/assignments/iana-ipv6-special-registry>. Not guaranteed: that a NAT64 gateway with a prefix of its
//! own is detected (RFC 6052, 2.2): its addresses look like any other. A network that sends callbacks must not have one.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Why an address is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotPublic {
    #[error("the address is in a block for {0}")]
    Special(&'static str),
    /// IANA has not assigned this IPv6 space for unicast.
    #[error("the address is outside of 2000::/3")]
    OutsideUnicast,
    #[error("the address contains an IPv4 address ({form}) in a block for {block}")]
    Embedded {
        form: &'static str,
        block: &'static str,
    },
}

/// Returns why a callback may not be sent to the address, if so.
pub fn check(address: IpAddr) -> Result<(), NotPublic> {
    match address {
        IpAddr::V4(address) => {
            special_v4(address).map_or(Ok(()), |block| Err(NotPublic::Special(block)))
        }
        IpAddr::V6(address) => check_v6(address),
    }
}

fn check_v6(address: Ipv6Addr) -> Result<(), NotPublic> {
    for (form, inner) in embedded(address) {
        if let Some(block) = special_v4(inner) {
            return Err(NotPublic::Embedded { form, block });
        }
    }
    let bits = address.to_bits();
    match V6
        .iter()
        .find(|(start, length, _)| (bits ^ start.to_bits()) >> (128 - length) == 0)
    {
        Some((.., block)) => Err(NotPublic::Special(block)),
        None if bits >> 125 == 1 => Ok(()),
        None => Err(NotPublic::OutsideUnicast),
    }
}

fn special_v4(address: Ipv4Addr) -> Option<&'static str> {
    let bits = address.to_bits();
    let block = V4
        .iter()
        .find(|(start, length, _)| (bits ^ start.to_bits()) >> (32 - length) == 0);
    block.map(|(.., block)| *block)
}

/// Start, prefix length and purpose. Blocks within a listed block are not repeated.
const V4: &[(Ipv4Addr, u32, &str)] = &[
    (Ipv4Addr::new(0, 0, 0, 0), 8, "this network (RFC 791)"),
    (Ipv4Addr::new(10, 0, 0, 0), 8, "private use (RFC 1918)"),
    (
        Ipv4Addr::new(100, 64, 0, 0),
        10,
        "shared address space (RFC 6598)",
    ),
    (Ipv4Addr::new(127, 0, 0, 0), 8, "loopback (RFC 1122)"),
    (Ipv4Addr::new(169, 254, 0, 0), 16, "link-local (RFC 3927)"),
    (Ipv4Addr::new(172, 16, 0, 0), 12, "private use (RFC 1918)"),
    (Ipv4Addr::new(192, 0, 0, 0), 24, "IETF protocols (RFC 6890)"),
    (Ipv4Addr::new(192, 0, 2, 0), 24, "documentation (RFC 5737)"),
    (Ipv4Addr::new(192, 31, 196, 0), 24, "AS112 (RFC 7535)"),
    (Ipv4Addr::new(192, 52, 193, 0), 24, "AMT (RFC 7450)"),
    (Ipv4Addr::new(192, 88, 99, 0), 24, "6to4 relays (RFC 7526)"),
    (Ipv4Addr::new(192, 168, 0, 0), 16, "private use (RFC 1918)"),
    (Ipv4Addr::new(192, 175, 48, 0), 24, "AS112 (RFC 7534)"),
    (Ipv4Addr::new(198, 18, 0, 0), 15, "benchmarking (RFC 2544)"),
    (
        Ipv4Addr::new(198, 51, 100, 0),
        24,
        "documentation (RFC 5737)",
    ),
    (
        Ipv4Addr::new(203, 0, 113, 0),
        24,
        "documentation (RFC 5737)",
    ),
    (Ipv4Addr::new(224, 0, 0, 0), 4, "multicast (RFC 5771)"),
    (
        Ipv4Addr::new(240, 0, 0, 0),
        4,
        "reserved (RFC 1112) and broadcast (RFC 919)",
    ),
];

/// As [`V4`]. Blocks outside of 2000::/3 are listed only for their reason.
const V6: &[(Ipv6Addr, u32, &str)] = &[
    (
        Ipv6Addr::UNSPECIFIED,
        128,
        "the unspecified address (RFC 4291)",
    ),
    (Ipv6Addr::LOCALHOST, 128, "loopback (RFC 4291)"),
    (
        Ipv6Addr::new(0, 0, 0, 0, 0, 0xffff, 0, 0),
        96,
        "IPv4-mapped addresses (RFC 4291)",
    ),
    (
        Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, 0, 0),
        96,
        "NAT64 (RFC 6052)",
    ),
    (
        Ipv6Addr::new(0x64, 0xff9b, 1, 0, 0, 0, 0, 0),
        48,
        "NAT64 (RFC 8215)",
    ),
    (
        Ipv6Addr::new(0x100, 0, 0, 0, 0, 0, 0, 0),
        64,
        "discarding (RFC 6666)",
    ),
    (
        Ipv6Addr::new(0x100, 0, 0, 1, 0, 0, 0, 0),
        64,
        "dummy addresses (RFC 9780)",
    ),
    (
        Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0),
        23,
        "IETF protocols (RFC 2928)",
    ),
    (
        Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0),
        32,
        "documentation (RFC 3849)",
    ),
    (
        Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0),
        16,
        "6to4 (RFC 3056)",
    ),
    (
        Ipv6Addr::new(0x2620, 0x4f, 0x8000, 0, 0, 0, 0, 0),
        48,
        "AS112 (RFC 7534)",
    ),
    (
        Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0),
        20,
        "documentation (RFC 9637)",
    ),
    (
        Ipv6Addr::new(0x5f00, 0, 0, 0, 0, 0, 0, 0),
        16,
        "segment routing (RFC 9602)",
    ),
    (
        Ipv6Addr::new(0xfc00, 0, 0, 0, 0, 0, 0, 0),
        7,
        "unique local addresses (RFC 4193)",
    ),
    (
        Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0),
        10,
        "link-local (RFC 4291)",
    ),
    (
        Ipv6Addr::new(0xff00, 0, 0, 0, 0, 0, 0, 0),
        8,
        "multicast (RFC 4291)",
    ),
];

/// The IPv4 addresses inside an IPv6 address, one for each form that its bits match.
fn embedded(address: Ipv6Addr) -> impl Iterator<Item = (&'static str, Ipv4Addr)> {
    let s = address.segments();
    let at = |index: usize| v4(s[index], s[index + 1]);
    let last = at(6);
    // RFC 6052, 2.2: after a prefix of 48 bits, the octet in the middle is zero.
    let around_the_octet = v4(s[3], s[4] << 8 | s[5] >> 8);
    let forms = [
        (s[..6] == [0; 6] && s[6] != 0, "IPv4-compatible", last),
        (s[..6] == [0, 0, 0, 0, 0, 0xffff], "IPv4-mapped", last),
        (s[..6] == [0, 0, 0, 0, 0xffff, 0], "IPv4-translated", last),
        (s[..6] == [0x64, 0xff9b, 0, 0, 0, 0], "NAT64", last),
        (s[..3] == [0x64, 0xff9b, 1], "NAT64", last),
        (s[..3] == [0x64, 0xff9b, 1], "NAT64", around_the_octet),
        (s[0] == 0x2002, "6to4", at(1)),
        (s[..2] == [0x2001, 0], "Teredo server", at(2)),
        (s[..2] == [0x2001, 0], "Teredo client", v4(!s[6], !s[7])),
        // The universal and group bits are not part of the address (RFC 5214, 6.1).
        (s[4] & !0x0300 == 0 && s[5] == 0x5efe, "ISATAP", last),
    ];
    forms
        .into_iter()
        .filter_map(|(fits, form, inner)| fits.then_some((form, inner)))
}

fn v4(high: u16, low: u16) -> Ipv4Addr {
    Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low))
}

#[cfg(test)]
mod tests;
