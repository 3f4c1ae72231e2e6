//! Is it all there, and unedited? A Merkle tree (RFC 6962) over the entries' hashes, and a walk over every byte that is hashed.
//!
//! What this can't show: a tail that was cut before any checkpoint left this machine.

use ct_merkle::mem_backed_tree::MemoryBackedTree;
use sha2::{Digest, Sha256};

use super::{
    Body, Entry, Keeper, Ledger, LedgerError, Seq,
    checkpoint::Signer,
    mirror::Held,
    seal::{self, Hash, Head, Row},
    store::Query,
};

/// What `audit verify` says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    pub entries: u64,
    /// Hash of the last entry; `None`: there is none.
    pub head: Option<String>,
    /// Made anew, over everything, where all holds: to be kept elsewhere.
    pub checkpoint: Option<String>,
    pub bad: Option<Bad>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bad {
    /// The first entry that does not hold; `None`: the file, or a checkpoint, as a whole.
    pub seq: Option<Seq>,
    pub why: String,
}

/// That an entry is in the ledger of that checkpoint.
#[derive(Clone, Debug, PartialEq)]
pub struct Proof {
    pub entry: Entry,
    /// Leaf number, from 0.
    pub index: u64,
    pub size: u64,
    /// Hex, leaf to root.
    pub path: Vec<String>,
    pub checkpoint: String,
}

/// The root of a growing tree: a stack of perfect subtrees, log n memory.
#[derive(Clone, Debug, Default)]
pub(super) struct Frontier {
    size: u64,
    stack: Vec<Hash>,
}

fn node(left: &Hash, right: &Hash) -> Hash {
    Sha256::new_with_prefix([1])
        .chain_update(left)
        .chain_update(right)
        .finalize()
        .into()
}

impl Frontier {
    fn push(&mut self, leaf: &Hash) {
        let mut top: Hash = Sha256::new_with_prefix([0]).chain_update(leaf).finalize().into();
        self.size += 1;
        for _ in 0..self.size.trailing_zeros() {
            if let Some(left) = self.stack.pop() {
                top = node(&left, &top);
            }
        }
        self.stack.push(top);
    }
    fn root(&self) -> Hash {
        let folded = self
            .stack
            .iter()
            .rev()
            .copied()
            .reduce(|right, left| node(&left, &right));
        folded.unwrap_or_else(|| Sha256::digest([]).into())
    }
}

impl Ledger {
    /// Signs what there is now. Not written down by this: the caller does, and hands it to somebody else.
    pub async fn checkpoint(&self) -> Result<String, LedgerError> {
        self.ask(Keeper::checkpoint).await
    }
    /// Every entry, the newest checkpoint in the ledger, and one that was kept elsewhere.
    pub async fn verify(&self, kept: Option<&str>) -> Result<Verdict, LedgerError> {
        self.verify_with(kept, Held::new()).await
    }
    /// The same, and what a mirror holds.
    pub async fn verify_with(&self, kept: Option<&str>, mirror: Held) -> Result<Verdict, LedgerError> {
        let kept = kept.map(str::to_owned);
        self.ask(move |k| k.verify(kept.as_deref(), &mirror)).await
    }
    /// `None`: no such entry.
    pub async fn prove(&self, seq: Seq) -> Result<Option<Proof>, LedgerError> {
        self.ask(move |k| k.prove(seq)).await
    }
    /// That the ledger of `size` entries is the beginning of this one: hex hashes, as RFC 6962 orders them. `None`: it was never of that size.
    pub async fn prove_consistency(&self, size: u64) -> Result<Option<Vec<String>>, LedgerError> {
        self.ask(move |k| k.prove_consistency(size)).await
    }
    /// The public key of its checkpoints, as C2SP writes it.
    pub async fn verifier(&self) -> Result<String, LedgerError> {
        self.ask(|k| Ok(k.signer()?.verifier())).await
    }
}

