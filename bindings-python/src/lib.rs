//! The core for python.
