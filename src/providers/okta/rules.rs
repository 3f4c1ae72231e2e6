//! Group rules: which group a rule may fill, and whom it leaves out. Nothing here says why someone is in a group; no call of Okta's does.

use super::{
    Directory,
    pages::{self, LIMIT},
    wire,
};
use crate::{
    http::path,
    model::{Failure, PersonId, Rule, RuleStatus},
};

fn rule(read: wire::Rule) -> Rule {
    let status = match read.status.as_str() {
        "ACTIVE" => RuleStatus::Active,
        "INACTIVE" => RuleStatus::Inactive,
        _ => RuleStatus::Invalid,
    };
    Rule {
        id: read.id,
        name: read.name,
        status,
        groups: read.actions.assign_user_to_groups.group_ids.into_iter().collect(),
        // The list keeps people who were deleted since: ids, nothing more.
        excluded: read.conditions.people.users.exclude.into_iter().map(PersonId).collect(),
        expression: read.conditions.expression.value,
    }
}

impl Directory {
    pub async fn rules(&self) -> Result<Vec<Rule>, Failure> {
        let ask = path!["api/v1/groups/rules"]
            .query("limit", LIMIT)
            .query("expand", "groupIdToGroupNameMap");
        let read: Vec<wire::Rule> = pages::all(&self.api, ask, "read the group rules of Okta").await?;
        Ok(read.into_iter().map(rule).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_with_and_without_people() {
        let read: Vec<wire::Rule> = serde_json::from_str(include_str!("../../../tests/data/okta/rules.json")).unwrap();
        let all: Vec<Rule> = read.into_iter().map(rule).collect();
        let status: Vec<RuleStatus> = all.iter().map(|r| r.status).collect();
        assert_eq!(status, [RuleStatus::Active, RuleStatus::Inactive, RuleStatus::Invalid]);
        assert!(all[0].groups.contains("00g00000000000000001"));
        assert!(all[0].excluded.contains(&PersonId("00u00000000000000101".into())));
        assert!(all[1].excluded.is_empty());
        assert_eq!(all[0].expression, "user.department==\"Engineering\"");
    }
}
