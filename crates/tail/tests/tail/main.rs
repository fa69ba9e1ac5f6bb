//! A file that others write to, rotate and remove, to its lines.

mod history;
mod tail;
