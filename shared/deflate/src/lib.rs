//! Deflates octets with a preset dictionary (RFC 1951), without a header: whoever stores them also stores which dictionary it is.

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};

/// The most octets that [`inflate`] returns. A corrupt or hostile input must not fill the memory.
pub const MAX_INFLATED: usize = 1024 * 1024;

/// `None` if the compressor rejects the dictionary.
pub fn deflate(dictionary: &[u8], octets: &[u8]) -> Option<Vec<u8>> {
    let mut stream = Compress::new(Compression::best(), false);
    stream.set_dictionary(dictionary).ok()?;
    // Never longer than this (zlib's `deflateBound`), so one call is enough.
    let mut deflated = Vec::with_capacity(octets.len() + octets.len() / 8 + 64);
    let status = stream.compress_vec(octets, &mut deflated, FlushCompress::Finish);
    (status.ok()? == Status::StreamEnd).then_some(deflated)
}

/// `None` if the deflated octets are corrupt, or more than [`MAX_INFLATED`].
pub fn inflate(dictionary: &[u8], deflated: &[u8]) -> Option<Vec<u8>> {
    let mut stream = Decompress::new(false);
    stream.set_dictionary(dictionary).ok()?;
    let mut octets = Vec::with_capacity((8 * deflated.len()).clamp(1024, MAX_INFLATED));
    loop {
        let read = usize::try_from(stream.total_in()).ok()?;
        let before = octets.len();
        let input = deflated.get(read..)?;
        let status = stream.decompress_vec(input, &mut octets, FlushDecompress::Finish);
        match status.ok()? {
            Status::StreamEnd => return Some(octets),
            _ if octets.len() >= MAX_INFLATED => return None,
            _ if octets.len() == octets.capacity() => {
                octets.reserve_exact(octets.len().min(MAX_INFLATED - octets.len()));
            }
            // Neither the end nor a full buffer: the input ends too early.
            _ if octets.len() == before => return None,
            _ => {}
        }
    }
}
