//! Values of entries, and how they stand in filters and changes.

use base64::{Engine, prelude::BASE64_STANDARD};
use ldap3::SearchEntry;

/// RFC 4515. Nothing goes into a filter but through here.
pub fn escaped(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    for part in String::from_utf8_lossy(bytes).chars() {
        match part {
            '\\' | '*' | '(' | ')' | '\0' => out += &format!("\\{:02x}", part as u32),
            c => out.push(c),
        }
    }
    out
}

/// Each byte by its number, for what is no text.
pub fn escaped_raw(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("\\{b:02x}")).collect()
}

pub struct Entry(SearchEntry);

impl Entry {
    pub fn new(entry: SearchEntry) -> Self {
        Entry(entry)
    }
    pub fn dn(&self) -> &str {
        &self.0.dn
    }
    /// Every value that is text. An attribute that came in part (`;range=`) is not this one.
    pub fn all(&self, name: &str) -> Vec<&str> {
        let found = self.0.attrs.iter().find(|(k, _)| k.eq_ignore_ascii_case(name));
        found.map_or_else(Vec::new, |(_, v)| v.iter().map(String::as_str).collect())
    }
    pub fn text(&self, name: &str) -> Option<&str> {
        self.all(name).into_iter().next()
    }
    pub fn number(&self, name: &str) -> Option<i64> {
        self.text(name)?.parse().ok()
    }
    /// Whatever it is: bytes that happen to be UTF-8 are filed among the texts.
    pub fn bytes(&self, name: &str) -> Option<Vec<u8>> {
        let binary = self.0.bin_attrs.iter().find(|(k, _)| k.eq_ignore_ascii_case(name));
        binary
            .and_then(|(_, v)| v.first().cloned())
            .or_else(|| self.text(name).map(|t| t.as_bytes().to_vec()))
    }
    pub fn has(&self, name: &str) -> bool {
        self.bytes(name).is_some()
    }
    /// `memberOf;range=0-1499`: the server gave a part.
    pub fn in_part(&self, name: &str) -> bool {
        let begins = |k: &String| {
            k.get(..name.len()).is_some_and(|k| k.eq_ignore_ascii_case(name))
                && k.get(name.len()..)
                    .is_some_and(|rest| rest.to_lowercase().starts_with(";range="))
        };
        self.0.attrs.keys().any(begins)
    }
}

/// 16 bytes, the first three fields of which are little-endian.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Guid([u8; 16]);

const ORDER: [usize; 16] = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15];

impl Guid {
    pub fn of(bytes: &[u8]) -> Option<Guid> {
        Some(Guid(bytes.try_into().ok()?))
    }
    /// As people write it.
    pub fn parse(text: &str) -> Option<Guid> {
        let digits: String = text.chars().filter(|c| *c != '-').collect();
        let turned: [u8; 16] = hex::decode(digits).ok()?.try_into().ok()?;
        Some(Guid(ORDER.map(|i| turned[i])))
    }
    /// As Okta keeps it of an account that it imported: base64 of the bytes, or their digits.
    pub fn imported(text: &str) -> Option<Guid> {
        let bytes = BASE64_STANDARD.decode(text).or_else(|_| hex::decode(text)).ok();
        bytes.and_then(|b| Guid::of(&b)).or_else(|| Guid::parse(text))
    }
    pub fn filter(&self) -> String {
        escaped_raw(&self.0)
    }
    /// Usable as a base, as what is changed, and as a member.
    pub fn dn(&self) -> String {
        format!("<GUID={self}>")
    }
}

impl std::fmt::Display for Guid {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let hex = hex::encode(ORDER.map(|i| self.0[i]));
        let parts = [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]];
        f.write_str(&parts.join("-"))
    }
}

