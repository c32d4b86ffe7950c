//! Secrets and customer data out, placeholders in...
use crate::message::{Request, Response};
/// Knows every secret seen so far in a run; replaces them wherever they stand. Cheap to clone (shared).
#[derive(Clone, Debug, Default)]
pub struct Redactor {}
impl Redactor {
    pub fn new() -> Self { todo!() }
    /// Learns the credentials a request carries (by place), and replaces nothing.
    pub fn learn_request(&self, _request: &Request) { todo!() }
    pub fn learn_response(&self, _response: &Response) { todo!() }
    /// Learns one value outright (a token given on the command line).
    pub fn learn(&self, _secret: &str) { todo!() }
    /// Any text (log line, error, stderr of a client) with every known secret in every spelling replaced.
    pub fn text(&self, _text: &str) -> String { todo!() }
    /// A request as it may be written: credentials by place (learnt on the way) and known values anywhere.
    pub fn request(&self, _request: &Request) -> Request { todo!() }
    pub fn response(&self, _response: &Response) -> Response { todo!() }
}
