//! The core for node.
