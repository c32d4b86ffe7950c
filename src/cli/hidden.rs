//! What a client would not notice of a scenario: its own repetitions and time limits hide a fault from whoever tests it.
//!
//! The client's file says what the client does by itself; nothing is run. A fault's effect is read off what it makes of
//! an answer, so no kind is known by name here.

use std::time::Duration;

use crate::client::{Client, JobKind};
use crate::delivery::{Delivery, End, Step};
use crate::fault::{Context, Greets};
use crate::greeting::{Ending, Trouble, Welcome};
use crate::message::{Request, Response};
use crate::profile::Profile;
use crate::scenario::{Clock, Nth, PlannedFault, Scenario};
use crate::seed::Seed;

/// An answer as any poll may get it.
const ANSWER: &str =
    r#"{"assigned_to":["analyst"],"case_id":35,"id":956,"name":"CASE1","state":"PROCESSING"}"#;

/// A line for each fault that the client's own doing hides, and for what the client's limits cut off.
pub(super) fn warnings<C: Client>(scenario: &Scenario, client: &C) -> Vec<String> {
    let mut lines = Vec::new();
    for (n, planned) in (1..).zip(&scenario.faults) {
        let of_fault = [unreached(planned, client), retried(planned, client), waited_out(planned, client)];
        lines.extend(of_fault.into_iter().flatten().map(|why| format!("[{n}] {why}")));
        lines.extend(too_late(planned, client).map(|why| format!("[{n}] {why}")));
    }
    lines.extend(slow_clock(scenario, client));
    lines
}

/// What becomes of an answer.
struct Dealt {
    status: u16,
    /// How long until its last byte is sent.
    late: Duration,
    /// How long until it ends.
    ends: Duration,
    /// Whether all of it comes.
    is_whole: bool,
    /// Whether the client gets no end of it.
    is_endless: bool,
}

/// What becomes of an answer on a connection that is greeted so.
fn greeted(greets: Greets) -> Dealt {
    let (late, is_endless) = match greets {
        Greets::Wait(wait) => (wait, false),
        Greets::Then(Welcome::End(Ending::Hang) | Welcome::Handshake(Trouble::Broken(Ending::Hang)))
        | Greets::Beyond(_, Ending::Hang) => (Duration::ZERO, true),
        _ => (Duration::ZERO, false),
    };
    Dealt { status: 200, late, ends: late, is_whole: matches!(greets, Greets::Wait(_)), is_endless }
}

fn dealt(planned: &PlannedFault) -> Dealt {
    if let Some(greets) = planned.inject.greets() {
        return greeted(greets);
    }
    let profile = Profile::builtin();
    let endpoint = planned.when.endpoint.as_deref().and_then(|id| profile.endpoint(id));
    let method = endpoint.map_or("GET", |endpoint| endpoint.method.as_str());
    let request = Request::new(method, "/api/any");
    let mut delivery = Delivery::of(Response::json(200, ANSWER));
    let mut stream = Seed(1).stream(&["explain"]);
    let mut context = Context {
        endpoint,
        lifecycle: endpoint.and_then(|endpoint| profile.task_of(&endpoint.id)),
        request: &request,
        nth: 1,
        heard: false,
        at: Duration::ZERO,
        stream: &mut stream,
    };
    planned.inject.inject(&mut delivery, &mut context);
    let image = delivery.image();
    let length = image.head.len() + image.body.len();
    let (mut late, mut ends, mut sent) = (Duration::ZERO, Duration::ZERO, 0);
    for step in &delivery.steps {
        match step {
            Step::Wait(wait) | Step::Beat(wait) => ends += *wait,
            step => {
                let bytes = step.sends(length);
                if bytes > 0 {
                    (late, sent) = (ends, sent + bytes);
                }
            }
        }
    }
    let is_endless = delivery.steps.contains(&Step::End(End::Hang));
    Dealt { status: delivery.response.status, late, ends, is_whole: sent >= length, is_endless }
}

