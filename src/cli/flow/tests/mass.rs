//! Many leavers at once under a rate limit: everybody is contained before anybody is cleaned up, and no call is lost to a 429.

use serde_json::json;

use super::world::{Command, World, few};
use crate::{cli::exit::Exit, model::PersonResult};

const PEOPLE: usize = 60;

#[tokio::test(start_paused = true)]
async fn all_are_contained_before_any_is_cleaned_up() {
    let mut given = few(&["ben.cole@acme.example"]);
    let users = given["okta"]["users"].as_array_mut().unwrap();
    let ben = users
        .iter()
        .find(|u| u["profile"]["login"] == "ben.cole@acme.example")
        .unwrap()
        .clone();
    for n in 0..PEOPLE {
        let mut one = ben.clone();
        one["id"] = json!(format!("00uM{n:016}"));
        one["profile"]["login"] = json!(format!("m{n}@acme.example"));
        one["profile"]["email"] = json!(format!("m{n}@acme.example"));
        one["profile"]["employeeNumber"] = json!(format!("M{n}"));
        users.push(one);
    }
    let slack = given["apps"]["slack"]["users"].as_array_mut().unwrap();
    slack.extend((0..PEOPLE).map(|n| json!({"id": format!("U0M{n:07}"), "email": format!("m{n}@acme.example")})));
    given["latency"] = json!("60ms");
    given["limits"] = json!({"leavers": "100"});
    let w = World::limited(given, 7, &[("okta", 600)]);
    let end = w.run(Command::Sweep).await;
    assert!(matches!(end.exit(), Some(Exit::Done | Exit::Partial)), "{end:?}");
    let sent = w.wire.sent();
    let last_suspend = sent
        .iter()
        .rposition(|c| c.path.ends_with("/lifecycle/suspend"))
        .unwrap();
    let first_removal = sent
        .iter()
        .position(|c| c.method == "DELETE" && c.path.contains("/groups/"))
        .unwrap();
    assert!(last_suspend < first_removal, "{last_suspend} {first_removal}");
    let mut complete = 0;
    for run in w.runs().await {
        // Who is protected waits for an approver.
        for p in run.people.values().filter(|p| p.held.is_none()) {
            let open: Vec<_> = p.live().filter(|r| !r.settled()).collect();
            assert_eq!(p.result, Some(PersonResult::Complete), "{} {open:#?}", p.login);
            complete += 1;
        }
    }
    assert!(complete > PEOPLE, "{complete}");
}
