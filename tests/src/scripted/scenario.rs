//! What a scenario file says, as types. `scenarios/schema.json` says the same to editors;
//! a test holds the two together by checking every file with both.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// One behaviour that a user can observe, in every language alike.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// Unique over all files; what a runner reports as run.
    pub id: String,
    /// The behaviour in one sentence, for the reader.
    pub says: String,
    /// Client options by neutral name; `apiKey` and `baseUrl` are filled in unless given (null: not given).
    #[serde(default)]
    pub client: Map<String, Value>,
    /// Environment variables of the process that runs the scenario; it then runs alone.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    /// Making the client fails with this error, and there are no steps.
    pub refused: Option<ExpectedError>,
    #[serde(default)]
    pub steps: Vec<Step>,
    /// How long the verdict listens for requests that must not come (milliseconds).
    pub quiet_ms: Option<u64>,
    /// On how many connections the requests came at most. A call that comes right after another one may find that
    /// call's connection not yet back in the pool.
    pub most_connections: Option<usize>,
    /// Strings that must appear nowhere, besides the canaries.
    #[serde(default)]
    pub never: Vec<String>,
}

/// One call, the exchanges it must cause, and how it must end.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// The method, by the guide's name.
    pub call: String,
    /// Its arguments by neutral name.
    #[serde(default)]
    pub with: Map<String, Value>,
    /// Options of this call alone: `timeoutMs`, `deadlineMs`, `maxRetries`.
    #[serde(default)]
    pub options: Map<String, Value>,
    /// Iterate over the whole list instead of awaiting one page.
    #[serde(default)]
    pub iterate: bool,
    /// Stop iterating after so many items.
    pub take: Option<u64>,
    /// So many callers make this call at once, and it ends alike for all of them; 1 unless told.
    pub callers: Option<usize>,
    /// Before the call, until the server has done what `then` says of the responses so far.
    pub pause: Option<Pausing>,
    pub cancel: Option<Cancel>,
    /// While the call is under way, the client is given another key.
    pub rekey: Option<Rekey>,
    #[serde(default)]
    pub exchanges: Vec<Exchange>,
    pub expect: Expect,
    /// Bounds on how long the call took, as the runner measured it (milliseconds).
    pub lasts: Option<Span>,
}

/// How the thread that makes the calls spends a pause.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Pausing {
    /// It is free for other work, as between two requests of a server.
    Idle,
    /// It is busy with something else than the SDK, and so is a runtime that has no thread but this.
    Blocked,
}

/// When the caller takes the call back.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cancel {
    pub when: Moment,
    /// Which of the step's exchanges is meant, counted from 1; the last one unless told.
    pub of: Option<usize>,
}

/// When the client is given another key, and which.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rekey {
    pub when: Moment,
    /// As for [`Cancel`].
    pub of: Option<usize>,
    #[serde(rename = "apiKey")]
    pub api_key: String,
}

/// A moment in the life of a call that the scripted server can see.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Moment {
    /// Before the call begins; the runner sees to it.
    BeforeStart,
    /// The connection is being made, TLS included.
    Connect,
    /// The request has arrived and nothing was answered.
    Request,
    /// The headers of the answer were sent, nothing of its body.
    Headers,
    /// A part of the body was sent.
    Body,
    /// The answer was sent whole and the client pauses before it tries again.
    Backoff,
    /// The answer was sent whole and a wait pauses before it polls again.
    Wait,
}

/// One request that must come, and the answer it gets.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exchange {
    /// Method and target below the base URL as they must be on the wire: `GET /apps?limit=5`.
    pub request: String,
    /// Headers it must carry (text or a matcher); null: it must not carry this one.
    #[serde(default)]
    pub headers: BTreeMap<String, Value>,
    /// Its JSON body, to the letter; none unless given.
    pub body: Option<Value>,
    /// Time between the end of the answer before and this request (milliseconds).
    pub gap: Option<Span>,
    /// The same exchange several times over: a number, or a span, which ends with the first other request.
    pub times: Option<Times>,
    /// It comes through the proxy (in absolute form, or by CONNECT where it is TLS).
    #[serde(default)]
    pub proxied: bool,
    /// It comes over TLS.
    #[serde(default)]
    pub tls: bool,
    /// Upper bound on the bytes of the body that the client let the server send.
    pub sent_at_most: Option<u64>,
    pub reply: Reply,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(untagged)]
pub enum Times {
    Exactly(usize),
    Between { min: usize, max: usize },
}

