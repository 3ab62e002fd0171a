//! Writes from `core/manifest.yaml` what every language offers.
//!
//! [`manifest`] is what the file says; [`generate`] fills the templates in `templates/`, one for each file that is
//! written. No source text is read.

pub mod generate;
pub mod manifest;
mod spelling;
