//! Writing the format: pretty, one interaction a block, one header a line, so that reviews and merges work by line.

use std::fmt::Write;

use super::body::{self, Short};
use super::format::FORMAT;
use super::{Cassette, Interaction, RecordedFrom, TlsTrust};
use crate::json::quote;
use crate::message::{Headers, Request, Response};

/// What stands before the first interaction, before each further one, and behind the last.
pub(super) const FIRST: &str = "\n";
pub(super) const NEXT: &str = ",\n";
pub(super) const END: &str = "\n  ]\n}\n";
/// The end of a cassette without any.
pub(super) const END_EMPTY: &str = "]\n}\n";

/// The text of a cassette as it is, in the order it is in.
pub(super) fn text(cassette: &Cassette) -> String {
    let mut out = String::new();
    head(&mut out, &cassette.recorded_from);
    for (place, interaction) in cassette.interactions.iter().enumerate() {
        out.push_str(if place == 0 { FIRST } else { NEXT });
        write_interaction(&mut out, interaction);
    }
    out.push_str(if cassette.interactions.is_empty() { END_EMPTY } else { END });
    out
}

/// The text of one interaction.
pub(super) fn interaction(interaction: &Interaction) -> String {
    let mut out = String::new();
    write_interaction(&mut out, interaction);
    out
}

/// All that stands before the interactions.
pub(super) fn head(out: &mut String, from: &RecordedFrom) {
    let _ = writeln!(out, "{{\n  \"format\": {FORMAT},\n  \"recorded_from\": {{");
    let _ = writeln!(out, "    \"host\": {},", quote(&from.host));
    if let Some(version) = &from.api_version {
        let _ = writeln!(out, "    \"api_version\": {},", quote(version));
    }
    let tls = match from.tls {
        TlsTrust::None => "none",
        TlsTrust::Verified => "verified",
        TlsTrust::Pinned => "pinned",
        TlsTrust::Insecure => "insecure",
    };
    let _ = write!(out, "    \"tls\": \"{tls}\",\n    \"encoding\": {}", quote(&from.encoding));
    if !from.redaction.is_empty() {
        let _ = write!(out, ",\n    \"redaction\": {}", quote(&from.redaction));
    }
    out.push_str("\n  },\n  \"interactions\": [");
}

fn write_interaction(out: &mut String, interaction: &Interaction) {
    let _ = writeln!(out, "    {{\n      \"id\": {},", quote(&interaction.id));
    if !interaction.endpoint.is_empty() {
        let _ = writeln!(out, "      \"endpoint\": {},", quote(&interaction.endpoint));
    }
    if interaction.by_recorder {
        out.push_str("      \"by\": \"recorder\",\n");
    }
    if interaction.moment > 0 {
        let _ = writeln!(out, "      \"moment\": {},", interaction.moment);
    }
    write_request(out, &interaction.request);
    out.push_str(",\n");
    write_response(out, &interaction.response);
    if !interaction.notes.is_empty() {
        out.push_str(",\n      \"notes\": [");
        for (place, note) in interaction.notes.iter().enumerate() {
            let _ = write!(out, "{}\n        {}", if place == 0 { "" } else { "," }, quote(note));
        }
        out.push_str("\n      ]");
    }
    out.push_str("\n    }");
}

fn write_request(out: &mut String, request: &Request) {
    let _ = writeln!(out, "      \"request\": {{\n        \"method\": {},", quote(&request.method));
    let _ = writeln!(out, "        \"target\": {},", quote(&request.target));
    let _ = write!(out, "        \"version\": \"{}\"", request.version);
    write_headers(out, "headers", &request.headers);
    write_body(out, &request.body);
    out.push_str("\n      }");
}

fn write_response(out: &mut String, response: &Response) {
    let _ = writeln!(out, "      \"response\": {{\n        \"version\": \"{}\",", response.version);
    let _ = write!(out, "        \"status\": {},\n        \"reason\": ", response.status);
    out.push_str(&Short::write(&response.reason));
    write_headers(out, "headers", &response.headers);
    if let Some(chunks) = &response.chunks {
        let sizes: Vec<String> = chunks.iter().map(usize::to_string).collect();
        let _ = write!(out, ",\n        \"chunks\": [{}]", sizes.join(", "));
    }
    write_body(out, &response.body);
    write_headers(out, "trailers", &response.trailers);
    out.push_str("\n      }");
}

fn write_headers(out: &mut String, key: &str, headers: &Headers) {
    if headers.is_empty() {
        return;
    }
    let _ = write!(out, ",\n        \"{key}\": [");
    for (place, line) in headers.iter().enumerate() {
        let comma = if place == 0 { "" } else { "," };
        let _ = write!(out, "{comma}\n          [{}, {}]", quote(&line.name), Short::write(&line.value));
    }
    out.push_str("\n        ]");
}

fn write_body(out: &mut String, body: &[u8]) {
    if !body.is_empty() {
        out.push_str(",\n        \"body\": ");
        body::write(out, body, 4);
    }
}