/// The endpoint of a fault that no job of the client asks first, and that none of them leads to.
fn unreached<C: Client>(planned: &PlannedFault, client: &C) -> Option<String> {
    let endpoint = planned.when.endpoint.as_deref()?;
    let profile = Profile::builtin();
    profile.endpoint(endpoint)?;
    // A creation leads on to its task, and to what it makes.
    let leads_to = |first: &str| {
        profile.created_by(first).is_some_and(|life| {
            let others = [life.case_list.as_deref(), life.case_item.as_deref()];
            life.task == endpoint || others.contains(&Some(endpoint))
        })
    };
    let asks = |job: &JobKind| {
        let first = client.endpoint(*job);
        first == Some(endpoint) || (*job == JobKind::Create && first.is_some_and(leads_to))
    };
    if client.jobs().iter().any(asks) {
        return None;
    }
    Some(format!("no job of {} asks {endpoint}: it never fires", client.name()))
}

/// A fault that the client's own repetitions pass over.
fn retried<C: Client>(planned: &PlannedFault, client: &C) -> Option<String> {
    let (claims, when) = (client.claims(), &planned.when);
    let status = dealt(planned).status;
    if claims.retries_max == 0 || !claims.retries_on.contains(&status) || when.call.is_some() {
        return None;
    }
    let in_a_row = match (when.nth, when.most) {
        (Nth::Every(step), _) if step > 1 => 1,
        (Nth::Between(first, Some(last)), most) => (last - first + 1).min(most.unwrap_or(u32::MAX)),
        (_, Some(most)) => most,
        (_, None) => return None,
    };
    if in_a_row > claims.retries_max {
        return None;
    }
    let times = if in_a_row == 1 { "once".to_owned() } else { format!("{in_a_row} times in a row") };
    Some(format!(
        "hidden by retries: it answers {status} {times}, and the client repeats up to {} times after {status}",
        claims.retries_max
    ))
}

/// A delay that the client sits out, or a silence that nothing of its own ends.
fn waited_out<C: Client>(planned: &PlannedFault, client: &C) -> Option<String> {
    let dealt = dealt(planned);
    let (claims, ended) = (client.claims(), client.timeout_ms());
    let own = [claims.request_timeout_ms, claims.gives_up_after_ms].into_iter().flatten().min();
    if dealt.is_endless {
        return match own {
            None => Some(format!(
                "the client's file names no limit of its own (request_timeout_ms, gives_up_after_ms): in a silence it is \
                 ended after {ended} ms, and nothing else is learnt"
            )),
            Some(own) if own >= ended => Some(format!(
                "the client gives up after {own} ms, and is ended after {ended} ms before it can"
            )),
            Some(_) => None,
        };
    }
    let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    let (late, ends, limit) = (millis(dealt.late), millis(dealt.ends), own.unwrap_or(ended));
    match dealt.is_whole {
        true => (late > 0 && late < limit)
            .then(|| format!("{late} ms late, and the client waits {limit} ms: it will not notice")),
        // Something else is the matter than lateness, and the client is gone before it comes to that.
        false => (ends > 0 && ends >= limit)
            .then(|| format!("the client waits {limit} ms: what comes after {ends} ms it never sees")),
    }
}

/// A fault that begins when the client has long stopped.
fn too_late<C: Client>(planned: &PlannedFault, client: &C) -> Option<String> {
    let limit = client.claims().gives_up_after_ms.unwrap_or_else(|| client.timeout_ms());
    let begins = planned.when.since_start_ms?.first;
    (begins >= limit)
        .then(|| format!("it begins {begins} ms after the start, and the client gives up after {limit} ms"))
}

