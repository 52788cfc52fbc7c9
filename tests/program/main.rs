//! The program as its users have it: real processes, a home of their own, a server in another process.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test says by panicking what is wrong"
)]

mod accounts;
mod agreement;
mod at_dot;
mod bad_input;
mod bounds;
mod browser;
mod canaries;
mod commands;
mod copies;
mod crash;
mod damage;
mod doctor;
mod ends;
mod explaining;
mod forty;
mod grouping;
mod halts;
#[cfg(target_os = "linux")]
mod helps;
mod home;
mod identity;
mod interrupted;
mod keeping;
mod keyring;
mod killed;
mod lists;
mod logs;
mod machine;
#[cfg(target_os = "linux")]
mod matrix;
mod mending;
mod oauth;
mod operating;
mod page;
mod page_content;
mod paths;
mod people;
mod person;
mod postfix;
mod previews;
mod providers;
mod refusals;
mod rehearsals;
mod reports;
mod rights;
mod round_trips;
mod samples;
mod schedules;
mod served;
mod server;
mod sharing;
mod standing;
mod suppressing;
#[cfg(target_os = "linux")]
mod terminal;
mod testing;
mod timing;
mod updates;
mod watching;
mod xoauth2;
