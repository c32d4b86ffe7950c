//! `faultdeck --help`: the verbs under headings, which clap cannot do by itself.

use std::fmt::Write;

use clap::Command;
use clap::builder::StyledStr;

const EXIT_CODES: &str = "\
Exit codes:
  0   passed
  1   a property was violated, or the command under test failed
  2   the input is wrong: an argument, a scenario, a cassette, a client file
  3   inconclusive: nothing was served, a planned fault never fired, a request missed
  70  a defect of faultdeck
  130, 143  cut short by a second signal

First time here? Run `faultdeck demo`. More on one verb: `faultdeck help VERB`.";

/// `command` with a help page that lists its verbs under `groups`, with the summary each verb has of its own.
pub(super) fn grouped(command: Command, groups: &[(&str, &[&str])]) -> Command {
    let mut verbs = StyledStr::new();
    for (heading, names) in groups {
        let _ = writeln!(verbs, "\n{heading}:");
        for verb in names.iter().filter_map(|name| command.find_subcommand(name)) {
            let about = verb.get_about().map(ToString::to_string).unwrap_or_default();
            let _ = writeln!(verbs, "  {:<12} {about}", verb.get_name());
        }
    }
    let template = format!("{{about}}\n\n{{usage-heading}} {{usage}}\n{verbs}{{after-help}}");
    command.help_template(template).after_help(EXIT_CODES)
}
