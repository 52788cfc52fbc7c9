//! An account with its preset: everything that planning and sending go by.

use std::path::PathBuf;

use super::account::{Account, Auth};
use super::accounts::SANDBOX;
use super::campaign::Campaign;
use super::defaults::{after_reserve, host, provider_rules, tls};
use super::delivery::Mode;
use super::error::SenderError;
use super::recipients::Duplicates;
use super::secret::SecretSource;
use super::sign_in;
use crate::limits::Rule;
use crate::plan::{self, AccountLimits, Inputs};
use crate::provider::{Preset, ReplyTable, Whose};
use crate::recipients::{Address, Mailbox, SuppressedPeople};
use crate::send::{self, SignIn};
use crate::smtp::{self, Deadlines, Endpoint};

/// The preset whose rules the built-in stand-in server has by itself.
const SANDBOX_PRESET: &str = "microsoft365";

/// An account whose every setting is known.
#[derive(Debug, Clone)]
pub struct Sender {
    /// Its name in accounts.toml.
    pub name: String,
    /// The provider's preset.
    pub preset: &'static Preset,
    /// The server; none for the built-in stand-in, which has no address until it runs.
    pub host: Option<String>,
    /// The server's port.
    pub port: u16,
    /// How the connection is encrypted.
    pub tls: smtp::Tls,
    /// The rules of the provider, before anything is reserved.
    pub provider_rules: Vec<Rule>,
    /// The rules that hold here: what is reserved for others is taken off.
    pub rules: Vec<Rule>,
    /// The most envelope recipients of one message.
    pub max_recipients_per_message: u64,
    /// The most bytes of one message.
    pub max_message_size: Option<u64>,
    /// The most sessions at once.
    pub max_connections: usize,
    pub(super) account: Account,
    pub(super) sign_in: Option<sign_in::SignIn>,
}

impl Sender {
    /// Puts an account and its preset together.
    ///
    /// # Errors
    /// An unknown preset, or settings that leave nothing to send with.
    pub fn of(account: &Account) -> Result<Self, SenderError> {
        let is_sandbox = account.name == SANDBOX;
        let preset = Preset::find(if is_sandbox {
            SANDBOX_PRESET
        } else {
            &account.provider
        })?;
        let host = if is_sandbox {
            None
        } else {
            Some(host(account, preset)?)
        };
        let sign_in = (account.auth == Auth::OAuth2).then(|| sign_in::SignIn::of(account, preset));
        let provider_rules = provider_rules(account, preset);
        let connections = account
            .max_connections
            .unwrap_or_else(|| preset.max_connections.into());
        Ok(Self {
            name: account.name.clone(),
            preset,
            host,
            port: account.port.unwrap_or(preset.port),
            tls: tls(account, preset),
            rules: after_reserve(account, &provider_rules)?,
            provider_rules,
            max_recipients_per_message: account
                .max_recipients_per_message
                .unwrap_or_else(|| preset.max_recipients_per_message.into()),
            max_message_size: account.max_message_size.or(preset.max_message_size),
            max_connections: usize::try_from(connections).unwrap_or(usize::MAX).max(1),
            account: account.clone(),
            sign_in: sign_in.transpose()?,
        })
    }

    /// Makes sure that these accounts can share a campaign.
    ///
    /// # Errors
    /// Two of them are one mailbox, whose quota would be counted twice; or the stand-in is among others.
    pub fn check_together(senders: &[Self]) -> Result<(), SenderError> {
        for (at, sender) in senders.iter().enumerate() {
            if let Some(other) = senders[..at]
                .iter()
                .find(|other| other.mailbox() == sender.mailbox())
            {
                return Err(SenderError::SameMailbox(
                    other.name.clone(),
                    sender.name.clone(),
                ));
            }
            if sender.is_sandbox() && senders.len() > 1 {
                return Err(SenderError::SandboxAmongOthers);
            }
        }
        Ok(())
    }

    /// True for the built-in stand-in server.
    pub fn is_sandbox(&self) -> bool {
        self.host.is_none()
    }

    /// The name to sign in with.
    pub fn username(&self) -> Option<&str> {
        self.account.username.as_deref()
    }

    /// The file with a further root to trust.
    pub fn ca_file(&self) -> Option<&PathBuf> {
        self.account.ca_file.as_ref()
    }

    /// Where the password comes from; none where there is no sign-in.
    pub fn password(&self) -> Option<&SecretSource> {
        self.account
            .password
            .as_ref()
            .filter(|_| self.account.auth == Auth::Password)
    }

    /// What its quota is counted by: the same name at the same server is one mailbox, however many
    /// accounts are named after it.
    pub fn mailbox(&self) -> String {
        match (&self.account.username, &self.host) {
            (Some(username), Some(host)) => {
                format!("{}@{}", username.to_lowercase(), host.to_lowercase())
            }
            _ => self.name.clone(),
        }
    }

