//! Answers at a limited rate: how far the rate that a client sees is from the one that was asked for.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::cassette;
use crate::load;
use crate::process::{Arguments, Place, announce};
use crate::rows::Bench;
use crate::table::{Measured, median};

/// A thousand bytes, as faultdeck and Toxiproxy count.
const KB: u64 = 1000;
/// How long an answer is on its way.
const TAKES: Duration = Duration::from_millis(500);
/// How often the floor writes.
const EVERY: Duration = Duration::from_millis(5);

/// How far from `kb_per_s` an answer comes, in percent, beside a loop over tokio's own timer. A byte that came before it
/// was due is an error.
pub(crate) fn deviation(bench: &Bench, kb_per_s: u64) -> Result<Measured, String> {
    let body = kb_per_s * KB * u64::try_from(TAKES.as_millis()).unwrap_or_default() / 1000;
    let cassette = bench.folder.join(format!("long-{kb_per_s}.json"));
    cassette::write_long(&cassette, body).map_err(|error| error.to_string())?;
    let scenario = bench.write(
        "bandwidth.toml",
        &format!(
            "summary = \"Every answer is slow.\"\n[[fault]]\nwhen = {{ endpoint = \"case_create_tasks.get\", nth = \"1-\" }}\n\
             inject = {{ bandwidth = {{ kb_per_s = {kb_per_s} }} }}\n"
        ),
    )?;
    let cassette = cassette.display().to_string();
    let faultdeck = bench.faultdeck(&["replay", &cassette, "--scenario", &scenario])?;
    let floor = ["paced-floor", "--kb-per-s", &kb_per_s.to_string(), "--bytes", &body.to_string()];
    let floor = bench.floor(&floor, Place::Measured)?;
    let mut off = (Vec::new(), Vec::new());
    for _ in 0..bench.rounds {
        for (server, off) in [(&floor, &mut off.0), (&faultdeck, &mut off.1)] {
            off.push(asked(server.addr, kb_per_s * KB)?);
        }
    }
    let shown = |off: &[f64]| format!("{:.2} %", median(off));
    Ok(Measured { floor: shown(&off.0), faultdeck: shown(&off.1), figures: off.1 })
}

/// Asks once; by how many percent the rate was missed.
fn asked(addr: SocketAddr, rate: u64) -> Result<f64, String> {
    let failed = |error: std::io::Error| error.to_string();
    let mut socket = TcpStream::connect(addr).map_err(failed)?;
    socket.set_read_timeout(Some(Duration::from_secs(10))).map_err(failed)?;
    let mut buffer = vec![0; 1024 * 1024];
    let (mut came, mut whole) = (0, None);
    let began = Instant::now();
    socket.write_all(&load::request(&cassette::target(1))).map_err(failed)?;
    while whole.is_none_or(|whole| came < whole) {
        let length = socket.read(&mut buffer).map_err(failed)?;
        if length == 0 {
            return Err("the answer broke off".to_owned());
        }
        if whole.is_none() {
            // The head comes first, in one piece.
            let Some((200, length)) = load::whole(&buffer[..length]) else { return Err("no 200".to_owned()) };
            whole = Some(length);
        }
        came += length;
        if came as f64 > rate as f64 * began.elapsed().as_secs_f64() {
            return Err(format!("{came} bytes came before they were due"));
        }
    }
    let seen = came as f64 / began.elapsed().as_secs_f64();
    Ok((seen / rate as f64 - 1.0).abs() * 100.0)
}

/// `rig paced-floor --kb-per-s N --bytes N`: an answer of that length at that rate, by tokio's timer, to any request.
pub(crate) fn floor(arguments: &Arguments) -> Result<(), String> {
    let rate = arguments.number("--kb-per-s")?.unwrap_or(1) * KB;
    let bytes = arguments.number("--bytes")?.unwrap_or(1);
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {bytes}\r\n\r\n");
    let answer = [head.as_bytes(), &vec![b'x'; bytes as usize]].concat();
    let answer: &'static [u8] = answer.leak();
    crate::runtime()?.block_on(serve(answer, rate)).map_err(|error| error.to_string())
}

async fn serve(answer: &'static [u8], rate: u64) -> std::io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    announce(listener.local_addr()?)?;
    loop {
        let Ok((mut socket, _)) = listener.accept().await else { continue };
        let _ = socket.set_nodelay(true);
        tokio::spawn(async move {
            // A request comes in one piece.
            while socket.read(&mut [0; 4096]).await.is_ok_and(|length| length > 0) {
                let began = tokio::time::Instant::now();
                let slice = (rate * EVERY.as_millis() as u64 / 1000).max(1) as usize;
                let mut sent = 0;
                for slice in answer.chunks(slice) {
                    sent += slice.len() as u64;
                    let due = Duration::from_nanos(sent * 1_000_000_000 / rate);
                    tokio::time::sleep_until(began + due).await;
                    if socket.write_all(slice).await.is_err() {
                        return;
                    }
                }
            }
        });
    }
}
