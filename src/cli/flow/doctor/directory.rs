//! The directory: each right that reading needs is tried, and what policy stands on is looked for.

use std::collections::BTreeMap;

use chrono::TimeDelta;

use super::{At, Block, Finding, app};
use crate::{
    cli::{
        error::CliError,
        exit::Exit,
        firm::Firm,
        flow::{fresh, read},
        text,
    },
    config::{Fields, Section},
    model::{Catalogue, Failure, GroupFault, Observed, Person, Policy, RuleStatus, Worker, system::OKTA},
    planner::{entitle::policy_groups, guards},
    providers::{
        okta::{Attribute, Attributes, NEEDS, Settings},
        registry,
    },
    run::observe::{self, Need},
};

/// A firm may be too small for an empty column to mean anything.
const FEW: usize = 20;

pub(super) async fn block(firm: &Firm, section: &Section) -> Result<Block, CliError> {
    let row = registry::row(section)?;
    let at: At = section.parse()?;
    let settings: Settings = section.parse()?;
    let d = &firm.look.directory;
    let mut block = Block {
        system: section.system.to_string(),
        url: at.url.clone(),
        ..Block::default()
    };
    let out = &mut block.findings;
    // Firm::open has compared it: whoever comes here is in the right place.
    out.push(Finding::ok("tenant", format!("{}, as pinned", firm.organisation)));
    match d.ahead().await {
        Ok(Some(ahead)) => {
            block.clock_ms = Some(ahead.num_milliseconds());
            out.extend(clock(ahead));
        }
        Ok(None) => out.push(Finding::unknown("clock", "no answer carried a Date")),
        Err(f) => out.push(Finding::of("clock", &f)),
    }
    out.push(match (d.token_owner().await, settings.is_service_app()) {
        (_, true) => Finding::ok("token", "a service app's"),
        (Ok(Some(owner)), false) => Finding::look("token", format!("is {owner}'s own"))
            .costs("it dies when that person is deactivated, and has all their rights")
            .repair("Use a service app with a key: client_id and key in [systems.okta]"),
        (Ok(None), false) => Finding::ok("token", "nobody's own"),
        (Err(f), false) => Finding::of("token", &f).costs("nothing can be read"),
    });

    let everyone = read::directory(firm).await;
    let need = Need {
        groups: true,
        rules: true,
        apps: true,
        admins: false,
        tokens: true,
        offers: false,
    };
    let tenant = observe::tenant(&firm.look, firm.organisation.clone(), need).await;
    let groups = tenant.catalogue.groups.present().cloned().unwrap_or_default();
    let (log, admins, schema, headroom) = futures::join!(d.imported(), d.admins(&groups), d.attributes(), d.headroom());

    let c = &tenant.catalogue;
    match &everyone {
        Ok(people) => out.push(Finding::ok(
            "sees",
            format!(
                "{}, {}",
                text::count(people.len(), "person"),
                text::count(groups.len(), "group")
            ),
        )),
        Err(e) => out.push(of_error("people", e)),
    }
    if log.is_ok()
        && let Some(stale) = fresh::stale(firm).await
    {
        out.push(
            Finding::failed("freshness", stale.why, stale.exit)
                .needed_by("the movers and joiners of a sweep")
                .costs("they wait, and leavers go on by what is known")
                .repair("See HR's import in Okta (the app's Import tab), or what writes its file; [roster] max_age is how old it may be"),
        );
    }
    let tried: [(&str, Option<&Failure>); 6] = [
        ("okta.groups.read", c.groups.unknown().or(c.rules.unknown())),
        ("okta.apps.read", c.apps.unknown()),
        ("okta.logs.read", log.as_ref().err()),
        ("okta.roles.read", admins.as_ref().err()),
        ("okta.apiTokens.read", tenant.tokens.unknown()),
        ("okta.schemas.read", schema.as_ref().err()),
    ];
    let refused: Vec<_> = tried.iter().filter_map(|(scope, f)| Some((*scope, (*f)?))).collect();
    if refused.is_empty() {
        out.push(Finding::ok(
            "read rights",
            format!("{} of {} tried", tried.len(), tried.len()),
        ));
    }
    for (scope, f) in refused {
        let what = NEEDS.iter().find(|n| n.scope == scope).map_or("", |n| n.for_what);
        out.push(
            Finding::of("right", f)
                .needed_by(format!("{scope}: {what}"))
                .costs(consequence(scope))
                .repair("Okta admin > Applications > the app > Okta API Scopes, or the token's admin role"),
        );
    }
    if matches!(&c.groups, Observed::Present(all) if all.is_empty()) {
        out.push(
            Finding::failed("groups", "not one is seen, and no tenant is without", Exit::Auth)
                .costs("no plan is made: every group would be made anew")
                .repair("Give jml's app an admin role that sees groups"),
        );
    } else if c.groups.present().is_some() {
        out.extend(policy_names(&firm.config.policy, c));
    }
    out.extend(invalid(c));
    if let Ok(people) = everyone {
        match firm.employ(people).await {
            Ok(people) => out.extend(attributes(firm, &people, schema.as_ref().ok())),
            // Said in full where the roster stands.
            Err(_) => out.push(Finding::unknown(
                "attributes",
                format!("{} can't be read", firm.config.roster.source),
            )),
        }
    }
    match headroom {
        Ok(Some(h)) => {
            let said = format!("{} of {} calls left this minute for reading people", h.left, h.limit);
            out.push(if h.left * 10 < h.limit {
                Finding::look("rate", said).costs("jml waits for its turn; something else uses the limit")
            } else {
                Finding::ok("rate", said)
            });
        }
        Ok(None) => out.push(Finding::unknown("rate", "no answer told the limit")),
        // Said above, of the people.
        Err(_) => {}
    }
    out.extend(app::needs(row));
    out.extend(app::credentials(firm, settings.read.as_ref(), settings.write.as_ref()));
    Ok(block)
}