/// The envelope alone: it follows the one before and is what was hashed.
fn follows(head: &Head, row: &Row) -> Result<Head, LedgerError> {
    let next = head.seq + 1;
    if row.seq > next {
        return Err(LedgerError::corrupt(next, "it is missing"));
    }
    let envelope = row.envelope()?;
    if row.seq != next || envelope.seq != next {
        return Err(LedgerError::corrupt(row.seq, "its number is not its place"));
    }
    if envelope.prev != hex::encode(head.hash) {
        return Err(LedgerError::corrupt(next, "it does not follow the entry before it"));
    }
    let hash = row.hash()?;
    if seal::chain(&head.hash, &row.envelope) != hash {
        return Err(LedgerError::corrupt(next, "its envelope is not what was hashed"));
    }
    Ok(Head {
        seq: next,
        hash,
        tenant: Some(envelope.tenant),
    })
}

/// The body is what the envelope says, and its index columns are what the body says.
fn fits(row: &Row, tenant: &str) -> Result<Entry, LedgerError> {
    let bad = |why: &str| LedgerError::corrupt(row.seq, why);
    let text = row.text.as_ref().ok_or_else(|| bad("its body is gone"))?;
    if row.envelope()?.body != hex::encode(seal::digest(&text.salt, &text.body)) {
        return Err(bad("its body is not what was hashed"));
    }
    let entry = row.entry()?;
    if entry.envelope.tenant != tenant {
        return Err(bad("it is another organisation's"));
    }
    match &entry.body {
        // Of a newer release: what it means can't be told, that it is unedited can.
        Some(Body::Opaque) | None => {}
        Some(body) => {
            if body.kind() != entry.envelope.kind || body.step() != entry.envelope.step {
                return Err(bad("its envelope and its body disagree"));
            }
            if body.subject() != text.subject.as_deref() || body.login() != text.login.as_deref() {
                return Err(bad("the person it is filed under is not the one it names"));
            }
        }
    }
    Ok(entry)
}

impl Keeper {
    pub(super) fn signer(&self) -> Result<Signer, LedgerError> {
        Signer::load(&self.key, &self.meta.tenant)
    }

    fn checkpoint(&mut self) -> Result<String, LedgerError> {
        let signer = self.signer()?;
        // What this process has walked over already, it need not walk over again.
        let (mut head, mut tree) = std::mem::take(&mut self.walked);
        let query = Query {
            after: head.seq,
            bare: true,
            ..Query::default()
        };
        self.store.read(&query, &mut |row| {
            head = follows(&head, &row)?;
            tree.push(&head.hash);
            Ok(true)
        })?;
        let text = signer.sign(tree.size, &tree.root());
        self.walked = (head, tree);
        Ok(text)
    }

    fn verify(&mut self, kept: Option<&str>, mirror: &Held) -> Result<Verdict, LedgerError> {
        let signer = self.signer()?;
        let mut walk = Walk::default();
        let mut claims: Vec<Claim> = Vec::new();
        let mut bad = None;
        match kept.map(|text| signer.open(text)) {
            None => {}
            Some(Ok((size, root))) => claims.push(Claim { of: None, size, root }),
            Some(Err(why)) => {
                bad = Some(Bad {
                    seq: None,
                    why: format!("the kept checkpoint is false: {why}"),
                });
            }
        }
        if bad.is_none() {
            let next = |walk: &Walk| Some(walk.head.seq + 1);
            bad = match self.walk(&signer, claims, mirror, &mut walk) {
                Ok(()) => None,
                // The store gave up somewhere: at the entry that it could not give.
                Err(LedgerError::Corrupt { seq, why }) => Some(Bad {
                    seq: seq.or(next(&walk)),
                    why,
                }),
                Err(other) => return Err(other),
            };
        }
        if bad.is_none() {
            bad = match self.store.sound() {
                Ok(()) => None,
                Err(LedgerError::Corrupt { seq, why }) => Some(Bad { seq, why }),
                Err(other) => return Err(other),
            };
        }
        let size = walk.tree.size;
        Ok(Verdict {
            entries: size,
            head: (size > 0).then(|| hex::encode(walk.head.hash)),
            checkpoint: bad.is_none().then(|| signer.sign(size, &walk.tree.root())),
            bad,
        })
    }

