//! Access tokens: signing in by OAuth 2.0, keeping what was granted, and renewing it in time.
//!
//! Three flows: a code typed on another device (RFC 8628), the browser on this machine with PKCE
//! (RFC 8252, RFC 7636), and the application by itself (RFC 6749 4.4). It must not print, open
//! accounts.toml, or speak SMTP, and no secret of it ever reaches a `Debug` form or an error. Called
//! by `config` (which fills [`Settings`]), `send` (which asks for a token before it signs in), and
//! `cli` (`login`, `logout`, `accounts`, `doctor`).
//!
//! Refresh tokens rotate: each may be good for one use. So one is used under a lock that holds over all
//! processes, after a look at what another process has kept meanwhile, and what comes back is on disk
//! before it is used. Once the provider has ended a sign-in, that is kept too, and nobody asks again.

mod browser;
mod device;
mod error;
mod http;
mod keep;
mod record;
mod redirect;
mod requests;
mod settings;
mod sign_in;
#[cfg(test)]
mod tests;
mod tokens;

pub use error::{Error, ErrorKind, Refusal};
pub use keep::{Keep, Standing};
pub use record::AccessToken;
pub use settings::{Settings, is_safe_address};
pub use sign_in::{Granted, Step, sign_in};
pub use tokens::Tokens;
