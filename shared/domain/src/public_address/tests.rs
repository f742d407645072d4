//! The rows of both IANA registries (the newest is of RFC 9780), each embedding, and the addresses that must pass.

use super::*;

/// All rows of the IPv4 registry, nested ones included, and multicast, which has a registry of its own.
const IPV4_REGISTRY: &[&str] = &[
    "0.0.0.0/8",
    "0.0.0.0/32",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.0.0/29",
    "192.0.0.8/32",
    "192.0.0.9/32",
    "192.0.0.10/32",
    "192.0.0.170/32",
    "192.0.0.171/32",
    "192.0.2.0/24",
    "192.31.196.0/24",
    "192.52.193.0/24",
    "192.88.99.0/24",
    "192.88.99.2/32",
    "192.168.0.0/16",
    "192.175.48.0/24",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/4",
    "240.0.0.0/4",
    "255.255.255.255/32",
];

/// All rows of the IPv6 registry, and the blocks of the address space that other documents set apart.
const IPV6_REGISTRY: &[&str] = &[
    "::1/128",
    "::/128",
    "::ffff:0:0/96",
    "64:ff9b::/96",
    "64:ff9b:1::/48",
    "100::/64",
    "100:0:0:1::/64",
    "2001::/23",
    "2001::/32",
    "2001:1::1/128",
    "2001:1::2/128",
    "2001:1::3/128",
    "2001:2::/48",
    "2001:3::/32",
    "2001:4:112::/48",
    "2001:10::/28",
    "2001:20::/28",
    "2001:30::/28",
    "2001:db8::/32",
    "2002::/16",
    "2620:4f:8000::/48",
    "3fff::/20",
    "5f00::/16",
    "fc00::/7",
    "fe80::/10",
    "fec0::/10",
    "ff00::/8",
    "::/96",
    "::ffff:0:0:0/96",
];

fn verdict(text: &str) -> Result<(), NotPublic> {
    check(text.parse().expect(text))
}

fn block(text: &str) -> (&str, u32) {
    let (start, length) = text.split_once('/').expect(text);
    (start, length.parse().expect(text))
}

#[test]
fn first_and_last_address_of_each_ipv4_block_are_refused() {
    for row in IPV4_REGISTRY {
        let (start, length) = block(row);
        let start: Ipv4Addr = start.parse().expect(row);
        let last = Ipv4Addr::from_bits(start.to_bits() | u32::MAX.checked_shr(length).unwrap_or(0));
        for address in [start, last] {
            assert!(check(address.into()).is_err(), "{address} of {row}");
        }
    }
}

#[test]
fn first_and_last_address_of_each_ipv6_block_are_refused() {
    for row in IPV6_REGISTRY {
        let (start, length) = block(row);
        let start: Ipv6Addr = start.parse().expect(row);
        let last =
            Ipv6Addr::from_bits(start.to_bits() | u128::MAX.checked_shr(length).unwrap_or(0));
        for address in [start, last] {
            assert!(check(address.into()).is_err(), "{address} of {row}");
        }
    }
}

#[test]
fn the_neighbours_of_each_ipv4_block_are_allowed() {
    for address in [
        "1.0.0.0",
        "9.255.255.255",
        "11.0.0.0",
        "100.63.255.255",
        "100.128.0.0",
        "126.255.255.255",
        "128.0.0.0",
        "169.253.255.255",
        "169.255.0.0",
        "172.15.255.255",
        "172.32.0.0",
        "191.255.255.255",
        "192.0.1.0",
        "192.0.1.255",
        "192.0.3.0",
        "192.31.195.255",
        "192.31.197.0",
        "192.52.192.255",
        "192.52.194.0",
        "192.88.98.255",
        "192.88.100.0",
        "192.167.255.255",
        "192.169.0.0",
        "192.175.47.255",
        "192.175.49.0",
        "198.17.255.255",
        "198.20.0.0",
        "198.51.99.255",
        "198.51.101.0",
        "203.0.112.255",
        "203.0.114.0",
        "223.255.255.255",
    ] {
        assert_eq!(verdict(address), Ok(()), "{address}");
    }
}

