//! The core for Python: converts arguments, runs the core's calls, converts their answers. The package
//! `pabbly_connect` (in `python/`) is what users see.
//!
//! [`client`] makes a [`call::Call`] of arguments. A call runs on the calling thread ([`blocking`]) or on one
//! background thread ([`worker`]), which hands its answer to an event loop through a [`queue`]. [`done`] and
//! [`errors`] make Python objects of what came. [`fork`] keeps a child process away from its parent's things, and
//! [`ending`] keeps threads away from an interpreter that ends.

mod blocking;
mod call;
mod client;
mod done;
mod ending;
mod errors;
mod events;
mod fork;
mod pages;
mod proxy;
mod queue;
mod token;
mod webhooks;
mod worker;

/// What `pabbly_connect` is made of. Not for use on its own.
#[pyo3::pymodule]
mod _native {
    #[pymodule_export]
    const VERSION: &str = env!("CARGO_PKG_VERSION");
    #[pymodule_export]
    use crate::call::Call;
    #[pymodule_export]
    use crate::client::Client;
    #[pymodule_export]
    use crate::ending::before_exit;
    #[pymodule_export]
    use crate::fork::{after_fork_in_child, generation};
    #[pymodule_export]
    use crate::pages::{Feed, Pages};
    #[pymodule_export]
    use crate::proxy::{Reader, Sender, library_request};
    #[pymodule_export]
    use crate::queue::Queue;
    #[pymodule_export]
    use crate::token::{SecretFields, Token};
    #[pymodule_export]
    use crate::webhooks::verify_webhook;
}
