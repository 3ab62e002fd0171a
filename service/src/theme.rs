//! What pages look like: `theme/tokens.css` (type scale, spacing, colours, focus, radius), `theme/base.css` (the elements
//! that are drawn with them), and what a tenant may change of it, which is written over the tokens.

mod color;
mod logo;

pub use color::{Appearance, Color};
pub use logo::{Logo, LogoError, MAX_LOGO, encode};