    fn walk(
        &mut self,
        signer: &Signer,
        mut claims: Vec<Claim>,
        mirror: &Held,
        walk: &mut Walk,
    ) -> Result<(), LedgerError> {
        // Told after what the walk finds: that names the first entry that is wrong.
        let newest = self.newest_claim(signer);
        claims.extend(newest.as_ref().ok().cloned().flatten());
        let tenant = &self.meta.tenant;
        self.store.read(&Query::default(), &mut |row| {
            let head = follows(&walk.head, &row)?;
            fits(&row, tenant)?;
            if mirror
                .get(&head.seq)
                .is_some_and(|held| held.iter().any(|h| *h != hex::encode(head.hash)))
            {
                return Err(LedgerError::corrupt(
                    head.seq,
                    "it is not the entry that the mirror holds",
                ));
            }
            walk.tree.push(&head.hash);
            walk.head = head;
            for claim in claims.iter().filter(|c| c.size == walk.tree.size) {
                if claim.root != walk.tree.root() {
                    return Err(claim.rewritten(walk.head.seq));
                }
            }
            Ok(true)
        })?;
        if let Some((last, _)) = mirror.last_key_value()
            && *last > walk.head.seq
        {
            return Err(LedgerError::corrupt(
                walk.head.seq + 1,
                format!(
                    "it is missing: the mirror holds entry {last}, and there are {} entries",
                    walk.head.seq
                ),
            ));
        }
        for claim in claims {
            if claim.size > walk.tree.size {
                return Err(LedgerError::corrupt(
                    walk.head.seq + 1,
                    format!(
                        "it is missing: {} speaks of {} entries, and there are {}",
                        claim.name(),
                        claim.size,
                        walk.tree.size
                    ),
                ));
            }
            if claim.size == 0 && claim.root != Frontier::default().root() {
                return Err(claim.rewritten(0));
            }
        }
        newest.map(drop)
    }

    /// Every entry, as it stands in the chain: the first that does not is an error.
    pub(super) fn checked(&mut self) -> Result<Vec<Entry>, LedgerError> {
        let (mut head, mut entries) = (Head::default(), Vec::new());
        let tenant = &self.meta.tenant;
        self.store.read(&Query::default(), &mut |row| {
            head = follows(&head, &row)?;
            entries.push(fits(&row, tenant)?);
            Ok(true)
        })?;
        Ok(entries)
    }

    /// The newest checkpoint vouches for all before it, the older ones' entries among them.
    fn newest_claim(&mut self, signer: &Signer) -> Result<Option<Claim>, LedgerError> {
        let mut newest = None;
        let query = Query {
            kinds: vec!["checkpoint"],
            ..Query::default()
        };
        self.store.read(&query, &mut |row| {
            newest = Some(row);
            Ok(true)
        })?;
        let Some(row) = newest else { return Ok(None) };
        let Some(Body::Checkpoint { text }) = row.entry()?.body else {
            return Ok(None);
        };
        let read = signer.open(&text);
        let (size, root) =
            read.map_err(|why| LedgerError::corrupt(row.seq, format!("the checkpoint in it is false: {why}")))?;
        Ok(Some(Claim {
            of: Some(row.seq),
            size,
            root,
        }))
    }

    /// All leaves: 32 bytes an entry. Only proofs need the whole tree.
    fn tree(&mut self) -> Result<MemoryBackedTree<Sha256, Hash>, LedgerError> {
        let mut tree = MemoryBackedTree::new();
        let mut head = Head::default();
        let query = Query {
            bare: true,
            ..Query::default()
        };
        self.store.read(&query, &mut |row| {
            head = follows(&head, &row)?;
            tree.push(head.hash);
            Ok(true)
        })?;
        Ok(tree)
    }