fn clock(ahead: TimeDelta) -> Option<Finding> {
    fresh::off(ahead).map(|off| {
        Finding::failed("clock", format!("this host is {off} Okta"), Exit::Unavailable)
            .needed_by("leaving instants, deadlines, signed token requests")
            .costs("no sweep, joiner, mover or leaver begins: people would leave too early or too late")
            .repair("Set this host's clock (chrony, systemd-timesyncd)")
    })
}

fn of_error(check: &str, e: &CliError) -> Finding {
    let why = e.why.iter().map(|w| format!("; {w}")).collect::<String>();
    let exit = match e.exit {
        Exit::Auth | Exit::Brake => Exit::Auth,
        Exit::Usage => Exit::Usage,
        _ => Exit::Unavailable,
    };
    let mut f = Finding::failed(check, format!("{}{why}", e.message), exit)
        .needed_by("every command")
        .costs("nobody is found");
    if let Some(h) = e.hints.first() {
        f = f.repair(h.text.clone());
    }
    f
}

fn consequence(scope: &str) -> &'static str {
    match scope {
        "okta.groups.read" => "no plan can be made",
        "okta.apps.read" => "previews can't name the apps that are lost, and apps stay unverified",
        "okta.logs.read" => "a sweep can't see what changed since the last one, nor who brought a leaver back",
        "okta.roles.read" => "who is protected is unknown, so nobody is acted on",
        "okta.apiTokens.read" => "a leaver's own API tokens may live on",
        _ => "an attribute that HR doesn't fill can't be told from one that isn't mapped",
    }
}

/// Does each group that policy names exist, once, as a group of Okta's own, and without admin rights?
fn policy_names(policy: &Policy, c: &Catalogue) -> Vec<Finding> {
    let names = policy_groups(policy);
    let mut out = vec![];
    for name in &names {
        let fault = match c.group_named(name) {
            Ok(g) if g.admin => "carries an admin role: policy may not give it",
            Ok(_) => continue,
            Err(GroupFault::Missing) => "does not exist",
            Err(GroupFault::Twice) => "exists more than once",
            Err(GroupFault::WrongKind) => "is not a group of Okta's own",
            Err(GroupFault::Unread(_)) => continue,
        };
        let mut f = Finding::failed("group", format!("{name} {fault}"), Exit::Usage)
            .needed_by("[policy]")
            .costs("whoever policy gives it is refused");
        if fault == "does not exist" {
            f = f.repair("jml groups plan, then jml groups apply");
        } else {
            f = f.repair("Name another group in [policy], or mend this one in Okta");
        }
        out.push(f);
    }
    if out.is_empty() {
        out.push(Finding::ok(
            "groups",
            format!("all {} that policy names are there", names.len()),
        ));
    }
    out
}

fn invalid(c: &Catalogue) -> Vec<Finding> {
    let rules = c.rules.present().into_iter().flatten();
    rules
        .filter(|r| r.status == RuleStatus::Invalid)
        .map(|r| {
            Finding::look("rule", format!("\"{}\" is INVALID", r.name))
                .costs("it fills nothing; people whom it filled stay as they are")
                .repair("Okta admin > Directory > Groups > Rules: mend or delete it")
        })
        .collect()
}

