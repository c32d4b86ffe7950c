//! A worker for `faultdeck judge` that does the job `get`.
use serde_json::Value;
use std::io::{self, BufRead, Read, Write};
use std::time::Duration;

/// Asks for the resource, without a library: status and body. Your own client stands here.
fn ask(case: &Value) -> io::Result<(u16, String)> {
    let text = |name: &str| case[name].as_str().unwrap_or_default();
    let host = text("base_url").trim_start_matches("http://");
    let encoded: String = text("fields").bytes().map(|byte| format!("%{byte:02X}")).collect();
    let query = if encoded.is_empty() { String::new() } else { format!("?fields={encoded}") };
    let mut socket = std::net::TcpStream::connect(host)?;
    socket.set_read_timeout(Some(Duration::from_secs(1)))?;
    let (path, sec) = (text("path"), text("sec"));
    write!(socket, "GET /api{path}{query} HTTP/1.0\r\nHost: {host}\r\nSEC: {sec}\r\nVersion: 26.0\r\n\r\n")?;
    let mut answer = String::new();
    socket.read_to_string(&mut answer)?;
    let (head, body) = answer.split_once("\r\n\r\n").ok_or(io::ErrorKind::UnexpectedEof)?;
    serde_json::from_str::<Value>(body)?; // a page, or half an answer, is none
    let status = head.split(' ').nth(1).and_then(|code| code.parse().ok());
    Ok((status.ok_or(io::ErrorKind::InvalidData)?, body.replace(['\r', '\n'], " ")))
}

fn main() -> io::Result<()> {
    let mut out = io::stdout();
    writeln!(out, r#"{{"faultdeck":1,"jobs":["get"]}}"#)?;
    for line in io::stdin().lock().lines() {
        let case: Value = serde_json::from_str(&line?)?;
        let outcome = match ask(&case) {
            Ok((200, task)) => format!(r#""outcome":"task","standing":"pending","task":{task}"#),
            Ok((404, body)) if body.contains("1002") => r#""outcome":"not_found","code":1002"#.to_owned(),
            Ok((500.., _)) => r#""outcome":"server_error""#.to_owned(),
            Ok(_) => r#""outcome":"rejected""#.to_owned(),
            Err(error) => format!(r#""outcome":"error","text":"{:?}""#, error.kind()),
        };
        writeln!(out, r#"{{"case":{},{outcome}}}"#, case["case"])?;
    }
    Ok(())
}
