//! What the crate promises.

mod fit_file;
mod fixture;
mod follow;
mod k_nearest;
mod neighbours;
mod points_file;
mod predictions;
mod produce;
mod reference;
mod split;
mod standardize;
mod window_table;
