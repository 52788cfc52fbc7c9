//! Postroom: a bulk mail-merge processor that plans, proves, rehearses and sends.
//!
//! # The rooms
//!
//! One crate, a library and a thin binary. Each room does one thing; arrows go one way and there is
//! no cycle. `tests/rooms.rs` holds the code to this table: a room may name only the rooms in its
//! second column.
//!
//! | room | may use | touches | has |
//! |---|---|---|---|
//! | `clock` | – | time | the clock and its simulated twin |
//! | `delivery` | – | nothing | message and recipient states, transitions, replies, verdicts, back-off |
//! | `limits` | – | nothing | rules, rolling windows, calendars, "not before T" |
//! | `provider` | limits, delivery | nothing | presets and reply tables, as TOML files |
//! | `recipients` | – | files | reading lists, addresses, duplicates, the filter |
//! | `template` | – | nothing | the Handlebars set, helpers, which fields a template can touch |
//! | `message` | template, recipients | files | MIME building, headers, attachments: the only place that makes bytes |
//! | `proof` | – | nothing | what a rendered mail or an address may have wrong though it can be sent: HTML, links, slips |
//! | `store` | clock, delivery, limits | disk | SQLite: the schema ladder, claims and marks, the ledger: the only place with SQL |
//! | `plan` | clock, limits, recipients, template, message, proof, store | files | list × templates → findings, messages, batches and timetable |
//! | `trust` | – | files | whom to trust in TLS, and why a certificate was refused |
//! | `vault` | – | keyring, disk | a person's secrets: the keyring, or private files where there is none |
//! | `smtp` | clock, delivery, trust | network | one session, phase by phase, on lettre's low-level connection |
//! | `oauth` | clock, delivery, provider, trust, vault | network | access tokens: three flows, renewal, keeping |
//! | `send` | clock, delivery, limits, provider, message, store, smtp, oauth | nothing | claims → outcomes; emits events |
//! | `sandbox` | clock, limits | network | the stand-in server with bookkeeping of its own |
//! | `rehearsal` | clock, limits, message, store, send, sandbox | nothing | what goes wrong on purpose, a sender that is killed, the stand-in's log against the store |
//! | `preview` | clock, recipients, message, plan, store | files, loopback | what would go out, in the terminal, as files and on a local page |
//! | `config` | delivery, limits, provider, recipients, plan, smtp, oauth, send | files | campaign.toml and accounts.toml → each room's checked options |
//! | `cli` | every room | terminal | a file per command; the only place that prints or exits |
//!
//! Every room may tell what it does by `tracing`; who listens is for `cli` to say (`--log`). No secret and no content
//! of a mail is ever told, and what may name a person at debug level only.
//!
//! # A row's way
//!
//! `recipients` reads a row, `template` renders it, `message` turns what was rendered into bytes,
//! `plan` proves all of it and freezes it in `store`. `send` recovers what an earlier run left,
//! claims a message when `limits` says now, renders it again from what was frozen (a digest holds it
//! to the plan), and offers it through `smtp`. `plan --update` freezes a further *edition*; a message is rendered
//! from the edition that it belongs to, before and after.
//!
//! # Nobody twice, nobody lost
//!
//! Two marks are on disk before the final dot (claimed; handing over, after the 354) and the verdict
//! after it. A message found *handing over* at the next start is in doubt, and nothing sends it
//! again unless a person says so. [`delivery`] holds the legal transitions, the schema's checks
//! refuse the rest, and recovery runs at every start.

pub mod cli;
pub mod clock;
pub mod config;
pub mod delivery;
pub mod limits;
pub mod message;
pub mod oauth;
pub mod plan;
pub mod preview;
pub mod proof;
pub mod provider;
pub mod recipients;
pub mod rehearsal;
pub mod sandbox;
pub mod send;
pub mod smtp;
pub mod store;
pub mod template;
pub mod trust;
pub mod vault;
