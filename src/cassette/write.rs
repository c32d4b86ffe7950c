//! Writing the format: pretty, one interaction a block, one header a line, so that reviews and merges work by line.

use std::fmt::Write;

use super::body::{self, Short};
use super::format::FORMAT;
use super::{Cassette, Interaction, RecordedFrom, TlsTrust};
use crate::json::{push_quoted, quote};
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
        put_interaction(&mut out, interaction);
    }
    out.push_str(if cassette.interactions.is_empty() { END_EMPTY } else { END });
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

/// The text of one interaction.
#[cfg(test)]
pub(super) fn interaction(interaction: &Interaction) -> String {
    let mut out = String::new();
    put_interaction(&mut out, interaction);
    out
}

/// The same, at the end of a text.
pub(super) fn put_interaction(out: &mut String, interaction: &Interaction) {
    out.push_str("    {\n      \"id\": ");
    push_quoted(out, &interaction.id);
    out.push_str(",\n");
    if !interaction.endpoint.is_empty() {
        out.push_str("      \"endpoint\": ");
        push_quoted(out, &interaction.endpoint);
        out.push_str(",\n");
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
            out.push_str(if place == 0 { "\n        " } else { ",\n        " });
            push_quoted(out, note);
        }
        out.push_str("\n      ]");
    }
    out.push_str("\n    }");
}

fn write_request(out: &mut String, request: &Request) {
    out.push_str("      \"request\": {\n        \"method\": ");
    push_quoted(out, &request.method);
    out.push_str(",\n        \"target\": ");
    push_quoted(out, &request.target);
    out.push_str(",\n        \"version\": \"");
    out.push_str(request.version.as_str());
    out.push('"');
    write_headers(out, "headers", &request.headers);
    write_body(out, &request.body);
    out.push_str("\n      }");
}

fn write_response(out: &mut String, response: &Response) {
    out.push_str("      \"response\": {\n        \"version\": \"");
    out.push_str(response.version.as_str());
    let _ = write!(out, "\",\n        \"status\": {},\n        \"reason\": ", response.status);
    Short::write(out, &response.reason);
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
    out.push_str(",\n        \"");
    out.push_str(key);
    out.push_str("\": [");
    for (place, line) in headers.iter().enumerate() {
        out.push_str(if place == 0 { "\n          [" } else { ",\n          [" });
        push_quoted(out, &line.name);
        out.push_str(", ");
        Short::write(out, &line.value);
        out.push(']');
    }
    out.push_str("\n        ]");
}

fn write_body(out: &mut String, body: &[u8]) {
    if !body.is_empty() {
        out.push_str(",\n        \"body\": ");
        body::write(out, body, 4);
    }
}
