//! The core for Node.
//!
//! JavaScript numbers its calls and starts them on a [`Client`](client::Client); their answers come back in
//! batches, as JSON text, through a [`Port`](port::Port). Everything else is done by the TypeScript beside this crate.

mod client;
mod outcome;
mod pages;
mod port;
mod proxy;
mod queue;
mod runtime;
mod token;
mod webhooks;
