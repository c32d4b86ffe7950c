//! What the API promises. (split: mod.rs, endpoint.rs, error.rs, lifecycle.rs, gate.rs, help.rs).
use crate::fields::{FieldSelector, Shape};
use crate::message::{Request, Response};
use crate::timeline::Phase;

/// How sure we are of a rule; the words of `explain` and of the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source { Recorded, Documented, Seen, OneSource, Inferred, Ours }
impl Source { pub fn as_str(self) -> &'static str { todo!() } }

#[derive(Debug)]
pub struct Profile { pub endpoints: Vec<Endpoint>, pub lifecycles: Vec<Lifecycle>, pub complete: Vec<String> }
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// `GET /forensics/case_management/cases/{id}`
    pub id: String,
    /// `cases.get`, `cases.list`, `cases.post`
    pub short: String,
    pub method: String,
    /// Template without `/api`.
    pub template: String,
    pub parameters: Vec<Parameter>,
    pub success: Vec<u16>,
    pub errors: Vec<ApiError>,
    /// Shape of one resource (a list's element), default dialect.
    pub shape: Shape,
    /// Whether the answer is an array.
    pub is_list: bool,
    pub fields_in: Option<Carrier>,
    pub summary: String,
}
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carrier { Query, Header }
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter { pub name: String, pub kind: ParameterKind, pub required: bool, pub data_type: String }
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParameterKind { Path, Query, Header, Body }
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiError { pub status: u16, pub code: u32, pub description: String }
/// A row of lifecycles.toml, resolved.
#[derive(Clone, Debug)]
pub struct Lifecycle {
    /// Endpoint ids.
    pub task: String, pub created_by: String,
    /// The list endpoint and item endpoint of the case the task makes, if any (`GET .../cases`, `GET .../cases/{id}`).
    pub case_list: Option<String>, pub case_item: Option<String>,
    /// Member names (top level).
    pub id: String, pub state: Vec<String>, pub case: Option<String>,
    /// request member -> response members that echo it: ("name", ["name","case_name"]).
    pub echoes: Vec<(String, Vec<String>)>,
    pub phases: Vec<(String, Phase)>,
    /// dialect name -> renames from the sample dialect: ("prose", [("name","case_name"),("state","status")]).
    pub dialects: Vec<(String, Vec<(String, String)>)>,
    /// Rules of a creation.
    pub required: Vec<String>, pub name_member: Option<String>, pub name_max: usize, pub assignees_max: usize,
    /// Members the profile marks as users (placeholders in cassettes).
    pub users: Vec<String>,
}
impl Lifecycle {
    pub fn phase(&self, _state: &str) -> Option<Phase> { todo!() }
    pub fn spelling(&self, _phase: Phase) -> Option<&str> { todo!() }
    /// Whether a creation body breaks a rule: the message of 422/1005.
    pub fn refuses(&self, _body: &crate::json::Json<'_>) -> Option<String> { todo!() }
}
/// A request's endpoint.
#[derive(Clone, Debug)]
pub struct Matched<'p> { pub endpoint: &'p Endpoint, /// decoded path parameters, in order
 pub path_params: Vec<(String, String)>, /// the path up to its last `{id}`, else the collection; with `/api`
 pub resource: String }
impl Profile {
    /// The profiles in the binary.
    pub fn builtin() -> &'static Profile { todo!() }
    /// `path` raw, with `/api`. Literal segments win over parameters.
    pub fn find(&self, _method: &str, _path: &str) -> Option<Matched<'_>> { todo!() }
    /// Full id or short name; an ambiguous short name lists the full ones; an unknown one names the nearest.
    pub fn by_name(&self, _name: &str) -> Result<&Endpoint, NameError> { todo!() }
    pub fn endpoint(&self, _id: &str) -> Option<&Endpoint> { todo!() }
    /// The life cycle whose task this endpoint polls.
    pub fn task_of(&self, _endpoint_id: &str) -> Option<&Lifecycle> { todo!() }
    /// The life cycle this endpoint creates.
    pub fn created_by(&self, _endpoint_id: &str) -> Option<&Lifecycle> { todo!() }
}
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    #[error("no endpoint `{name}`")] Unknown { name: String, nearest: Vec<String> },
    #[error("`{name}` is ambiguous")] Ambiguous { name: String, full: Vec<String> },
}
impl Endpoint {
    pub fn error(&self, _status: u16, _code: u32) -> Option<&ApiError> { todo!() }
}
/// The error body of the API; key order as captured, compact, JSON content type.
pub fn error_response(_status: u16, _code: u32, _description: &str, _message: &str) -> Response { todo!() }
/// The 200 HTML page for a path outside /api.
pub fn outside_page() -> Response { todo!() }
/// A framework code with its usual message (4, 8, 10, 11, 18, 26, 30, 31, 36), or None.
pub fn framework_error(_status: u16, _code: u32) -> Option<Response> { todo!() }

/// What the gate is asked with.
#[derive(Clone, Debug)]
pub struct GateOptions<'a> {
    pub no_auth: bool,
    /// The shape to check `fields` against, given the endpoint; None = the endpoint's own.
    pub shape_of: &'a dyn ShapeOf,
    /// Unknown paths: emulate answers 404/4 everywhere.
    pub closed: bool,
}
pub trait ShapeOf: std::fmt::Debug { fn shape_of(&self, endpoint: &Endpoint) -> Option<Shape>; }
/// Rungs 1 to 6 of the answer ladder, pure.
#[derive(Clone, Debug)]
pub enum Gated<'p> {
    /// Refused, or answered by the self-description: the response, which rule, how sure.
    Answered { response: Response, rule: &'static str, source: Source, endpoint: Option<&'p Endpoint>, refused: bool },
    /// Goes on to the endpoint.
    Admitted(Admitted<'p>),
    /// A path no profile knows, below no complete root.
    Opaque,
}
#[derive(Clone, Debug)]
pub struct Admitted<'p> { pub matched: Matched<'p>, pub selector: Option<FieldSelector>, pub findings: Vec<String>, /// parsed `Range: items=a-b`
 pub range: Option<(u64, u64)> }
pub fn gate<'p>(_profile: &'p Profile, _request: &Request, _options: &GateOptions<'_>) -> Gated<'p> { todo!() }
/// The raw `fields` value a request carries in the place this endpoint takes it (first of repeats), decoded once.
pub fn fields_text(_endpoint: &Endpoint, _request: &Request) -> Option<String> { todo!() }