impl Exchange {
    /// How often it comes: at least, at most.
    pub fn times(&self) -> (usize, usize) {
        match self.times {
            None => (1, 1),
            Some(Times::Exactly(n)) => (n, n),
            Some(Times::Between { min, max }) => (min, max),
        }
    }
}

/// Milliseconds, both ends included.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Span {
    #[serde(default)]
    pub min_ms: u64,
    pub max_ms: Option<u64>,
}

/// What the server does with a request.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Reply {
    /// 200 unless told.
    pub status: Option<u16>,
    /// Added to the usual ones, or instead of them; null takes one away.
    pub headers: BTreeMap<String, Option<String>>,
    /// `data` of the success envelope.
    pub data: Option<Value>,
    /// `data.code` of the error envelope.
    pub code: Option<String>,
    /// `message` of the envelope.
    pub message: Option<String>,
    /// A whole JSON body, where the envelope is not to be the usual one.
    pub json: Option<Value>,
    /// A body that is not JSON.
    pub body: Option<String>,
    /// A body that repeats one text up to so many bytes, JSON-quoted between `head` and `tail`.
    pub fill: Option<Fill>,
    /// Do not announce the length: send the body in chunks.
    pub chunked: bool,
    /// Before the first byte of the answer (milliseconds).
    pub delay_ms: u64,
    /// A pause within the body.
    pub pause: Option<Pause>,
    /// Send the body in small pieces.
    pub drip: Option<Drip>,
    /// How the answer ends where it does not end well.
    pub end: Option<End>,
    /// What happens instead of an answer.
    pub instead: Option<Instead>,
    /// Interim responses (1xx) before the response.
    pub interim: Option<Interim>,
    /// What happens on the connection once the response was sent whole.
    pub then: Option<Then>,
}

/// Interim responses without end, unless their number is given; then the response is never sent.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Interim {
    pub status: u16,
    pub count: Option<u64>,
    /// Time between two of them (milliseconds); without it they come as fast as the client reads.
    pub every_ms: Option<u64>,
}

/// What the server does unasked.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Then {
    #[serde(default)]
    pub after_ms: u64,
    /// Sends this response, which nobody asked for.
    pub send: Option<Box<Reply>>,
    /// Ends the connection.
    pub end: Option<Ending>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fill {
    #[serde(default)]
    pub head: String,
    pub text: String,
    pub bytes: u64,
    #[serde(default)]
    pub tail: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pause {
    pub after_bytes: usize,
    pub ms: u64,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Drip {
    pub bytes: usize,
    pub every_ms: u64,
}

/// How a body ends after `after_bytes` (half of it unless told) of what the headers promised.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct End {
    pub how: Ending,
    pub after_bytes: Option<usize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// The connection is closed in good order.
    Close,
    /// The connection is reset.
    Reset,
    /// Nothing more comes.
    Hang,
}

/// What happens instead of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Instead {
    Close,
    Reset,
    Hang,
    /// Bytes that are not HTTP.
    Garbage,
}

/// How a step ends: with a value, with items (and then perhaps an error), with an error, or cancelled.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Expect {
    /// What the value must have; members that are not named are not looked at, lists are.
    pub value: Option<Value>,
    /// What an iteration handed over before it ended.
    pub items: Option<Vec<Value>>,
    pub error: Option<ExpectedError>,
    /// The call may end with this error instead, where it depends on who is faster.
    pub or_error: Option<ExpectedError>,
    /// The caller got the language's own word for a cancelled call.
    pub cancelled: bool,
    /// The value is nothing (null, None, Void).
    pub nothing: bool,
    /// What `onPoll` was told, in order.
    pub polls: Option<Vec<Value>>,
}

/// An error as every language shows it. What is not given must be null, except where noted.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExpectedError {
    pub class: String,
    #[serde(default)]
    pub code: Value,
    #[serde(default)]
    pub status: Value,
    #[serde(default, rename = "retryAfter")]
    pub retry_after: Value,
    /// Requests sent; the number of the step's exchanges unless given (not looked at in waits and iterations).
    pub attempts: Option<Value>,
    /// Not looked at unless given, but never empty.
    pub message: Option<Value>,
    /// What the error's response must have; not looked at unless given, except that it is there when `status` is.
    pub response: Option<Value>,
    /// The connection that a wait saw last.
    #[serde(default)]
    pub connection: Value,
    /// What is wrong with each field of a form.
    #[serde(default)]
    pub fields: Value,
    /// Where the feed begins now.
    #[serde(default, rename = "oldestCursor")]
    pub oldest_cursor: Value,
}
