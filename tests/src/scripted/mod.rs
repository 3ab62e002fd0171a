//! The scripted server behind the scenarios. Read [`scenario`] first: it is what the files say.
//! [`server`] listens, [`session`] keeps the journal of one runner's scenario, [`reply`] plays the answers,
//! [`control`] is what runners ask for, and [`verdict`] compares.

#![expect(missing_docs, reason = "members whose names say it all")]

pub mod control;
pub mod fill;
pub mod http;
pub mod load;
pub mod matching;
pub mod reply;
pub mod requests;
pub mod scenario;
pub mod server;
pub mod session;
pub mod tls;
pub mod verdict;
