//! Plays one scripted answer, with every way in which an answer can go wrong.

use std::time::{Duration, SystemTime};

use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, sleep_until};

use super::http::Stream;
use super::scenario::{Ending, Instead, Interim, Reply, Then};
use super::session::{Phase, Session};

/// A connection that can be reset, not just closed.
pub trait Connection: Stream {
    fn tcp(&self) -> &TcpStream;
}

impl Connection for TcpStream {
    fn tcp(&self) -> &TcpStream {
        self
    }
}

impl Connection for tokio_rustls::server::TlsStream<TcpStream> {
    fn tcp(&self) -> &TcpStream {
        self.get_ref().0
    }
}

/// Whether the connection can carry another request.
#[derive(Debug, PartialEq, Eq)]
pub enum After {
    KeepAlive,
    Close,
}

/// Answers the request `seen` of the session.
pub async fn play(
    stream: &mut impl Connection,
    buffer: &mut Vec<u8>,
    reply: &Reply,
    session: &Session,
    seen: usize,
) -> After {
    match answer(stream, buffer, reply, session, seen).await {
        Ok(after) => {
            session.note(seen, |seen| {
                seen.phase = Phase::Answered;
                seen.answered = Some(std::time::Instant::now());
            });
            let Some(then) = &reply.then else { return after };
            let after = afterwards(stream, buffer, then, session).await;
            session.note(seen, |seen| seen.settled = true);
            after.unwrap_or(After::Close)
        }
        Err(Gone) => {
            session.note(seen, |seen| {
                seen.gone = true;
                seen.answered = Some(std::time::Instant::now());
            });
            After::Close
        }
    }
}

/// The client closed the connection.
struct Gone;

impl From<std::io::Error> for Gone {
    fn from(_: std::io::Error) -> Self {
        Self
    }
}

async fn answer(
    stream: &mut impl Connection,
    buffer: &mut Vec<u8>,
    reply: &Reply,
    session: &Session,
    seen: usize,
) -> Result<After, Gone> {
    hold(stream, buffer, Duration::from_millis(reply.delay_ms)).await?;
    match reply.instead {
        None => {}
        Some(Instead::Close) => return Ok(After::Close),
        Some(Instead::Reset) => {
            stream.tcp().set_zero_linger()?;
            return Ok(After::Close);
        }
        Some(Instead::Hang) => return hang(stream, buffer).await,
        Some(Instead::Garbage) => {
            stream.write_all(b"SSH-2.0-OpenSSH_9.9\r\n\r\n\0\0\0\0").await?;
            stream.flush().await?;
            return Ok(After::Close);
        }
    }

    if let Some(interim) = &reply.interim {
        send_interim(stream, buffer, interim).await?;
    }
    let body = Body::of(reply);
    stream.write_all(head(reply, &body, session).as_bytes()).await?;
    stream.flush().await?;
    session.note(seen, |seen| seen.phase = Phase::Headers);

    let end_at = reply.end.as_ref().map(|end| end.after_bytes.map_or(body.len() / 2, |n| n as u64));
    let mut sent = 0;
    while sent < end_at.unwrap_or(body.len()) {
        let mut upto = body.len().min(sent + 64 * 1024);
        for stop in [
            end_at,
            reply.pause.as_ref().map(|p| p.after_bytes as u64).filter(|at| *at > sent),
            reply.drip.as_ref().map(|d| sent + d.bytes as u64),
        ] {
            upto = stop.map_or(upto, |stop| upto.min(stop));
        }
        let piece = body.piece(sent, upto);
        write_piece(stream, &piece, reply.chunked).await?;
        sent = upto;
        session.note(seen, |seen| {
            seen.phase = Phase::Body;
            seen.sent = sent;
        });
        if let Some(drip) = &reply.drip {
            hold(stream, buffer, Duration::from_millis(drip.every_ms)).await?;
        }
        if let Some(pause) = reply.pause.as_ref().filter(|pause| pause.after_bytes as u64 == sent) {
            hold(stream, buffer, Duration::from_millis(pause.ms)).await?;
        }
    }
    match reply.end.as_ref().map(|end| end.how) {
        None => {
            if reply.chunked {
                stream.write_all(b"0\r\n\r\n").await?;
                stream.flush().await?;
            }
            Ok(After::KeepAlive)
        }
        Some(Ending::Close) => Ok(After::Close),
        Some(Ending::Reset) => {
            // What was sent so far shall arrive before the reset does.
            sleep(Duration::from_millis(30)).await;
            stream.tcp().set_zero_linger()?;
            Ok(After::Close)
        }
        Some(Ending::Hang) => hang(stream, buffer).await,
    }
}

