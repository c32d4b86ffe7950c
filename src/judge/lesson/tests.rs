//! Each lesson is whole, and the law itself says of both examples what the lesson says.

use super::*;
use crate::client::{Outcome, Resting};
use crate::fault::Effect;
use crate::judge::case::{Alteration, Answer, Run};
use crate::judge::sample;
use crate::judge::verdict::Verdict;
use crate::judge::{PROPERTIES, property};
use crate::ledger::{BodyText, Exchange, Timing};
use crate::profile::Profile;

/// How long a part may be, so that it is read.
const FIX_LINES_MAX: usize = 12;
const EXAMPLE_LINES_MAX: usize = 20;
const WIDTH_MAX: usize = 130;

fn lesson(id: &str) -> Lesson {
    let lesson = property(id).unwrap().lesson();
    lesson.unwrap_or_else(|error| panic!("{id}: {error}")).unwrap_or_else(|| panic!("{id} has no lesson"))
}

#[test]
fn each_law_has_a_lesson_and_each_lesson_is_called_by_its_id() {
    for property in PROPERTIES {
        assert_eq!(lesson(property.id).id, property.id);
    }
    for text in LESSONS {
        let lesson: Lesson = toml::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"));
        assert_eq!(text.lines().next(), Some(&*format!("id = \"{}\"", lesson.id)));
    }
}

#[test]
fn each_lesson_has_all_its_parts() {
    for property in PROPERTIES {
        let (id, lesson) = (property.id, lesson(property.id));
        assert!(lesson.why.len() > 80 && lesson.beyond.len() > 40, "{id}: a sentence is missing");
        assert!(lesson.facts.len() >= 2, "{id} rests on few facts");
        for fact in &lesson.facts {
            assert!(fact.source().is_some(), "{id}: `{}` is no source", fact.source);
            assert!(fact.says.ends_with('.'), "{id}: {}", fact.says);
        }
        for example in [&lesson.fails, &lesson.holds] {
            assert!(example.example.lines().count() <= EXAMPLE_LINES_MAX, "{id}: a long example");
            assert!(example.because.ends_with('.'), "{id}: {}", example.because);
        }
        for (language, code) in lesson.fix.languages() {
            let lines = code.lines().filter(|line| !line.is_empty()).count();
            assert!((3..=FIX_LINES_MAX).contains(&lines), "{id}: {lines} lines of {language}");
        }
        let texts = [
            &lesson.fails.example,
            &lesson.holds.example,
            &lesson.fix.python,
            &lesson.fix.go,
            &lesson.fix.node,
        ];
        for line in texts.into_iter().flat_map(|text| text.lines()) {
            assert!(line.chars().count() <= WIDTH_MAX, "{id}: {line}");
        }
    }
}

#[test]
fn the_law_itself_says_of_both_examples_what_the_lesson_says() {
    for property in PROPERTIES {
        let (id, lesson) = (property.id, lesson(property.id));
        if lesson.told_only {
            continue;
        }
        let fails = (property.judge)(&runs(&lesson.fails.example));
        let says_so = match &fails {
            Verdict::Held(advice) => lesson.advice && !advice.is_empty(),
            other => other.is_violated(),
        };
        assert!(says_so, "{id} says of its failing example: {fails:?}");
        let holds = (property.judge)(&runs(&lesson.holds.example));
        let says_nothing = |advice: &Vec<String>| !lesson.advice || advice.is_empty();
        let is_held = matches!(&holds, Verdict::Held(advice) if says_nothing(advice));
        assert!(is_held, "{id} says of its passing example: {holds:?}");
    }
}

#[test]
fn what_is_rebuilt_of_an_example_is_told_as_it_stands_there() {
    for property in PROPERTIES {
        let lesson = lesson(property.id);
        for example in [&lesson.fails.example, &lesson.holds.example] {
            let first = example.lines().next().unwrap();
            if !lesson.told_only {
                let run = &runs(example)[0];
                assert_eq!(first, format!("told:     {}", run.case.task_line()), "{}", property.id);
            }
            assert!(first.starts_with("told:     "), "{}: {first}", property.id);
        }
    }
}

/// The runs that an example tells of: the plain one, and one for each `again:`.
fn runs(example: &str) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for line in example.lines() {
        let (label, rest) = line.split_once(':').unwrap_or_else(|| panic!("{line}"));
        let rest = rest.trim();
        match label {
            "told" => runs.push(given(rest)),
            "again" => {
                let mut run = runs[0].clone();
                run.exchanges.clear();
                if let Some(fields) = rest.strip_prefix("with fields `") {
                    run.case.fields = Some(fields.trim_end_matches('`').to_owned());
                    runs.push(run);
                    continue;
                }
                run.case.answer = Some(Answer { alteration: altered(rest), text: String::new() });
                runs.push(run);
            }
            "sent" => sent(runs.last_mut().unwrap(), rest),
            "got" => got(runs.last_mut().unwrap(), rest),
            "waited" => waited(runs.last_mut().unwrap(), rest),
            "wrote" => runs.last_mut().unwrap().report.stderr = rest.to_owned(),
            "reported" => runs.last_mut().unwrap().report.outcome = outcome(rest),
            other => panic!("`{other}:` is no line of an example"),
        }
    }
    runs
}

