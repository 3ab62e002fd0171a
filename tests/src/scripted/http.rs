//! As much HTTP/1.1 as the scripted server needs: it reads requests byte by byte as they came.
//! A library would hide what the scenarios are about (raw targets, repeated headers, broken endings).

use serde_json::Value;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// Longer heads and bodies than these are nobody's in the scenarios.
const MAX_HEAD: usize = 64 * 1024;
const MAX_BODY: usize = 64 * 1024 * 1024;

/// A connection of either kind.
pub trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

/// A request as it came.
#[derive(Debug, Clone)]
pub struct Request {
    pub method: String,
    /// Raw: still encoded, and in absolute form where the client spoke to a proxy.
    pub target: String,
    /// Names in lower case, in the order in which they came.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Request {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    pub fn all(&self, name: &str) -> Vec<&str> {
        self.headers.iter().filter(|(n, _)| n == name).map(|(_, value)| value.as_str()).collect()
    }
}

/// The next request on a kept-alive connection; none when the other side closes.
/// `buffer` holds what came beyond the request before.
///
/// # Errors
/// A text where what came is not a request that this server can read.
pub async fn read_request(
    stream: &mut (impl AsyncRead + Unpin),
    buffer: &mut Vec<u8>,
) -> Result<Option<Request>, String> {
    let (mut request, head_len) = loop {
        if let Some(parsed) = parse_head(buffer)? {
            break parsed;
        }
        if buffer.len() > MAX_HEAD {
            return Err("the head of the request is too long".to_owned());
        }
        if !read_more(stream, buffer).await? {
            return if buffer.is_empty() { Ok(None) } else { Err("cut short within the head".to_owned()) };
        }
    };
    if request.header("transfer-encoding").is_some() {
        buffer.drain(..head_len);
        request.body = read_chunks(stream, buffer).await?;
        return Ok(Some(request));
    }
    let length = match request.header("content-length") {
        None => 0,
        Some(text) => text.parse::<usize>().map_err(|_| format!("Content-Length: {text}"))?,
    };
    if length > MAX_BODY {
        return Err("the body of the request is too long".to_owned());
    }
    while buffer.len() < head_len + length {
        if !read_more(stream, buffer).await? {
            return Err("cut short within the body".to_owned());
        }
    }
    let rest = buffer.split_off(head_len + length);
    let mut whole = std::mem::replace(buffer, rest);
    request.body = whole.split_off(head_len);
    Ok(Some(request))
}

/// A body in chunks, without trailers.
async fn read_chunks(stream: &mut (impl AsyncRead + Unpin), buffer: &mut Vec<u8>) -> Result<Vec<u8>, String> {
    let mut body = Vec::new();
    loop {
        let size = httparse::parse_chunk_size(buffer).map_err(|_| "a chunk without a size".to_owned())?;
        if let httparse::Status::Complete((start, size)) = size {
            let end = start + usize::try_from(size).unwrap_or(MAX_BODY).min(MAX_BODY);
            if body.len() + end > MAX_BODY {
                return Err("the body of the request is too long".to_owned());
            }
            // Behind a chunk the line ends.
            if buffer.len() >= end + 2 {
                body.extend_from_slice(&buffer[start..end]);
                buffer.drain(..end + 2);
                if size == 0 {
                    return Ok(body);
                }
                continue;
            }
        }
        if !read_more(stream, buffer).await? {
            return Err("cut short within a chunk".to_owned());
        }
    }
}

async fn read_more(stream: &mut (impl AsyncRead + Unpin), buffer: &mut Vec<u8>) -> Result<bool, String> {
    let mut chunk = [0; 8192];
    let n = stream.read(&mut chunk).await.map_err(|e| format!("reading the request: {e}"))?;
    buffer.extend_from_slice(&chunk[..n]);
    Ok(n > 0)
}

fn parse_head(buffer: &[u8]) -> Result<Option<(Request, usize)>, String> {
    let mut headers = [httparse::EMPTY_HEADER; 64];
    let mut head = httparse::Request::new(&mut headers);
    let len = match head.parse(buffer).map_err(|e| format!("not a request: {e}"))? {
        httparse::Status::Partial => return Ok(None),
        httparse::Status::Complete(len) => len,
    };
    let request = Request {
        method: head.method.unwrap_or_default().to_owned(),
        target: head.path.unwrap_or_default().to_owned(),
        headers: head
            .headers
            .iter()
            .map(|h| (h.name.to_ascii_lowercase(), String::from_utf8_lossy(h.value).into_owned()))
            .collect(),
        body: Vec::new(),
    };
    Ok(Some((request, len)))
}

/// An answer of the server's own (to runners, or where nothing is scripted).
pub async fn write_json(stream: &mut impl Stream, status: u16, body: &Value) -> std::io::Result<()> {
    let body = body.to_string();
    let head = format!(
        "HTTP/1.1 {status} -\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(body.as_bytes()).await?;
    stream.flush().await
}

/// What a runner written in Rust needs to speak with the server: one request, one JSON answer.
///
/// # Errors
/// A text, also where the server answers with an error.
pub async fn call(
    address: std::net::SocketAddr,
    method: &str,
    target: &str,
    body: &Value,
) -> Result<Value, String> {
    let wrap = |e: std::io::Error| format!("{method} {target}: {e}");
    let mut stream = tokio::net::TcpStream::connect(address).await.map_err(wrap)?;
    let body = body.to_string();
    let head = format!(
        "{method} {target} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await.map_err(wrap)?;
    stream.write_all(body.as_bytes()).await.map_err(wrap)?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.map_err(wrap)?;
    let answer = String::from_utf8_lossy(&answer);
    let (head, body) =
        answer.split_once("\r\n\r\n").ok_or_else(|| format!("{method} {target}: no answer"))?;
    if !head.starts_with("HTTP/1.1 200") {
        return Err(format!("{method} {target}: {body}"));
    }
    serde_json::from_str(body).map_err(|e| format!("{method} {target}: {e}"))
}