/// A task that takes longer by the clock than the client waits.
fn slow_clock<C: Client>(scenario: &Scenario, client: &C) -> Option<String> {
    let Some(Clock::Every(tick_ms)) = scenario.clock else { return None };
    let ticks = match &scenario.deployment {
        Some(deployment) => deployment.settles(),
        None => scenario.path.last()?.at,
    };
    let takes = u64::from(ticks).saturating_mul(tick_ms);
    let limit = client.claims().gives_up_after_ms.unwrap_or_else(|| client.timeout_ms());
    (takes >= limit).then(|| {
        format!("the task comes to its end after {takes} ms, and the client gives up after {limit} ms")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::{Claims, InProcess, Job, Outcome};

    fn warned(fault: &str, claims: Claims) -> Vec<String> {
        let text = format!("[[fault]]\n{fault}\n");
        let scenario = Scenario::parse("x", "x", &text, Profile::builtin()).unwrap();
        let client = InProcess::new("mine", |_: Job| async { Outcome::Silent })
            .with_jobs(&[JobKind::Get, JobKind::Wait])
            .with_claims(claims);
        warnings(&scenario, &client)
    }

    fn patient() -> Claims {
        Claims {
            retries_max: 3,
            retries_on: vec![500, 503],
            gives_up_after_ms: Some(1000),
            ..Claims::default()
        }
    }

    #[test]
    fn a_delay_below_the_limit_is_not_noticed_and_a_longer_one_is() {
        let late = |ms: u32| {
            let fault = format!(
                "when = {{ endpoint = \"case_create_tasks.get\" }}\ninject = {{ latency = {{ ms = {ms} }} }}"
            );
            warned(&fault, patient())
        };
        assert_eq!(late(300), ["[1] 300 ms late, and the client waits 1000 ms: it will not notice"]);
        assert!(late(1500).is_empty());
    }

    #[test]
    fn a_request_has_a_limit_of_its_own_that_hides_what_comes_after_it() {
        let claims = || Claims { request_timeout_ms: Some(400), ..patient() };
        let of = |inject: &str| {
            warned(
                &format!("when = {{ endpoint = \"case_create_tasks.get\" }}\ninject = {{ {inject} }}"),
                claims(),
            )
        };
        // It ends the request, and the job goes on: a delay beyond that is noticed.
        assert_eq!(
            of("latency = { ms = 300 }"),
            ["[1] 300 ms late, and the client waits 400 ms: it will not notice"]
        );
        assert!(of("latency = { ms = 500 }").is_empty());
        assert!(of("hang = {}").is_empty(), "its own limit ends a silence");
        // The close comes when nobody waits for it any more; one that comes earlier is seen.
        assert_eq!(
            of("hang = { ms = 500 }"),
            ["[1] the client waits 400 ms: what comes after 500 ms it never sees"]
        );
        assert!(of("hang = { ms = 300 }").is_empty());
        // The answer is there in time, whatever becomes of the connection later.
        assert!(of("slow-close = { ms = 300 }").is_empty() && of("slow-close = { ms = 900 }").is_empty());
    }

    #[test]
    fn what_befalls_a_connection_is_waited_for_like_an_answer() {
        let of = |inject: &str, claims| {
            warned(&format!("when = {{ connection = \"1\" }}\ninject = {{ {inject} }}"), claims).join("")
        };
        assert!(of("slow-accept = { ms = 300 }", patient()).contains("300 ms late"));
        assert_eq!(of("slow-accept = { ms = 3000 }", patient()), "");
        assert!(of("connection-hang = {}", Claims::default()).contains("request_timeout_ms"));
        assert_eq!(
            of("connection-hang = {}", patient()) + &of("connection-reset = {}", Claims::default()),
            ""
        );
    }

    #[test]
    fn errors_that_retries_pass_over_are_named_and_more_of_them_are_not() {
        let errors = |nth: &str, status: u16| {
            let fault = format!(
                "when = {{ endpoint = \"case_create_tasks.get\", nth = \"{nth}\" }}\ninject = {{ html-page = {{ status = \
                 {status} }} }}"
            );
            warned(&fault, patient()).join("\n")
        };
        for hidden in ["1", "1-3", "2-4", "every 2"] {
            assert!(errors(hidden, 503).contains("hidden by retries"), "{hidden}");
        }
        for shown in ["1-4", "1-", "every 1"] {
            assert_eq!(errors(shown, 503), "", "{shown}");
        }
        assert_eq!(errors("1", 502), "", "it does not repeat after 502");
    }

    #[test]
    fn a_silence_needs_a_limit_of_the_clients_own() {
        let hang = "when = { endpoint = \"case_create_tasks.get\", nth = \"1\" }\ninject = { hang = {} }";
        let without = warned(hang, Claims::default());
        assert!(without.len() == 1 && without[0].contains("no limit of its own"), "{without:?}");
        assert!(warned(hang, patient()).is_empty());
    }

    #[test]
    fn what_no_job_asks_never_fires() {
        let creation = "when = { endpoint = \"cases.post\", nth = \"1\" }\ninject = { garbage = {} }";
        let search = "when = { endpoint = \"ariel/searches.get\", nth = \"1\" }\ninject = { garbage = {} }";
        assert!(warned(search, patient())[0].contains("no job of mine asks GET /ariel/searches/{search_id}"));
        assert!(warned(creation, patient())[0].contains("it never fires"), "it creates nothing");
    }
}