    fn prove(&mut self, seq: Seq) -> Result<Option<Proof>, LedgerError> {
        let signer = self.signer()?;
        let tree = self.tree()?;
        let size = tree.len();
        // ct-merkle panics past the end.
        let index = match u64::try_from(seq - 1) {
            Ok(index) if index < size => index,
            Ok(_) | Err(_) => return Ok(None),
        };
        let mut found = None;
        let query = Query {
            after: seq - 1,
            ..Query::default()
        };
        let tenant = &self.meta.tenant;
        self.store.read(&query, &mut |row| {
            found = Some(fits(&row, tenant)?);
            Ok(false)
        })?;
        let root: Hash = (*tree.root().as_bytes()).into();
        let place = usize::try_from(index).unwrap_or(usize::MAX);
        Ok(found.map(|entry| Proof {
            entry,
            index,
            size,
            path: hexes(tree.prove_inclusion(place).as_bytes()),
            checkpoint: signer.sign(size, &root),
        }))
    }

    fn prove_consistency(&mut self, size: u64) -> Result<Option<Vec<String>>, LedgerError> {
        let tree = self.tree()?;
        // ct-merkle counts what was added since, and panics on an empty beginning.
        match tree.len().checked_sub(size).map(usize::try_from) {
            Some(Ok(added)) if size > 0 => Ok(Some(hexes(tree.prove_consistency(added).as_bytes()))),
            _ => Ok(None),
        }
    }
}

/// Where a walk over the entries is.
#[derive(Default)]
struct Walk {
    head: Head,
    tree: Frontier,
}

/// What a checkpoint says.
#[derive(Clone)]
struct Claim {
    /// The entry it stands in; `None`: kept elsewhere.
    of: Option<Seq>,
    size: u64,
    root: Hash,
}

impl Claim {
    fn name(&self) -> String {
        match self.of {
            Some(seq) => format!("the checkpoint in entry {seq}"),
            None => "the kept checkpoint".to_owned(),
        }
    }
    fn rewritten(&self, seq: Seq) -> LedgerError {
        LedgerError::corrupt(
            seq,
            format!(
                "up to here the entries are not those that {} was signed over",
                self.name()
            ),
        )
    }
}

fn hexes(proof: &[u8]) -> Vec<String> {
    proof.chunks(32).map(hex::encode).collect()
}

#[cfg(test)]
mod tests {
    use std::{
        fs,
        path::{Path, PathBuf},
    };

    use ct_merkle::{ConsistencyProof, InclusionProof, RootHash};
    use rusqlite::Connection;

    use super::*;
    use crate::{
        ledger::{Guard, Memory, tests::*},
        model::{Outcome, PersonResult},
    };

    /// Three runs of a leaver, closed as a process closes it.
    async fn written(folder: &Path) -> PathBuf {
        let path = folder.join("00o1.db");
        let ledger = Ledger::open(&path, None, meta(), clock()).unwrap();
        for run in ["r-1", "r-2", "r-3"] {
            let lease = ledger.lease(&["00u1".into()], run).await.unwrap();
            let mut bodies = vec![opened("leaver"), planned(leaver())];
            for n in 0..4 {
                bodies.extend([started(n), finished(n, Outcome::Done), verified(n)]);
            }
            bodies.push(closed(PersonResult::Complete));
            ledger.append(&lease.guard(), drafts(run, bodies)).await.unwrap();
            lease.release().await.unwrap();
        }
        drop(ledger);
        path
    }

    async fn verdict(path: &Path, kept: Option<&str>) -> Result<Verdict, LedgerError> {
        match Ledger::open(path, None, meta(), clock()) {
            Ok(ledger) => ledger.verify(kept).await,
            Err(e) => Err(e),
        }
    }

    /// With the triggers out of the way, as an owner of the file can do.
    fn tamper(path: &Path, sql: &str) {
        let db = Connection::open(path).unwrap();
        let triggers: Vec<String> = db
            .prepare("SELECT name FROM sqlite_schema WHERE type = 'trigger'")
            .unwrap()
            .query_map([], |r| r.get(0))
            .unwrap()
            .map(Result::unwrap)
            .collect();
        for t in triggers {
            db.execute_batch(&format!("DROP TRIGGER {t}")).unwrap();
        }
        db.execute_batch(sql).unwrap();
    }

