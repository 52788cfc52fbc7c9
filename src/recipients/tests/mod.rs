//! What users rely on when they hand over a list.

mod addresses;
mod columns;
mod damage;
mod encodings;
mod filters;
mod laws;
mod lists;
mod sheets;