/// Interim responses, as many as are wanted.
async fn send_interim(
    stream: &mut impl Connection,
    buffer: &mut Vec<u8>,
    interim: &Interim,
) -> Result<(), Gone> {
    let one = format!("HTTP/1.1 {} Interim\r\n\r\n", interim.status);
    // Those that come as fast as possible are sent many at a time.
    let at_once = match interim.every_ms {
        None => 1000,
        Some(_) => 1,
    };
    let mut left = interim.count.unwrap_or(u64::MAX);
    while left > 0 {
        let now = left.min(at_once);
        stream.write_all(one.repeat(now as usize).as_bytes()).await?;
        stream.flush().await?;
        left -= now;
        hold(stream, buffer, Duration::from_millis(interim.every_ms.unwrap_or(0))).await?;
    }
    Ok(())
}

/// What the server does unasked.
async fn afterwards(
    stream: &mut impl Connection,
    buffer: &mut Vec<u8>,
    then: &Then,
    session: &Session,
) -> Result<After, Gone> {
    hold(stream, buffer, Duration::from_millis(then.after_ms)).await?;
    if let Some(reply) = &then.send {
        let body = Body::of(reply);
        let mut response = head(reply, &body, session).into_bytes();
        response.extend(body.piece(0, body.len()));
        stream.write_all(&response).await?;
        stream.flush().await?;
    }
    match then.end {
        None => Ok(After::KeepAlive),
        Some(Ending::Close) => Ok(After::Close),
        Some(Ending::Reset) => {
            stream.tcp().set_zero_linger()?;
            Ok(After::Close)
        }
        Some(Ending::Hang) => hang(stream, buffer).await,
    }
}

/// Waits; ends early when the client goes.
async fn hold(stream: &mut impl Connection, buffer: &mut Vec<u8>, time: Duration) -> Result<(), Gone> {
    let until = Instant::now() + time;
    let mut chunk = [0; 1024];
    while Instant::now() < until {
        tokio::select! {
            () = sleep_until(until) => {}
            read = stream.read(&mut chunk) => match read? {
                0 => return Err(Gone),
                n => buffer.extend_from_slice(&chunk[..n]),
            },
        }
    }
    Ok(())
}

/// Until the client goes, which it must.
async fn hang(stream: &mut impl Connection, buffer: &mut Vec<u8>) -> Result<After, Gone> {
    loop {
        hold(stream, buffer, Duration::from_secs(3600)).await?;
    }
}

async fn write_piece(stream: &mut impl Connection, piece: &[u8], chunked: bool) -> Result<(), Gone> {
    if chunked {
        stream.write_all(format!("{:x}\r\n", piece.len()).as_bytes()).await?;
    }
    stream.write_all(piece).await?;
    if chunked {
        stream.write_all(b"\r\n").await?;
    }
    stream.flush().await?;
    Ok(())
}