    /// What is wrong with the file, in words; opening it may already find it.
    async fn wrong(path: &Path, kept: Option<&str>) -> Option<(Option<Seq>, String)> {
        match verdict(path, kept).await {
            Ok(v) => v.bad.map(|b| (b.seq, b.why)),
            Err(LedgerError::Corrupt { seq, why }) => Some((seq, why)),
            Err(other) => panic!("{other}"),
        }
    }

    #[tokio::test]
    async fn an_untouched_ledger_holds() {
        let folder = tempfile::tempdir().unwrap();
        let path = written(folder.path()).await;
        let verdict = verdict(&path, None).await.unwrap();
        assert_eq!((verdict.entries, verdict.bad), (45, None));
        let text = verdict.checkpoint.unwrap();
        assert!(text.starts_with("jml/00o1\n45\n"), "{text}");
        assert_eq!(wrong(&path, Some(&text)).await, None);
    }

    #[tokio::test]
    async fn one_byte_flipped_anywhere_is_seen() {
        let folder = tempfile::tempdir().unwrap();
        let path = written(folder.path()).await;
        let whole = fs::read(&path).unwrap();
        let sum = fs::read(path.with_extension("sum")).unwrap();
        // The header's words, one byte each, and a sample of all else: rows, indices, and the room between.
        let header = [
            0, 16, 18, 19, 20, 21, 24, 28, 32, 36, 40, 47, 52, 56, 60, 68, 72, 92, 96,
        ];
        for at in header.into_iter().chain((100..whole.len()).step_by(997)) {
            let mut bytes = whole.clone();
            bytes[at] ^= 0x01;
            fs::write(&path, &bytes).unwrap();
            fs::write(path.with_extension("sum"), &sum).unwrap();
            assert!(wrong(&path, None).await.is_some(), "byte {at}");
        }
    }

    #[tokio::test]
    async fn an_edited_part_names_its_entry() {
        let folder = tempfile::tempdir().unwrap();
        let path = written(folder.path()).await;
        let whole = fs::read(&path).unwrap();
        let edits = [
            "UPDATE envelope SET envelope = replace(envelope, 'dana', 'mike') WHERE seq = 17",
            "UPDATE envelope SET hash = zeroblob(32) WHERE seq = 17",
            "UPDATE body SET salt = zeroblob(16) WHERE seq = 17",
            "UPDATE body SET body = replace(body, 'alice', 'carol') WHERE seq = 17",
            "UPDATE body SET subject = '00u2' WHERE seq = 17",
            "UPDATE body SET login = 'carol@acme.example' WHERE seq = 17",
            "DELETE FROM body WHERE seq = 17",
            "DELETE FROM envelope WHERE seq = 17",
            "DELETE FROM envelope WHERE seq = 17; DELETE FROM body WHERE seq = 17",
            "UPDATE envelope SET seq = 170 WHERE seq = 17",
        ];
        for edit in edits {
            fs::write(&path, &whole).unwrap();
            tamper(&path, edit);
            let found = wrong(&path, None).await;
            assert_eq!(found.as_ref().and_then(|f| f.0), Some(17), "{edit}: {found:?}");
        }
    }

