//! Access tokens: signing in by OAuth 2.0, keeping what was granted, and renewing it in time.
//!
//! Three flows: a code typed on another device (RFC 8628), the browser on this machine with PKCE
//! (RFC 8252, RFC 7636), and the application by itself (RFC 6749 4.4). It must not print, open
//! accounts.toml, or speak SMTP, and no secret of it ever reaches a `Debug` form or an error. Called
//! by `config` (which fills [`Settings`]), `send` (which asks for a token before it signs in), and
//! `cli` (`login`, `logout`, `doctor`).

mod settings;

pub use settings::Settings;
