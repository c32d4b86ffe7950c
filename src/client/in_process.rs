//! A closure as a client, for Rust tests: no process, the same reports.

use std::future::Future;
use std::time::Duration;

use super::{Claims, Client, Job, JobKind, Outcome, Report};
use crate::replay::Door;

/// A closure that does jobs: `|job: Job| async { ... }`, which asks over a socket, or one in [`Through`].
pub trait Called: Send + Sync {
    /// Whether it has a use for the door.
    const THROUGH_A_DOOR: bool;
    /// Does one job.
    fn call(&self, job: Job, door: Option<Door>) -> impl Future<Output = Outcome> + Send + 'static;
}

impl<F, Fut> Called for F
where
    F: Fn(Job) -> Fut + Send + Sync,
    Fut: Future<Output = Outcome> + Send + 'static,
{
    const THROUGH_A_DOOR: bool = false;

    fn call(&self, job: Job, _: Option<Door>) -> impl Future<Output = Outcome> + Send + 'static {
        self(job)
    }
}

/// A closure that asks the console through a door, without a socket: `Through(|job: Job, door: Door| async { ... })`. It
/// is many times faster, and does not meet what only a connection shows.
#[derive(Clone, Copy, Debug)]
pub struct Through<F>(pub F);

impl<F, Fut> Called for Through<F>
where
    F: Fn(Job, Door) -> Fut + Send + Sync,
    Fut: Future<Output = Outcome> + Send + 'static,
{
    const THROUGH_A_DOOR: bool = true;

    fn call(&self, job: Job, door: Option<Door>) -> impl Future<Output = Outcome> + Send + 'static {
        let done = door.map(|door| self.0(job, door));
        async move {
            match done {
                Some(done) => done.await,
                None => Outcome::NotStarted { why: "there is no door for it".to_owned() },
            }
        }
    }
}

/// A closure as a client. It is run as a task of the current tokio runtime, so that a panic is a crash of the client
/// and nothing more; a closure that blocks its thread needs a runtime with several.
#[derive(Clone, Debug)]
pub struct InProcess<F> {
    name: String,
    jobs: Vec<JobKind>,
    endpoints: Vec<(JobKind, String)>,
    body: Option<String>,
    dialects: Vec<String>,
    claims: Claims,
    timeout_ms: u64,
    f: F,
}

impl<F: Called> InProcess<F> {
    /// A client that can do every job whose endpoint need not be named, knows the `sample` dialect, claims nothing, and has five seconds for a job.
    pub fn new(name: &str, f: F) -> Self {
        Self {
            name: name.to_owned(),
            jobs: JobKind::ALL.into_iter().filter(|job| job.usual_endpoint().is_some()).collect(),
            endpoints: Vec::new(),
            body: None,
            dialects: vec!["sample".to_owned()],
            claims: Claims::default(),
            timeout_ms: 5_000,
            f,
        }
    }

    /// The same client, with only these jobs.
    #[must_use]
    pub fn with_jobs(mut self, jobs: &[JobKind]) -> Self {
        self.jobs = jobs.to_vec();
        self
    }

    /// The same client, whose job asks the endpoint with this full id.
    #[must_use]
    pub fn with_endpoint(mut self, job: JobKind, endpoint: &str) -> Self {
        self.endpoints.retain(|(each, _)| *each != job);
        self.endpoints.push((job, endpoint.to_owned()));
        self
    }

    /// The same client, with this body for the job `send`.
    #[must_use]
    pub fn with_body(mut self, body: &str) -> Self {
        self.body = Some(body.to_owned());
        self
    }

    /// The same client, with these dialects: `sample`, `prose`.
    #[must_use]
    pub fn with_dialects(mut self, dialects: &[&str]) -> Self {
        self.dialects = dialects.iter().map(|&dialect| dialect.to_owned()).collect();
        self
    }

    /// The same client, with these claims.
    #[must_use]
    pub fn with_claims(mut self, claims: Claims) -> Self {
        self.claims = claims;
        self
    }

    /// The same client, with so many milliseconds for a job.
    #[must_use]
    pub fn with_timeout_ms(mut self, timeout_ms: u64) -> Self {
        self.timeout_ms = timeout_ms;
        self
    }
}

/// Ends the task when the report's future is dropped.
struct Ends(tokio::task::AbortHandle);

impl Drop for Ends {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl<F: Called> InProcess<F> {
    async fn done(&self, job: &Job, door: Option<Door>) -> Report {
        let task = tokio::spawn(self.f.call(job.clone(), door));
        let _ends = Ends(task.abort_handle());
        Report::of(match tokio::time::timeout(Duration::from_millis(self.timeout_ms), task).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(_)) => Outcome::Crashed { how: "panic".to_owned() },
            Err(_) => Outcome::TimedOut,
        })
    }
}

impl<F: Called> Client for InProcess<F> {
    fn name(&self) -> &str {
        &self.name
    }

    fn jobs(&self) -> &[JobKind] {
        &self.jobs
    }

    fn endpoint(&self, job: JobKind) -> Option<&str> {
        let named = self.endpoints.iter().find(|(each, _)| *each == job).map(|(_, id)| id.as_str());
        named.or(job.usual_endpoint())
    }

    fn body(&self) -> Option<&str> {
        self.body.as_deref()
    }

    fn dialects(&self) -> &[String] {
        &self.dialects
    }

    fn claims(&self) -> &Claims {
        &self.claims
    }

    fn timeout_ms(&self) -> u64 {
        self.timeout_ms
    }

    async fn run(&self, job: &Job) -> Report {
        self.done(job, None).await
    }

    fn asks_through_a_door(&self) -> bool {
        F::THROUGH_A_DOOR
    }

    async fn run_through(&self, job: &Job, door: Door) -> Report {
        self.done(job, Some(door)).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job() -> Job {
        Job::example(JobKind::Get)
    }

    #[tokio::test]
    async fn a_closure_reports_panics_and_is_ended_in_time() {
        let good = InProcess::new("good", |job: Job| async move {
            assert_eq!(job.id.as_deref(), Some("42"));
            Outcome::GaveUp
        });
        assert_eq!(good.run(&job()).await.outcome, Outcome::GaveUp);
        let bad = InProcess::new("bad", |_| async { panic!("on purpose") });
        assert_eq!(bad.run(&job()).await.outcome, Outcome::Crashed { how: "panic".to_owned() });
        let slow = InProcess::new("slow", |_| std::future::pending()).with_timeout_ms(20);
        assert_eq!(slow.run(&job()).await.outcome, Outcome::TimedOut);
    }
}