    /// The From header of what it sends for a campaign whose own is `usual`; none where that holds. One of
    /// several accounts whose provider lets everybody send only as themselves has its own address in it.
    fn from(&self, usual: &str, several: bool) -> Option<String> {
        if self.account.from.is_some() || !several || !self.preset.sends_as_itself {
            return self.account.from.clone();
        }
        let usual = Mailbox::parse(usual).ok()?;
        let address = Address::parse(self.account.username.as_deref()?).ok()?;
        if usual
            .address
            .as_str()
            .eq_ignore_ascii_case(address.as_str())
        {
            return None;
        }
        Some(match usual.name {
            // In quotes, as a name may hold a comma (RFC 5322 3.2.4).
            Some(name) => {
                let quoted = name.replace('\\', "\\\\").replace('"', "\\\"");
                format!("\"{quoted}\" <{address}>")
            }
            None => address.to_string(),
        })
    }

    /// What planning must know.
    pub fn limits(&self) -> AccountLimits {
        AccountLimits {
            name: self.name.clone(),
            mailbox: self.mailbox(),
            from: self.account.from.clone(),
            rules: self.rules.clone(),
            max_recipients_per_message: self.max_recipients_per_message,
            max_message_size: self.max_message_size,
        }
    }

    /// What sending must know: with the sign-in and the server's further roots, which were read by now.
    pub fn for_sending(
        &self,
        endpoint: Endpoint,
        sign_in: SignIn,
    ) -> Result<send::Account, SenderError> {
        let own = &self.account.deadlines;
        let usual = Deadlines::default();
        Ok(send::Account {
            name: self.name.clone(),
            mailbox: self.mailbox(),
            endpoint,
            sign_in,
            deadlines: Deadlines {
                connect: own.connect.unwrap_or(usual.connect),
                command: own.command.unwrap_or(usual.command),
                data: own.data.unwrap_or(usual.data),
                final_dot: own.final_.unwrap_or(usual.final_dot),
            },
            rules: self.rules.clone(),
            max_connections: self.max_connections,
            backoff: self.account.retry.clone().unwrap_or_default(),
            replies: ReplyTable::for_preset(self.preset)?.of_account(self.whose()),
        })
    }

    /// Whose remedies are told: the names that stand in them.
    pub fn whose(&self) -> Whose {
        let address = |text: &String| {
            Mailbox::parse(text)
                .ok()
                .map(|mailbox| mailbox.address.to_string())
        };
        Whose {
            account: Some(self.name.clone()),
            mailbox: self.account.username.clone(),
            from: self.account.from.as_ref().and_then(address),
            client: self
                .account
                .oauth2
                .as_ref()
                .and_then(|oauth2| oauth2.client_id.clone()),
        }
    }
}

impl Campaign {
    /// What a plan for these senders is made from.
    pub fn inputs(&self, senders: &[Sender]) -> Inputs {
        let message = &self.message;
        let several = senders.len() > 1;
        let limits = |sender: &Sender| AccountLimits {
            from: sender.from(&message.from, several),
            ..sender.limits()
        };
        Inputs {
            folder: self.folder.clone(),
            name: self.name.clone(),
            accounts: senders.iter().map(limits).collect(),
            from: message.from.clone(),
            to: message.to.clone(),
            reply_to: message.reply_to.clone(),
            cc: message.cc.clone(),
            bcc: message.bcc.clone(),
            subject: message.subject.clone(),
            html: message.html.clone(),
            text: message.text.clone(),
            inline_css: message.inline_css,
            data: message.data.clone(),
            attach: message.attach.clone(),
            inline: message.inline.clone(),
            headers: message.headers.clone(),
            list_unsubscribe: message.list_unsubscribe.clone(),
            unsubscribe_mailto: message
                .unsubscribe
                .as_ref()
                .and_then(|one| one.mailto.clone()),
            unsubscribe_url: message.unsubscribe.as_ref().and_then(|one| one.url.clone()),
            suppressed: SuppressedPeople::default(),
            list: self.recipients.file.clone(),
            address_column: self.recipients.address.clone(),
            filter: self.recipients.filter.clone(),
            grouped: self.recipients.duplicates == Duplicates::Group,
            reading: self.recipients.reading.clone(),
            internal: self.recipients.internal.clone(),
            mode: match self.delivery.mode {
                Mode::Auto => plan::Mode::Auto,
                Mode::Shared => plan::Mode::Shared,
                Mode::Individual => plan::Mode::Individual,
            },
            schedule: self.delivery.schedule(),
            time_zone: Some(self.delivery.zone()),
        }
    }
}