/// Every answer tries to set a cookie, which no client may keep, send back or show.
fn head(reply: &Reply, body: &Body, session: &Session) -> String {
    let status = reply.status.unwrap_or(200);
    let now = OffsetDateTime::from(SystemTime::now());
    let date = now.format(&Rfc2822).unwrap_or_default().replace("+0000", "GMT");
    let cookie = session.canaries.get("cookie").map(String::as_str).unwrap_or_default();
    let mut headers = vec![
        ("Date".to_owned(), date),
        ("Content-Type".to_owned(), "application/json".to_owned()),
        ("Cache-Control".to_owned(), "no-store".to_owned()),
        ("Set-Cookie".to_owned(), format!("sid={cookie}; Path=/; HttpOnly")),
        ("X-Request-Id".to_owned(), format!("req_{}", session.id)),
        match reply.chunked {
            true => ("Transfer-Encoding".to_owned(), "chunked".to_owned()),
            false => ("Content-Length".to_owned(), body.len().to_string()),
        },
    ];
    for (name, value) in &reply.headers {
        headers.retain(|(usual, _)| !usual.eq_ignore_ascii_case(name));
        headers.extend(value.clone().map(|value| (name.clone(), value)));
    }
    let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    format!("HTTP/1.1 {status} Scripted\r\n{headers}\r\n")
}

/// A body in memory, or one too large for that.
enum Body {
    Whole(Vec<u8>),
    Filled { head: Vec<u8>, unit: Vec<u8>, units: u64, tail: Vec<u8> },
}

impl Body {
    fn of(reply: &Reply) -> Self {
        if let Some(fill) = &reply.fill {
            // Many at a time are copied faster.
            let times = (64 * 1024 / fill.text.len().max(1)).clamp(1, (fill.bytes as usize).max(1));
            let unit = fill.text.as_bytes().repeat(times);
            let units = (fill.bytes / unit.len() as u64).max(1);
            return Self::Filled {
                head: fill.head.as_bytes().to_vec(),
                unit,
                units,
                tail: fill.tail.as_bytes().to_vec(),
            };
        }
        if let Some(body) = &reply.body {
            return Self::Whole(body.as_bytes().to_vec());
        }
        if let Some(json) = &reply.json {
            return Self::Whole(json.to_string().into_bytes());
        }
        let failed = reply.code.is_some() || reply.status.is_some_and(|status| status >= 300);
        let data = match (&reply.code, &reply.data) {
            (_, Some(data)) => data.clone(),
            (Some(code), None) => json!({ "code": code }),
            (None, None) => Value::Null,
        };
        let envelope = json!({
            "status": if failed { "error" } else { "success" },
            "message": reply.message.as_deref().unwrap_or(if failed { "It went wrong." } else { "OK" }),
            "data": data,
        });
        Self::Whole(envelope.to_string().into_bytes())
    }

    fn len(&self) -> u64 {
        match self {
            Self::Whole(bytes) => bytes.len() as u64,
            Self::Filled { head, unit, units, tail } => {
                (head.len() + tail.len()) as u64 + unit.len() as u64 * units
            }
        }
    }

    /// The bytes from `from` up to `to`, which is not beyond the end.
    fn piece(&self, from: u64, to: u64) -> Vec<u8> {
        match self {
            Self::Whole(bytes) => bytes.get(from as usize..to as usize).unwrap_or_default().to_vec(),
            Self::Filled { head, unit, units, tail } => {
                let mut piece = Vec::with_capacity((to - from) as usize);
                let middle = unit.len() as u64 * units;
                let (mut at, middle_ends) = (from, head.len() as u64 + middle);
                while at < to {
                    let rest = if at < head.len() as u64 {
                        head.get(at as usize..)
                    } else if at < middle_ends {
                        unit.get(((at - head.len() as u64) % unit.len() as u64) as usize..)
                    } else {
                        tail.get((at - middle_ends) as usize..)
                    };
                    let rest = rest.unwrap_or_default();
                    let taken = rest.len().min((to - at) as usize);
                    piece.extend_from_slice(&rest[..taken]);
                    at += taken as u64;
                }
                piece
            }
        }
    }
}
