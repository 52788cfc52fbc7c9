//! The program as its users have it: real processes, a home of their own, a server in another process.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test says by panicking what is wrong"
)]

mod accounts;
mod bad_input;
mod commands;
mod copies;
mod crash;
mod doctor;
mod explaining;
mod home;
mod identity;
mod interrupted;
mod keyring;
mod lists;
mod oauth;
mod person;
mod postfix;
mod previews;
mod providers;
mod refusals;
mod rehearsals;
mod round_trips;
mod samples;
mod schedules;
mod server;
mod sharing;
mod standing;
mod timing;
mod xoauth2;
