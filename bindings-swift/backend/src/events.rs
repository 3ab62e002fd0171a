//! What calls tell while they are under way. The core tells it on the thread that works on the calls.

use pabbly_connect::{Event, Poll};

/// Hears of each attempt, retry and poll of a client. Times are in seconds.
#[uniffi::export(callback_interface)]
pub trait Listener: Send + Sync {
    /// A request is about to be sent.
    fn request(&self, call: String, method: String, path: String, attempt: u32);
    /// An attempt ended.
    fn response(
        &self,
        call: String,
        attempt: u32,
        status: Option<u16>,
        elapsed: f64,
        request_id: Option<String>,
    );
    /// A call waits before its next attempt.
    fn retry(&self, call: String, attempt: u32, delay: f64);
    /// A wait will poll again.
    fn wait(&self, connection_id: String, status: Option<String>, delay: f64);
}

/// Hands an event over.
pub(crate) fn tell(listener: &dyn Listener, event: &Event) {
    match event.clone() {
        Event::Request {
            call,
            method,
            path,
            attempt,
            ..
        } => {
            listener.request(call.to_owned(), method, path, attempt);
        }
        Event::Response {
            call,
            attempt,
            status,
            elapsed,
            request_id,
            ..
        } => listener.response(
            call.to_owned(),
            attempt,
            status,
            elapsed.as_secs_f64(),
            request_id,
        ),
        Event::Retry {
            call, attempt, delay, ..
        } => {
            listener.retry(call.to_owned(), attempt, delay.as_secs_f64());
        }
        Event::Wait {
            connection_id,
            status,
            delay,
            ..
        } => {
            let status = status.map(|status| status.as_str().to_owned());
            listener.wait(connection_id, status, delay.as_secs_f64());
        }
        _ => {}
    }
}

/// Hears of each poll of one wait.
#[uniffi::export(callback_interface)]
pub trait PollListener: Send + Sync {
    /// The status, if it is known, and the seconds until the next poll.
    fn poll(&self, status: Option<String>, next_in: f64);
}

/// Hands a poll over.
pub(crate) fn told(listener: &dyn PollListener, poll: &Poll) {
    let status = poll.status.as_ref().map(|status| status.as_str().to_owned());
    listener.poll(status, poll.next_in.as_secs_f64());
}