fn given(text: &str) -> Run {
    let quoted = text.split('`').nth(1);
    let case = match text.split(' ').next().unwrap() {
        "get" => sample::get(quoted),
        "wait" => sample::wait(quoted),
        "create" => sample::create(quoted.unwrap()),
        "list" => sample::list(text.strip_prefix("list all of ").unwrap()),
        other => panic!("no example has the job {other}"),
    };
    sample::run(case)
}

/// How long before the next request; from the first one on.
fn waited(run: &mut Run, text: &str) {
    let ms: u64 = text.strip_suffix(" ms").unwrap().parse().unwrap();
    if run.timings.is_empty() {
        // Then it is about pace.
        (run.case.pace_ms, run.given.pace_ms) = (PACE_MS, Some(PACE_MS));
        let key = run.exchanges.last().unwrap().key.clone();
        run.timings.push(Timing { key, ..Timing::default() });
    }
    let at_us = run.timings.last().unwrap().at_us + ms * 1_000;
    run.timings.push(Timing { at_us, ..Timing::default() });
}

/// The pause that a client of an example is told to leave.
const PACE_MS: u64 = 50;

fn altered(text: &str) -> Alteration {
    let all = [Alteration::KeyOrder, Alteration::ExtraMembers, Alteration::Blanks];
    let is_it = |alteration: &Alteration| text == format!("the same answer with {}", alteration.words());
    all.into_iter().find(is_it).unwrap_or_else(|| panic!("{text}"))
}

fn sent(run: &mut Run, text: &str) {
    let mut words = text.splitn(3, ' ');
    let (method, target) = (words.next().unwrap(), words.next().unwrap());
    let mut exchange = sample::poll(target, 200, "");
    let path = target.split('?').next().unwrap();
    let found = Profile::builtin().find(method, path);
    exchange.key.endpoint = found.map(|found| found.endpoint.id.as_str().into()).unwrap_or_default();
    exchange.key.nth = u32::try_from(run.exchanges.len()).unwrap() + 1;
    exchange.method = method.to_owned();
    if let Some(timing) = run.timings.last_mut() {
        timing.key = exchange.key.clone();
    }
    match words.next() {
        Some(rest) if rest.starts_with('(') => {
            let (name, value) = rest.trim_matches(['(', ')']).split_once(": ").unwrap();
            exchange.request_headers.push((name.to_owned(), value.to_owned()));
        }
        Some(body) => exchange.request_body = BodyText::Text(body.to_owned()),
        None => {}
    }
    run.exchanges.push(exchange);
}

fn got(run: &mut Run, text: &str) {
    let exchange: &mut Exchange = run.exchanges.last_mut().unwrap();
    if text.starts_with("nothing") {
        exchange.faults = vec![sample::fault(Effect::Lost)];
        exchange.status = 201;
        return;
    }
    let (status, mut body) = text.split_once(' ').unwrap();
    exchange.status = status.parse().unwrap();
    if let Some((header, rest)) = body.strip_prefix('(').and_then(|rest| rest.split_once(") ")) {
        let (name, value) = header.split_once(": ").unwrap();
        exchange.response_headers.push((name.to_owned(), value.to_owned()));
        body = rest;
    }
    exchange.response_body = BodyText::Text(body.to_owned());
    if let Some(answer) = &mut run.case.answer {
        body.clone_into(&mut answer.text);
    }
}

fn outcome(text: &str) -> Outcome {
    let (word, rest) = text.split_once([' ', ':']).unwrap_or((text, ""));
    let code = rest.trim().parse().ok();
    let task = |standing| Outcome::Task { standing, task: rest.to_owned() };
    match word {
        "done" => task(Resting::Done),
        "usable" => task(Resting::Usable),
        "pending" => task(Resting::Pending),
        "failed" => task(Resting::Failed),
        "not_found" => Outcome::NotFound { code },
        "server_error" => Outcome::ServerError { code },
        "rejected" => Outcome::Rejected { code },
        "gave_up" => Outcome::GaveUp,
        "error" => Outcome::Error { text: rest.trim().to_owned() },
        other => panic!("`{other}` is no outcome"),
    }
}

#[test]
fn outcomes_of_examples_are_spelt_as_evidence_spells_them() {
    for property in PROPERTIES {
        let lesson = lesson(property.id);
        let examples = [&lesson.fails.example, &lesson.holds.example];
        for line in examples.into_iter().flat_map(|example| example.lines()) {
            if let Some(reported) = line.strip_prefix("reported: ") {
                let mut run = sample::run(sample::get(None));
                run.report = sample::report(outcome(reported));
                assert_eq!(run.reported_line(), reported, "{}", property.id);
            }
        }
    }
}
