//! Record ids: 15 letters that tell capital from small, and 3 more that let software which doesn't do so tell them apart.

/// The 18-letter form.
pub(super) fn whole(fifteen: &str) -> String {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ012345";
    let mut out = fifteen.to_owned();
    for five in fifteen.as_bytes().chunks(5) {
        let bits = five
            .iter()
            .enumerate()
            .map(|(i, c)| usize::from(c.is_ascii_uppercase()) << i);
        out.push(char::from(DIGITS[bits.sum::<usize>() % DIGITS.len()]));
    }
    out
}

/// The 18-letter form of an object's prefix and a number.
pub(super) fn numbered(prefix: &str, n: u64) -> String {
    whole(&format!("{prefix}AC{n:010}"))
}

/// Fifteen or eighteen letters and digits.
pub(super) fn is_id(text: &str) -> bool {
    matches!(text.len(), 15 | 18) && text.bytes().all(|b| b.is_ascii_alphanumeric())
}

/// Two forms of one id are one.
pub(super) fn same(a: &str, b: &str) -> bool {
    is_id(a) && is_id(b) && a[..15] == b[..15]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_three_letters_are_the_capitals_of_the_first_fifteen() {
        assert_eq!(whole("001A0000006Vm9r"), "001A0000006Vm9rIAC");
        assert_eq!(whole("005000000000000"), "005000000000000AAA");
        assert!(same("001A0000006Vm9r", "001A0000006Vm9rIAC") && !same("001a0000006Vm9r", "001A0000006Vm9rIAC"));
        assert!(!is_id("005' OR Id!='") && !is_id("0051"));
    }
}
