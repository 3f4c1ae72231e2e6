//! Which command wants which role. A new command has to be placed here, or nothing compiles.
//!
//! A dry run wants the role of its command: what it shows of people is what the command would show, and who may not do a thing has no use
//! for its preview.

use super::command::{
    Command, audit::Audit, config::Config, groups::Groups, leaver, policy::Policy, run::Run, sandbox::Sandbox,
};
use crate::config::Role::{self, Approver, Auditor, Engineer, Helpdesk};

/// What is asked of whoever runs a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// It reads no configuration's systems and no record.
    Nobody,
    /// Any of these will do; the first that somebody has is the one in the record.
    One(&'static [Role]),
}

/// Everybody who works with people's access.
const DESK: Need = Need::One(&[Helpdesk, Engineer]);
/// Whoever has to know what was done.
const RECORD: Need = Need::One(&[Helpdesk, Engineer, Approver, Auditor]);
const WORKS: Need = Need::One(&[Engineer]);
/// A second person's word, whatever else they are.
const APPROVES: Need = Need::One(&[Approver]);
const AUDITS: Need = Need::One(&[Auditor, Engineer]);

impl Command {
    pub fn need(&self) -> Need {
        match self {
            Command::Joiner(_) => DESK,
            Command::Leaver(a) => leaving(a),
            Command::Mover(_) | Command::Sweep(_) | Command::Doctor(_) | Command::Link(_) | Command::Grant(_) => WORKS,
            Command::Show(_) => RECORD,
            Command::Groups(g) => match g {
                Groups::List(_)
                | Groups::Plan(_)
                | Groups::Apply(_)
                | Groups::Who(_)
                | Groups::Rules(_)
                | Groups::Export(_)
                | Groups::Diff(_) => WORKS,
            },
            // All of it reads.
            Command::Audit(a) => match a {
                Audit::Log(_)
                | Audit::Show(_)
                | Audit::Verify(_)
                | Audit::Sla(_)
                | Audit::Drift(_)
                | Audit::Orphans(_)
                | Audit::Seats(_)
                | Audit::Posture(_) => AUDITS,
            },
            Command::Run(r) => match r {
                Run::List(_) | Run::Show(_) => RECORD,
                // What was agreed to is finished; a task is ticked by who did it.
                Run::Resume(_) | Run::Tick(_) => DESK,
                // The brake held it: no help desk lets it go.
                Run::Apply(_) | Run::Restore(_) | Run::Lift(_) => WORKS,
                Run::Approve(_) => APPROVES,
            },
            Command::Policy(p) => match p {
                Policy::Diff(_) | Policy::Explain(_) => WORKS,
            },
            Command::Config(c) => match c {
                Config::Init(_) | Config::Check(_) => WORKS,
                Config::Schema(_) => Need::Nobody,
            },
            Command::Sandbox(s) => match s {
                Sandbox::Tour(_) | Sandbox::Serve(_) | Sandbox::Reset(_) | Sandbox::People(_) | Sandbox::Journal(_) => {
                    WORKS
                }
            },
            // It ends by itself and keeps nobody in: whoever sees something go wrong may pull it. What stops containment is not theirs.
            Command::Pause(a) if a.all => Need::One(&[Engineer, Approver]),
            Command::Pause(_) => Need::One(&[Helpdesk, Engineer, Approver]),
            Command::Unpause(_) => Need::One(&[Approver]),
            Command::Help(_) => Need::Nobody,
        }
    }
}

/// Whom HR calls terminated the help desk may see out. A reason and a ticket are for whom HR does not: without them the planner refuses such
/// a leaver, so who may not give them may not overrule HR.
fn leaving(a: &leaver::Args) -> Need {
    match (&a.reason, &a.ticket) {
        (None, None) => DESK,
        (Some(_), _) | (_, Some(_)) => WORKS,
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::cli::args::Cli;

    fn may(role: Role, line: &str) -> bool {
        let command = Cli::try_parse_from(line.split(' ')).unwrap().command;
        match command.need() {
            Need::Nobody => true,
            Need::One(roles) => roles.contains(&role),
        }
    }

    #[test]
    fn each_role_may_what_it_is_for_and_no_more() {
        let table = [
            ("jml show a", "heap"),
            ("jml run list", "heap"),
            ("jml run show r-1", "heap"),
            ("jml joiner a", "he"),
            ("jml leaver a", "he"),
            ("jml leaver a --dry-run", "he"),
            ("jml run resume", "he"),
            ("jml run tick r-1/a/1 --evidence x", "he"),
            ("jml leaver a --reason x --ticket y", "e"),
            ("jml mover a", "e"),
            ("jml mover a --dry-run", "e"),
            ("jml sweep", "e"),
            ("jml sweep --forecast 7d", "e"),
            ("jml run apply 7f3a-91c2-d04e", "e"),
            ("jml groups list", "e"),
            ("jml groups apply", "e"),
            ("jml link a b c", "e"),
            ("jml doctor", "e"),
            ("jml policy explain a", "e"),
            ("jml config check", "e"),
            ("jml config init", "e"),
            ("jml sandbox serve", "e"),
            ("jml audit log", "ae"),
            ("jml audit verify", "ae"),
            ("jml audit drift", "ae"),
            ("jml help", "heap"),
            ("jml config schema", "heap"),
        ];
        for (line, who) in table {
            let letters = [(Helpdesk, 'h'), (Engineer, 'e'), (Auditor, 'a'), (Approver, 'p')];
            for (role, letter) in letters {
                assert_eq!(may(role, line), who.contains(letter), "{role}: {line}");
            }
        }
    }
}
