//! `faultdeck judge --check-adapter`: what is made of a client file, by known answers.

use super::listen::Tls;
use super::output;
use super::problem::Problem;
use crate::client::Program;
use crate::judge::{Known, known_answers};
use crate::ledger::Exit;
use crate::redact::Redactor;
use crate::report::{brief, shell_word, visible};

/// How many lines of an output are shown.
const LINES_SHOWN: usize = 6;

pub(super) async fn check(client: &Program, tls: &Tls) -> Result<Exit, Problem> {
    let redactor = Redactor::new();
    let identity = tls.identity()?;
    let all = known_answers(client, identity.as_ref(), &redactor).await?;
    let mut text = String::new();
    for known in &all {
        text.push_str(&shown(known));
        text.push('\n');
    }
    let wrong = all.iter().filter(|known| !known.is_right).count();
    let (exit, last) = match (wrong, all.len()) {
        (0, count) => (Exit::Passed, format!("all {count} answers were read as they have to be\n")),
        (wrong, count) => {
            (Exit::BadInput, format!("{wrong} of {count} answers were not read as they have to be\n"))
        }
    };
    output::data(&redactor.text(&(text + &last)))?;
    Ok(exit)
}

/// All about one answer, for a person.
fn shown(known: &Known) -> String {
    let mut text = format!("{}: {}\n", known.job, known.answer);
    let mut row = |name: &str, value: &str| text.push_str(&format!("  {name:<9} {value}\n"));
    if !known.asked.command.is_empty() {
        let command: Vec<String> = known.asked.command.iter().map(|word| shell_word(word)).collect();
        row("started:", &visible(&command.join(" ")));
    }
    if let Some((way, given)) = &known.asked.given {
        row("given:", &format!("{} ({})", visible(given), visible(way)));
    }
    let (requests, count) = &known.requests;
    requests.iter().for_each(|request| row("sent:", &visible(request)));
    if *count > requests.len() {
        row("sent:", &format!("and {} more", count - requests.len()));
    }
    for (name, output) in [("stdout:", &known.report.stdout), ("stderr:", &known.report.stderr)] {
        let lines: Vec<&str> = output.trim_end().lines().collect();
        lines.iter().take(LINES_SHOWN).for_each(|line| row(name, &brief(line)));
        if lines.len() > LINES_SHOWN {
            row(name, &format!("and {} more lines", lines.len() - LINES_SHOWN));
        }
    }
    let outcome = visible(&known.report.outcome.to_string()).into_owned();
    match known.is_right {
        true => row("read as:", &format!("{outcome}, as it has to be")),
        false => row("read as:", &format!("{outcome}, and it has to be {}", known.expected)),
    }
    let name = if known.is_right { "odd:" } else { "fix:" };
    known.remarks.iter().for_each(|remark| row(name, &visible(remark)));
    text
}
