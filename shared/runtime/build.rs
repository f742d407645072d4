//! Selects Amazon's roots from Mozilla's list, so that no function parses the list when it starts.

use std::{env, fs, path::Path};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Names within the certificates of <https://www.amazontrust.com/repository/>.
const NAMES: [&str; 2] = [
    "Amazon Root CA",
    "Starfield Services Root Certificate Authority",
];

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let pem: String = webpki_root_certs::TLS_SERVER_ROOT_CERTS
        .iter()
        .filter(|certificate| NAMES.iter().any(|name| contains(certificate, name)))
        .map(|certificate| {
            let text = STANDARD.encode(certificate);
            format!("-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n")
        })
        .collect();
    let folder = env::var("OUT_DIR").expect("set by Cargo");
    fs::write(Path::new(&folder).join("amazon-roots.pem"), pem).expect("a writable folder");
}

fn contains(certificate: &[u8], name: &str) -> bool {
    let mut windows = certificate.windows(name.len());
    windows.any(|window| window == name.as_bytes())
}
