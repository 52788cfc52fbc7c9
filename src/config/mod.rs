//! campaign.toml and accounts.toml: as typed, then checked.
//!
//! What a file says is read through spans, so that every problem carries its line and column, and all
//! problems are reported at once. What the program believes ([`Campaign`], [`Account`]) cannot hold a
//! value that was not checked.
//!
//! Must not open lists, templates or attachments, talk to a server, print, or end the process, and
//! never puts a value of accounts.toml that could be a secret into an error. Called by `cli`.

mod account;
mod accounts;
mod amended;
mod campaign;
mod confined;
mod defaults;
mod delivery;
mod document;
mod error;
mod from;
mod message;
mod oauth2;
mod places;
mod recipients;
mod secret;
mod section;
mod sender;
mod server;
mod sign_in;
mod source;
mod typed;
mod words;

pub use account::{Account, Auth, Deadlines, Reserve, Tls};
pub use accounts::{Accounts, SANDBOX};
pub use amended::amended;
pub use campaign::{Campaign, FILE_NAME};
pub use delivery::{DeliveryOptions, MissedStart, Mode, NotBefore};
pub use error::{ConfigError, Problem, SenderError, SignInError, UnknownAccount};
pub use message::{MessageOptions, UnsubscribeOptions};
pub use oauth2::OAuth2;
pub use places::{accounts_path, cache_folder, secrets_folder, store_path};
pub use recipients::{Duplicates, RecipientOptions};
pub use secret::{SecretError, SecretSource};
pub use sender::Sender;

#[cfg(test)]
mod tests;
