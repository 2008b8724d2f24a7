//! How forms and codes are written.

use std::collections::BTreeMap;

use switchboard_host::hash::Hash;

/// Returns the fields of a form, or of a query.
pub(super) fn pairs(text: &str) -> BTreeMap<String, String> {
    let pairs = text.split('&').filter_map(|pair| pair.split_once('='));
    pairs.map(|(name, value)| (decoded(name), decoded(value))).collect()
}

/// Returns name and secret in the header of those who say who they are.
pub(super) fn basic(encoded: &str) -> Option<(String, String)> {
    let mut bits = 0_u32;
    let mut bytes = Vec::new();
    for (at, digit) in encoded.bytes().filter(|&digit| digit != b'=').enumerate() {
        let value = DIGITS.iter().position(|&known| known == digit)?;
        bits = bits << 6 | u32::try_from(value).ok()?;
        if at % 4 != 0 {
            let shift = 6 - 2 * (at % 4);
            bytes.push(u8::try_from(bits >> shift & 255).ok()?);
        }
    }
    let text = String::from_utf8(bytes).ok()?;
    let (id, secret) = text.split_once(':')?;
    Some((decoded(id), decoded(secret)))
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'+' => bytes.push(b' '),
            b'%' => {
                let digits = [rest.next().unwrap_or(b'0'), rest.next().unwrap_or(b'0')];
                let digits = String::from_utf8_lossy(&digits).into_owned();
                bytes.push(u8::from_str_radix(&digits, 16).unwrap_or(b'?'));
            }
            byte => bytes.push(byte),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Returns the SHA-256 of a text.
pub(super) fn digest(text: &str) -> Vec<u8> {
    let digits = Hash::of(text.as_bytes()).to_string();
    let pair = |at: usize| u8::from_str_radix(&digits[at..at + 2], 16).unwrap_or_default();
    (0..digits.len()).step_by(2).map(pair).collect()
}

const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Returns bytes in Base64; `web`: as it stands in addresses.
pub(super) fn base64(bytes: &[u8], web: bool) -> String {
    let mut out = String::new();
    for group in bytes.chunks(3) {
        let byte = |at: usize| u32::from(group.get(at).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for digit in 0..=group.len() {
            out.push(char::from(DIGITS[(bits >> (18 - 6 * digit) & 63) as usize]));
        }
    }
    if web { out.replace('+', "-").replace('/', "_") } else { out }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_read_as_they_are_written() {
        assert_eq!(pairs("a=b%2Fc+d&e=")["a"], "b/c d");
        for (id, secret) in [("a", "b"), ("ab", "c"), ("abc", "d e"), ("a:b", "c%")] {
            let form = |text: &str| text.replace('%', "%25").replace(':', "%3A").replace(' ', "+");
            let header = base64(format!("{}:{}", form(id), form(secret)).as_bytes(), false);
            assert_eq!(basic(&header), Some((id.to_owned(), secret.to_owned())), "{header}");
        }
        // The example of RFC 7636.
        let challenge = base64(&digest("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"), true);
        assert_eq!(challenge, "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    }
}