/// Is what policy branches on there, and does anyone have it?
fn attributes(firm: &Firm, people: &[Person], schema: Option<&BTreeMap<String, Attribute>>) -> Vec<Finding> {
    let workers: Vec<&Worker> = people.iter().filter_map(Person::worker).collect();
    let is_okta = firm.config.roster.source == OKTA;
    let mapped = Attributes::of(&firm.config.roster);
    let mut out = vec![];
    let counts = guards::fill(workers.iter().copied(), &firm.config.policy);
    let mut filled = vec![];
    for (field, n) in counts {
        let (key, attribute) = names(&field, &mapped, &firm.config.roster.attributes, is_okta);
        let place = if is_okta {
            "[roster.attributes]"
        } else {
            "[roster.columns]"
        };
        let lacking = is_okta && schema.is_some_and(|s| !s.contains_key(&attribute));
        if lacking {
            out.push(
                Finding::failed(
                    "attribute",
                    format!("Okta's schema has no {attribute} ({field})"),
                    Exit::Usage,
                )
                .needed_by(format!("policy: {}", used_for(&field)))
                .costs(unfilled(&field))
                .repair(format!("Name the attribute that holds it: {place} {key} = \"...\"")),
            );
        } else if n == 0 {
            let subject = format!("{attribute} is filled for 0 of {} ({field})", workers.len());
            let f = if workers.len() >= FEW {
                Finding::failed("attribute", subject, Exit::Usage)
            } else {
                Finding::look("attribute", subject)
            };
            out.push(
                f.needed_by(format!("policy: {}", used_for(&field)))
                    .costs(unfilled(&field))
                    .repair(format!(
                        "It is mapped by {place} {key} = \"{attribute}\": name another, or have HR fill it"
                    )),
            );
        } else {
            filled.push(format!("{attribute} {n}"));
        }
    }
    if !filled.is_empty() {
        out.push(Finding::ok(
            "attributes",
            format!("filled, of {}: {}", workers.len(), filled.join(", ")),
        ));
    }
    out
}

/// The key in the configuration, and what it is mapped to.
fn names(field: &str, okta: &Attributes, words: &Fields, is_okta: bool) -> (&'static str, String) {
    let (key, attribute, column) = match field {
        "department" => ("department", &okta.department, &words.department),
        "title" => ("title", &okta.title, &words.title),
        "location" => ("location", &okta.location, &words.location),
        "workerType" => ("worker_type", &okta.worker_type, &words.worker_type),
        "terminationDate" => ("termination_date", &okta.termination_date, &words.termination_date),
        _ => ("last_day_of_work", &okta.last_day_of_work, &words.last_day_of_work),
    };
    let attribute = if is_okta {
        attribute.clone()
    } else {
        column.clone().unwrap_or_else(|| key.to_owned())
    };
    (key, attribute)
}

fn used_for(field: &str) -> &'static str {
    match field {
        "department" => "the role group",
        "workerType" => "the birthright",
        "terminationDate" | "lastDayOfWork" => "who has left",
        _ => "its rules",
    }
}

fn unfilled(field: &str) -> &'static str {
    match field {
        "terminationDate" | "lastDayOfWork" => "a sweep finds nobody who left, for ever",
        "department" | "workerType" => "no joiner and no mover can be planned",
        _ => "rules that ask for it give nothing",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_that_is_off_by_more_than_a_minute_is_ten() {
        assert!(clock(TimeDelta::seconds(60)).is_none());
        let f = clock(TimeDelta::minutes(-5)).unwrap();
        assert_eq!(
            (f.exit, f.check.subject.as_str()),
            (Exit::Unavailable, "this host is 5m00s ahead of Okta")
        );
        assert!(clock(TimeDelta::minutes(5)).unwrap().check.subject.contains("behind"));
    }

    #[test]
    fn an_attribute_is_named_with_the_key_that_maps_it() {
        let words = crate::config::Roster::default();
        let of = |field| names(field, &Attributes::of(&words), &words.attributes, true);
        assert_eq!(
            of("terminationDate"),
            ("termination_date", "terminationDate".to_owned())
        );
        assert_eq!(of("workerType"), ("worker_type", "userType".to_owned()));
        assert_eq!(of("location"), ("location", "city".to_owned()));
    }
}