    #[tokio::test]
    async fn a_tail_cut_after_a_checkpoint_is_seen_by_whoever_kept_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = written(folder.path()).await;
        let kept = verdict(&path, None).await.unwrap().checkpoint.unwrap();
        tamper(
            &path,
            "DELETE FROM body WHERE seq > 40; DELETE FROM envelope WHERE seq > 40",
        );
        let (seq, why) = wrong(&path, Some(&kept)).await.unwrap();
        assert_eq!(seq, Some(41));
        assert_eq!(
            why,
            "it is missing: the kept checkpoint speaks of 45 entries, and there are 40"
        );
    }

    /// All hashes made anew, as one who owns file and program could.
    #[tokio::test]
    async fn a_rewritten_past_is_seen_by_whoever_kept_a_checkpoint() {
        let (store, other) = (Memory::new(), Memory::new());
        let ledger = Ledger::local(store, meta(), clock()).unwrap();
        let bodies = |who: &str| drafts(who, [opened("leaver"), planned(leaver())]);
        ledger.append(&Guard::default(), bodies("r-1")).await.unwrap();
        let kept = ledger.checkpoint().await.unwrap();
        let mine = ledger.ask(|k| Ok(k.key.clone())).await.unwrap();
        let forged = Ledger::local(other, meta(), clock()).unwrap();
        forged.append(&Guard::default(), bodies("r-9")).await.unwrap();
        forged.tell(move |k| k.key = mine);
        let bad = forged.verify(Some(&kept)).await.unwrap().bad.unwrap();
        assert_eq!(bad.seq, Some(2));
        assert_eq!(ledger.verify(Some(&kept)).await.unwrap().bad, None);
    }

    #[tokio::test]
    async fn a_checkpoint_is_believed_only_under_our_signature() {
        let ledger = Ledger::local(Memory::new(), meta(), clock()).unwrap();
        ledger
            .append(&Guard::default(), drafts("r-1", [opened("leaver")]))
            .await
            .unwrap();
        let ours = ledger.checkpoint().await.unwrap();
        let theirs = Ledger::local(Memory::new(), meta(), clock()).unwrap();
        let foreign = theirs.checkpoint().await.unwrap();
        let of_two = ours.replace("jml/00o1\n1\n", "jml/00o1\n2\n");
        let elsewhere = ours.replace("jml/00o1\n1\n", "jml/00o2\n1\n");
        for (note, why) in [
            (foreign.as_str(), "it is signed by another key"),
            (&of_two, "its signature does not fit it"),
            (&elsewhere, "it is another ledger's"),
            ("", "it is no checkpoint"),
            ("jml/00o1\nmany\n\n", "it has no size"),
        ] {
            let bad = ledger.verify(Some(note)).await.unwrap().bad.unwrap();
            assert_eq!(bad.why, format!("the kept checkpoint is false: {why}"));
        }
        let witnessed = format!("{ours}\u{2014} witness.example AAAAAA==\n");
        assert_eq!(ledger.verify(Some(&witnessed)).await.unwrap().bad, None);
        // One that lies in the ledger itself is judged alike.
        let text = Body::Checkpoint { text: foreign };
        ledger.append(&Guard::default(), drafts("r-1", [text])).await.unwrap();
        let bad = ledger.verify(None).await.unwrap().bad.unwrap();
        assert_eq!(bad.seq, Some(2));
    }

    #[tokio::test]
    async fn proofs_are_those_of_rfc_6962() {
        let ledger = Ledger::local(Memory::new(), meta(), clock()).unwrap();
        let mut old = None;
        for n in 1..=13 {
            ledger
                .append(&Guard::default(), drafts("r-1", [closed(PersonResult::Nothing)]))
                .await
                .unwrap();
            let note = ledger.checkpoint().await.unwrap();
            let (size, root) = ledger.ask(move |k| Ok(k.signer()?.open(&note))).await.unwrap().unwrap();
            assert_eq!(size, n);
            let root = RootHash::<Sha256>::new(root.into(), size);
            for seq in 1..=Seq::try_from(n).unwrap() {
                let proof = ledger.prove(seq).await.unwrap().unwrap();
                let path = InclusionProof::try_from_bytes(hex::decode(proof.path.concat()).unwrap()).unwrap();
                let leaf: Hash = hex::decode(&proof.entry.hash).unwrap().try_into().unwrap();
                root.verify_inclusion(&leaf, proof.index, &path).unwrap();
            }
            if let Some((size, old)) = old.replace((size, root.clone())) {
                let proof = ledger.prove_consistency(size).await.unwrap().unwrap();
                let proof = ConsistencyProof::try_from_bytes(hex::decode(proof.concat()).unwrap()).unwrap();
                root.verify_consistency(&old, &proof).unwrap();
            }
        }
        assert_eq!(ledger.prove(0).await.unwrap(), None);
        assert_eq!(ledger.prove(14).await.unwrap(), None);
        assert_eq!(ledger.prove_consistency(14).await.unwrap(), None);
    }
}