#[test]
fn global_unicast_between_the_ipv6_blocks_is_allowed() {
    for address in [
        "2000::",
        "2001:200::",
        "2001:db7:ffff:ffff:ffff:ffff:ffff:ffff",
        "2001:db9::",
        "2003::1",
        "2001:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
        "2606:2800:21f:cb07:6820:80da:af6b:8b2c",
        "2620:4f:7fff:ffff::",
        "2620:4f:8001::",
        "2a00:1450:4001:830::200e",
        "3ffe:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
        "3fff:1000::",
    ] {
        assert_eq!(verdict(address), Ok(()), "{address}");
    }
}

#[test]
fn unassigned_ipv6_is_refused() {
    for address in [
        "::2:0:0:0:1",
        "1::",
        "200::",
        "1fff:ffff::",
        "4000::",
        "8000::1",
        "e000::",
        "fe00::1",
        "fec0::1",
    ] {
        assert_eq!(
            verdict(address),
            Err(NotPublic::OutsideUnicast),
            "{address}"
        );
    }
}

#[test]
fn an_inner_ipv4_address_is_found_in_each_form() {
    for (form, address) in [
        ("IPv4-compatible", "::10.0.0.1"),
        ("IPv4-mapped", "::ffff:10.0.0.1"),
        ("IPv4-translated", "::ffff:0:10.0.0.1"),
        ("NAT64", "64:ff9b::10.0.0.1"),
        ("NAT64", "64:ff9b:1::10.0.0.1"),
        ("NAT64", "64:ff9b:1:a00:0:100:808:808"),
        ("6to4", "2002:a00:1::1"),
        ("Teredo server", "2001:0:a00:1::f7f7:f7f7"),
        ("Teredo client", "2001:0:808:808::f5ff:fffe"),
        ("ISATAP", "2a00:1450:4001:830:0:5efe:10.0.0.1"),
        ("ISATAP", "2a00:1450:4001:830:200:5efe:10.0.0.1"),
        ("ISATAP", "2a00:1450:4001:830:100:5efe:10.0.0.1"),
        ("ISATAP", "2a00:1450:4001:830:300:5efe:10.0.0.1"),
    ] {
        let expected = NotPublic::Embedded {
            form,
            block: "private use (RFC 1918)",
        };
        assert_eq!(verdict(address), Err(expected), "{address}");
    }
}

#[test]
fn each_special_ipv4_block_is_refused_in_each_form() {
    for row in IPV4_REGISTRY {
        let bits = block(row).0.parse::<Ipv4Addr>().expect(row).to_bits();
        let (high, low) = ((bits >> 16) as u16, bits as u16);
        for address in [
            Ipv6Addr::new(0, 0, 0, 0, 0, 0, high, low),
            Ipv6Addr::new(0, 0, 0, 0, 0, 0xffff, high, low),
            Ipv6Addr::new(0, 0, 0, 0, 0xffff, 0, high, low),
            Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, high, low),
            Ipv6Addr::new(0x2002, high, low, 0, 0, 0, 0, 1),
            Ipv6Addr::new(0x2001, 0, high, low, 0, 0, 0xf7f7, 0xf7f7),
            Ipv6Addr::new(0x2001, 0, 0x808, 0x808, 0, 0, !high, !low),
            Ipv6Addr::new(0x2a00, 0x1450, 0x4001, 0x830, 0x200, 0x5efe, high, low),
        ] {
            assert!(check(address.into()).is_err(), "{address} for {row}");
        }
    }
}

#[test]
fn embedded_public_ipv4_is_allowed_only_in_assigned_space() {
    assert_eq!(verdict("2a00:1450:4001:830:200:5efe:8.8.8.8"), Ok(()));
    for address in [
        "::8.8.8.8",
        "::ffff:8.8.8.8",
        "::ffff:0:8.8.8.8",
        "64:ff9b::8.8.8.8",
        "2002:808:808::1",
    ] {
        assert!(verdict(address).is_err(), "{address}");
    }
}
