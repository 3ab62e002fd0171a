//! The connect flow: from a request link to a grant.
//!
//! ```text
//! GET  /connect/{link}  the page          page::show
//! POST /connect/{link}  its form          page::submit ──▶ flow::submit ──▶ finished
//!                                                              │ OAuth
//!                                                         flow::begin ──▶ the provider
//!
//! POST /connections/{id}/submit  a product's form  flow::submit_custom ──▶ flow::submit ──▶ active
//!                                                                      │ OAuth
//! POST, GET /authorize/{link}  from the product's page  authorize::start ──▶ flow::begin ──▶ the provider
//!
//! GET  /oauth/callback/{app}  back from there  callback::callback
//!                                                   │ 303
//! GET  /oauth/result/{state}  what became of it  callback::result ──▶ finished
//!
//! GET, POST /admin/{link}  an organization's OAuth clients  admin::show, admin::submit
//! ```
//!
//! The hosted page does nothing that a product's own form cannot do: both go through [`auth_options`] and the same
//! submit.

mod admin;
mod authorize;
pub(crate) mod browser;
mod callback;
mod flow;
mod form;
pub mod html;
mod instructions;
mod look;
mod page;
mod setup;
mod view;

pub use admin::{show as show_admin, submit as submit_admin};
pub use authorize::{authorize, authorize_from_form};
pub use callback::{callback, result};
pub use flow::{Choice, Offer, Submitted, auth_options, submit_custom};
pub use look::{LogoPicture, Look};
pub use page::{show, submit};
pub use setup::ClientSetup;
