//! Random by seed, and bytes that once were a good case: a file of its own, for the tests of the library and those of the binary.

/// splitmix64
pub struct Dice(pub u64);

impl Dice {
    pub fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % n
    }
    pub fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.index(of.len())]
    }
    pub fn index(&mut self, of: usize) -> usize {
        usize::try_from(self.below(of.max(1) as u64)).unwrap_or(0)
    }
}

/// What parsers trip over, in any place.
const ODD: [&[u8]; 22] = [
    b"",
    b"\0",
    b"\xff",
    b"\xef\xbb\xbf",
    "\u{202e}".as_bytes(),
    b"\"",
    b"'",
    b"\\",
    b"\n",
    b"\r\n",
    b",",
    b"[",
    b"]",
    b"{",
    b"}",
    b"null",
    b"-1",
    b"1e999",
    b"9223372036854775808",
    b"9999-12-31",
    b"2026-02-30",
    b"2026-11-24",
];

/// One to eight small changes of one kind of trouble each.
pub fn mutate(dice: &mut Dice, from: &[u8]) -> Vec<u8> {
    let mut out = from.to_vec();
    for _ in 0..1 + dice.below(8) {
        let at = dice.index(out.len());
        let to = at + dice.index((out.len() - at).min(64));
        match dice.below(8) {
            0 => out.truncate(at),
            1 => drop(out.drain(at..to)),
            2 => {
                let again = out[at..to].to_vec();
                out.splice(to..to, again);
            }
            3 => {
                let piece = out[at..to].to_vec();
                let elsewhere = dice.index(out.len());
                out.splice(elsewhere..elsewhere, piece);
            }
            4 if !out.is_empty() => out[at] = u8::try_from(dice.below(256)).unwrap_or(0),
            5 if !out.is_empty() => out[at] ^= 1 << dice.below(8),
            _ => {
                let odd = dice.one(&ODD);
                out.splice(at..to, odd.iter().copied());
            }
        }
    }
    out
}
