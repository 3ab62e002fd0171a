//! Writes from `core/manifest.yaml` what every language offers, and from `service/catalogue/` the list of all apps.
//!
//! [`manifest`] and [`apps`] are what the files say; [`generate`] fills the templates in `templates/`, one for each file
//! that is written. No source text is read.

pub mod apps;
pub mod generate;
pub mod manifest;
mod spelling;
