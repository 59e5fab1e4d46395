//! Literals first, regular expressions only where one was found.

pub mod prefilter;
