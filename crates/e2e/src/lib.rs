//! Whole-system tests; nothing depends on it. They are in `tests/whole`.