/// `S-1-5-21-…`
pub fn sid(bytes: &[u8]) -> Option<String> {
    let (head, rest) = bytes.split_at_checked(8)?;
    let authority = head[2..].iter().fold(0u64, |n, b| n << 8 | u64::from(*b));
    let subs = rest.chunks_exact(4);
    if head[0] != 1 || !subs.remainder().is_empty() || subs.len() != usize::from(head[1]) {
        return None;
    }
    let subs = subs.map(|c| u32::from_le_bytes([c[0], c[1], c[2], c[3]]).to_string());
    Some(
        ["S-1".to_owned(), authority.to_string()]
            .into_iter()
            .chain(subs)
            .collect::<Vec<_>>()
            .join("-"),
    )
}

/// The SID of another object of the same domain.
pub fn sibling(sid: &[u8], rid: u32) -> Option<Vec<u8>> {
    let kept = sid.len().checked_sub(4)?;
    Some(sid[..kept].iter().copied().chain(rid.to_le_bytes()).collect())
}

/// Seconds since 1970 of a FILETIME; 0 and the largest are "never".
pub fn filetime(v: i64) -> Option<i64> {
    (v != 0 && v != i64::MAX).then_some(v / 10_000_000 - 11_644_473_600)
}

/// The name in a DN: `CN=Domain Users,CN=…` is `Domain Users`.
pub fn leaf(dn: &str) -> String {
    let mut out = String::new();
    let mut escape = false;
    for c in dn.split_once('=').map_or(dn, |(_, rest)| rest).chars() {
        match c {
            '\\' if !escape => {
                escape = true;
                continue;
            }
            ',' if !escape => break,
            c => out.push(c),
        }
        escape = false;
    }
    out
}

/// Does this DN stand under that one? Case and the spaces around commas don't count.
pub fn under(dn: &str, base: &str) -> bool {
    let plain = |t: &str| t.to_lowercase().replace(", ", ",");
    let (dn, base) = (plain(dn), plain(base));
    dn == base || dn.strip_suffix(&base).is_some_and(|rest| rest.ends_with(','))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_value_reaches_the_filter() {
        for (value, want) in [
            ("alice", "alice"),
            ("a*", "a\\2a"),
            ("a)(objectClass=*", "a\\29\\28objectClass=\\2a"),
            ("x\0y\\", "x\\00y\\5c"),
            ("j\u{fc}rgen", "j\u{fc}rgen"),
        ] {
            assert_eq!(escaped(value.as_bytes()), want);
        }
    }

    #[test]
    fn a_guids_first_three_fields_are_turned_around() {
        let bytes = hex::decode("3b5ee20d8d155e41bb0e6937c51350e3").unwrap();
        let guid = Guid::of(&bytes).unwrap();
        assert_eq!(guid.to_string(), "0de25e3b-158d-415e-bb0e-6937c51350e3");
        assert_eq!(Guid::parse(&guid.to_string()), Some(guid));
        assert_eq!(Guid::imported(&BASE64_STANDARD.encode(&bytes)), Some(guid));
        assert!(guid.filter().starts_with("\\3b\\5e\\e2\\0d\\8d"));
        assert_eq!(Guid::parse("0de25e3b-158d"), None);
    }

    #[test]
    fn a_sid_is_read_and_a_broken_one_is_not() {
        let bytes = hex::decode("010500000000000515000000010000000200000003000000f4010000").unwrap();
        assert_eq!(sid(&bytes).as_deref(), Some("S-1-5-21-1-2-3-500"));
        assert_eq!(
            sid(&sibling(&bytes, 513).unwrap()).as_deref(),
            Some("S-1-5-21-1-2-3-513")
        );
        assert_eq!((sid(&bytes[..20]), sid(&[])), (None, None));
    }

    #[test]
    fn the_two_words_for_never_are_never() {
        assert_eq!((filetime(0), filetime(i64::MAX)), (None, None));
        assert_eq!(filetime(116_444_736_000_000_000), Some(0));
    }

    #[test]
    fn a_dn_is_read_with_its_escapes() {
        assert_eq!(
            leaf("CN=O'Brien\\, Bob (Contractor) *,OU=People"),
            "O'Brien, Bob (Contractor) *"
        );
        assert!(under("CN=a, OU=People,DC=acme", "ou=people,dc=acme"));
        assert!(!under("CN=a,OU=XPeople,DC=acme", "OU=People,DC=acme"));
    }
}
