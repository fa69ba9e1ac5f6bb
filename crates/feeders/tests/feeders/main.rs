//! A receiver's files, to what is published of them.

mod phase_mix;
