//! The managed hosts of a scenario, as its text in the ledger has them.

use toml::{Table, Value};

/// A managed host: what it becomes, and at which tick.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Host {
    pub(super) name: String,
    /// In the order of ticks. Before the first it works.
    pub(super) changes: Vec<(u32, String)>,
}

/// The hosts; none if the text has none, or is no scenario.
pub(super) fn hosts(scenario: &str) -> Vec<Host> {
    let Ok(table) = scenario.parse::<Table>() else { return Vec::new() };
    let deployment = table.get("deployment").and_then(Value::as_table);
    let hosts = deployment.and_then(|deployment| deployment.get("hosts")).and_then(Value::as_array);
    hosts.into_iter().flatten().filter_map(Value::as_table).filter_map(host).collect()
}

fn host(table: &Table) -> Option<Host> {
    let changes = table.get("changes").and_then(Value::as_array);
    let change = |value: &Value| {
        let at = u32::try_from(value.get("at")?.as_integer()?).ok()?;
        Some((at, value.get("becomes")?.as_str()?.to_owned()))
    };
    let mut changes: Vec<(u32, String)> = changes.into_iter().flatten().filter_map(change).collect();
    changes.sort_by_key(|(at, _)| *at);
    Some(Host { name: table.get("name")?.as_str()?.to_owned(), changes })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_read_from_a_scenario_and_from_nothing_else() {
        let text = "[deployment]\n[[deployment.hosts]]\nname = \"mh\"\nchanges = [{ at = 6, becomes = \"removed\" }, { at = 1, becomes = \"down\" }]\n";
        let changes = vec![(1, "down".to_owned()), (6, "removed".to_owned())];
        assert_eq!(hosts(text), [Host { name: "mh".into(), changes }]);
        assert!(hosts("not = toml = at all").is_empty() && hosts("deployment = 3").is_empty());
    }
}
