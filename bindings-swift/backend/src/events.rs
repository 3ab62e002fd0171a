//! What calls tell while they are under way. The core tells it on the thread that works on the calls.

/// Hears of each attempt, retry and poll of a client, or of the polls of one wait.
#[uniffi::export(callback_interface)]
pub trait Listener: Send + Sync {
    /// What happened, as JSON text.
    fn tell(&self, json: String);
}
