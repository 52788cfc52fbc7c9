//! The arguments of every command.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

use super::amend::Amend;
use super::forget::Forget;
use super::show::Show;
use super::starting::Until;
use crate::provider::Flow;

/// Bulk mail merge that plans, proves, rehearses and sends a campaign inside the mail provider's limits.
#[derive(Debug, Parser)]
#[command(name = "postroom", version, about, max_term_width = 100)]
#[command(after_help = "A first look, with nothing leaving this machine:\n  \
    postroom new my-news && postroom rehearse my-news\n\n\
    Every command takes a campaign's folder; without one it is the current folder.")]
pub(super) struct Arguments {
    #[command(flatten)]
    pub(super) global: Global,
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Debug, Args)]
pub(super) struct Global {
    /// Prints results as JSON, for scripts; `send` and `rehearse` print one event a line
    #[arg(long, global = true)]
    pub(super) json: bool,
    /// Prints results and errors only: no progress, no notes
    #[arg(short, long, global = true)]
    pub(super) quiet: bool,
    /// Says more: each message with the server's words
    #[arg(short, long, global = true)]
    pub(super) verbose: bool,
    /// Writes what the program does to the end of this file, which only you can read: connections, the server's codes,
    /// verdicts, waits. Never passwords, tokens or mails; addresses and the server's words only with -v or
    /// `POSTROOM_LOG=debug` (error, warn, info, debug)
    #[arg(long, global = true, value_name = "FILE")]
    pub(super) log: Option<PathBuf>,
    #[command(flatten)]
    pub(super) places: Places,
}

#[derive(Debug, Clone, Args)]
pub(super) struct Places {
    /// The file of accounts [default: postroom/accounts.toml in the configuration folder]
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        env = "POSTROOM_ACCOUNTS",
        hide_env_values = true
    )]
    pub(super) accounts: Option<PathBuf>,
    /// The store, one file for all campaigns [default: postroom/postroom.db in the state folder]
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        env = "POSTROOM_STORE",
        hide_env_values = true
    )]
    pub(super) store: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Writes a starter campaign into a new folder
    New(New),
    /// Reads everything, sends nothing: all findings at once, with their remedies
    Check(Check),
    /// Freezes list, templates and attachments, and lays out messages, days and finishing time
    Plan(Plan),
    /// Shows the mails exactly as they would go out: on a page, in the terminal, or as files
    Preview(Preview),
    /// Sends the whole campaign to the built-in stand-in of its provider, days in seconds
    Rehearse(Rehearse),
    /// Sends one row's message to yourself, marked as a test
    Test(Test),
    /// Sends; goes on where an earlier run ended
    Send(Send),
    /// Stops a campaign, from any terminal: nothing more of it goes until `resume`
    Halt(super::halting::Halt),
    /// Lifts a halt; `send` goes on then
    Resume(super::halting::Resume),
    /// Says where a campaign stands
    Status(super::status::Args),
    /// One line per row of the list, with its outcome
    Report(super::report::Report),
    /// Settles messages in doubt: only a person can say whether they arrived
    Resolve(Resolve),
    /// Queues refused recipients again
    Retry(super::retry::Retry),
    /// Drops recipients who are still to get something
    Cancel(super::cancel::Cancel),
    /// Looks after the list of people who are never written to
    #[command(subcommand)]
    Suppress(super::suppress::Suppress),
    /// Looks after the store
    #[command(subcommand)]
    Store(super::store::StoreCommand),
    /// Signs in to an account's provider, and keeps what is needed to sign in again
    Login(Login),
    /// Forgets what `login` has kept for an account
    Logout(Logout),
    /// Lists accounts: how each signs in, and how much of its quota is left
    #[command(after_help = "Examples:\n  postroom accounts\n  postroom accounts --json")]
    Accounts,
    /// Looks whether an account can send: name, network, TLS, sign-in, sender, stage by stage; sends nothing
    Doctor(Doctor),
    /// Lists providers with their limits and where these are documented
    Providers(Providers),
    /// Says what a server's or sign-in page's words mean, who can do what about it, and whether waiting helps; or
    /// what the code of a finding or an error means
    Explain(Explain),
    /// Runs the stand-in mail server on its own, for other programs' tests
    Sandbox(Sandbox),
    /// Writes a new campaign, addressed to exactly those who were sent this one
    Amend(Amend),
    /// Erases a person from the store, and keeps the totals
    Forget(Forget),
    /// Tells one person's story over all campaigns: every attempt, every reply, and the mail itself
    Show(Show),
    /// Prints what a shell needs to complete commands and options
    Completions(Completions),
    /// Prints the manual page, or writes one for every command
    Man(Man),
}

#[derive(Debug, Args)]
pub(super) struct Folder {
    /// The campaign's folder
    #[arg(value_name = "CAMPAIGN_FOLDER", default_value = ".")]
    pub(super) folder: PathBuf,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    postroom check my-news\n  \
    postroom check my-news --rejects rows-to-mend.csv\n  \
    postroom check my-news --json\n\n\
    It ends with 65 where something must be mended first; `postroom explain CODE` says more about a finding.")]
pub(super) struct Check {
    #[command(flatten)]
    pub(super) campaign: Folder,
    /// Writes the rows with errors, and why, into this new file: mend them there and use it as a list
    #[arg(long, value_name = "FILE")]
    pub(super) rejects: Option<PathBuf>,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    postroom new my-news\n  \
    postroom new my-party --starter invitation")]
pub(super) struct New {
    /// The folder to write; it must be empty or not there yet
    #[arg(value_name = "DIR")]
    pub(super) folder: PathBuf,
    /// What to begin with
    #[arg(long, value_name = "NAME", default_value = "newsletter")]
    pub(super) starter: String,
}

#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
#[command(
    after_help = "Repeating it changes nothing, whatever became of the folder. With --update the edited folder is proved \
    as a new one is, then compared with where everybody stands: new people are added, those who are no longer in the \
    list and were not sent to are cancelled, those still to be sent to get the new mail, and whoever has it gets \
    nothing more. It asks before it changes anything.\n\n\
    Examples:\n  postroom plan my-news\n  postroom plan my-news --update --dry-run\n  \
    postroom plan my-news --update --yes"
)]
pub(super) struct Plan {
    #[command(flatten)]
    pub(super) campaign: Folder,
    /// Takes the edited list, templates and files into the plan, also while it is being sent: nobody gets the mail
    /// twice, and what was sent stays as it was
    #[arg(long, conflicts_with = "discard")]
    pub(super) update: bool,
    /// Shows what an update would change, and changes nothing
    #[arg(long, requires = "update")]
    pub(super) dry_run: bool,
    /// Drops a plan of which nothing was sent
    #[arg(long)]
    pub(super) discard: bool,
    /// Does not ask
    #[arg(long, short)]
    pub(super) yes: bool,
}

#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
#[command(
    after_help = "On a terminal it opens a page in the browser that follows the campaign's folder as you edit it; \
    Ctrl-C ends it. Nothing leaves this machine, and nobody else on it can open the page.\n\n\
    Examples:\n  \
    postroom preview my-news\n  \
    postroom preview my-news --print --row 2\n  \
    postroom preview my-news --out mails --drafts"
)]
pub(super) struct Preview {
    #[command(flatten)]
    pub(super) campaign: Folder,
    /// The mail of this data row of the list (from 1)
    #[arg(long, value_name = "N", conflicts_with = "to")]
    pub(super) row: Option<u64>,
    /// The mail that this address gets
    #[arg(long, value_name = "ADDR")]
    pub(super) to: Option<String>,
    /// Shows the mail in the terminal, as happens anyway where there is none to open a page from
    #[arg(long, conflicts_with_all = ["out", "serve", "no_browser"])]
    pub(super) print: bool,
    /// Serves the page also where there is no terminal, and prints its address
    #[arg(long, conflicts_with = "out")]
    pub(super) serve: bool,
    /// Opens no browser: the page's address is printed only
    #[arg(long, conflicts_with = "out")]
    pub(super) no_browser: bool,
    /// Writes .eml files and an index.html into this folder: all mails, or the one asked for
    #[arg(long, value_name = "DIR")]
    pub(super) out: Option<PathBuf>,
    /// Writes them as drafts, which Outlook opens for editing
    #[arg(long, requires = "out")]
    pub(super) drafts: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    postroom rehearse my-news\n  \
    postroom rehearse my-news --fault throttle --fault kill\n  \
    postroom rehearse my-news --refuse '*@old.example.com' --out received")]
pub(super) struct Rehearse {
    #[command(flatten)]
    pub(super) campaign: Folder,
    /// Where to keep what the stand-in receives [default: a folder of the campaign's own in the cache]
    #[arg(long, value_name = "DIR")]
    pub(super) out: Option<PathBuf>,
    /// Addresses that the stand-in refuses; `*` stands for anything
    #[arg(long, value_name = "PATTERN", default_value = super::connect::GONE)]
    pub(super) refuse: Vec<String>,
    /// Something that goes wrong on purpose; may be given several times. It ends with 0 when the campaign
    /// coped, with 1 when messages are left in doubt (as after `drop` and `kill`)
    #[arg(long, value_enum, value_name = "NAME")]
    pub(super) fault: Vec<Fault>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Fault {
    /// The server throttles a stretch of the campaign
    Throttle,
    /// Somebody else has used the mailbox: a day's limit is reached early
    Cap,
    /// Connections drop: within envelope and content, and once after the last dot, before the verdict
    Drop,
    /// The server answers with what makes no sense: garbage, replies without end, half replies; once after the last
    /// dot
    Garble,
    /// Every 50th recipient is refused
    Refuse,
    /// The sender is killed in the middle, several times, and started again
    Kill,
}

#[derive(Debug, Args)]
#[command(
    after_help = "It goes out as the row's own mail would, through the same account, but to nobody else: To is the \
    address given here, cc and bcc are left out, the subject begins with [Test], and a header X-Postroom-Test says \
    which row it is. It counts against the account's limits like any other message, and changes nothing of the \
    campaign. A campaign that is planned is tested as it was planned, another one as its folder has it.\n\n\
    Example:\n  postroom test my-news --to me@example.com --row 17\n\n\
    It ends with 1 when the server refuses it, with 75 when a limit says later than in a minute."
)]
pub(super) struct Test {
    #[command(flatten)]
    pub(super) campaign: Folder,
    /// Who gets it, such as yourself; may be given up to five times
    #[arg(long, value_name = "ADDR", required = true)]
    pub(super) to: Vec<String>,
    /// The data row of the list (from 1) [default: the first that gets a mail]
    #[arg(long, value_name = "N")]
    pub(super) row: Option<u64>,
    /// The account of the campaign to send it by, or `sandbox`, with which nothing leaves this machine
    /// [default: the row's own]
    #[arg(long, value_name = "NAME")]
    pub(super) account: Option<String>,
    /// Believes the machine's clock although the store knows of a later time
    #[arg(long)]
    pub(super) trust_clock: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    postroom send my-news --canary 20\n  \
    postroom send my-news --until 18:00\n  \
    postroom send my-news --yes --no-wait   (from a timer)")]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
pub(super) struct Send {
    #[command(flatten)]
    pub(super) campaign: Folder,
    /// Does not ask before it begins (what --canary asks, it does not answer)
    #[arg(long, short)]
    pub(super) yes: bool,
    /// Ends with 75 instead of waiting for a limit or a later attempt
    #[arg(long)]
    pub(super) no_wait: bool,
    /// Connects to nothing and says what would be done
    #[arg(long)]
    pub(super) dry_run: bool,
    /// Ends after this many messages
    #[arg(long, value_name = "N")]
    pub(super) max: Option<u64>,
    /// Lets the first N messages of the campaign go, counted over all runs, and then asks whether to go on with
    /// the others; where there is no terminal it ends with 75, and a send without --canary goes on
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(super) canary: Option<u64>,
    /// Ends at this time: 18:00, 2026-12-01T18:00, or with an offset
    #[arg(long, value_name = "TIME", value_parser = Until::parse)]
    pub(super) until: Option<Until>,
    /// Begins although `not_before` was missed by more than a day
    #[arg(long)]
    pub(super) late: bool,
    /// Believes the machine's clock although the store knows of a later time
    #[arg(long)]
    pub(super) trust_clock: bool,
}

#[derive(Debug, Args)]
#[command(
    after_help = "In doubt is a message whose last dot may have gone out, and whose verdict is not on disk. It is never \
    sent again by itself.\n\n\
    Examples:\n  \
    postroom resolve my-news\n  \
    postroom resolve my-news --delivered --yes\n  \
    postroom resolve my-news --resend --yes"
)]
pub(super) struct Resolve {
    #[command(flatten)]
    pub(super) campaign: Folder,
    /// They arrived: found in Sent Items, or a recipient has it
    #[arg(long, conflicts_with = "resend")]
    pub(super) delivered: bool,
    /// They did not arrive: send them again
    #[arg(long)]
    pub(super) resend: bool,
    /// Only the message with this Message-ID
    #[arg(long, value_name = "ID", conflicts_with = "to")]
    pub(super) message: Option<String>,
    /// Only the message that this address is a recipient of
    #[arg(long, value_name = "ADDR")]
    pub(super) to: Option<String>,
    /// Does not ask
    #[arg(long, short)]
    pub(super) yes: bool,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Sign-ins are kept in the system's keyring, or, where there is none, in a file that only you \
    can read. POSTROOM_TOKENS=keyring or POSTROOM_TOKENS=file in the environment decides it.\n\n\
    Examples:\n  \
    postroom login comms\n  \
    postroom login comms --flow device-code"
)]
pub(super) struct Login {
    /// The account's name in accounts.toml
    #[arg(value_name = "ACCOUNT")]
    pub(super) account: String,
    /// Opens no browser: the address is printed only
    #[arg(long)]
    pub(super) no_browser: bool,
    /// Signs in this way for once
    #[arg(long, value_enum, value_name = "NAME")]
    pub(super) flow: Option<SignInFlow>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum SignInFlow {
    /// A code typed on any device
    DeviceCode,
    /// The browser on this machine
    Browser,
    /// The app by itself, with its client secret
    ClientCredentials,
}

impl From<SignInFlow> for Flow {
    fn from(flow: SignInFlow) -> Self {
        match flow {
            SignInFlow::DeviceCode => Self::DeviceCode,
            SignInFlow::Browser => Self::Browser,
            SignInFlow::ClientCredentials => Self::ClientCredentials,
        }
    }
}

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  postroom logout comms")]
pub(super) struct Logout {
    /// The account's name in accounts.toml
    #[arg(value_name = "ACCOUNT")]
    pub(super) account: String,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    postroom doctor comms\n  \
    postroom doctor comms --from newsletter@example.com --rcpt me@example.com")]
pub(super) struct Doctor {
    /// The account's name in accounts.toml
    #[arg(value_name = "ACCOUNT")]
    pub(super) account: String,
    /// The address to send from [default: the account's own]
    #[arg(long, value_name = "ADDR")]
    pub(super) from: Option<String>,
    /// A recipient to name, such as yourself; nothing is sent to it
    #[arg(long, value_name = "ADDR")]
    pub(super) rcpt: Option<String>,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    postroom providers\n  \
    postroom providers microsoft365")]
pub(super) struct Providers {
    /// Only this provider
    pub(super) name: Option<String>,
}

#[derive(Debug, Args)]
#[command(
    after_help = "It works offline and needs no configuration. Examples:\n  \
    postroom explain \"535 5.7.139 Authentication unsuccessful, basic authentication is disabled\"\n  \
    postroom explain AADSTS7000218\n  \
    postroom explain unknown-field\n  \
    postroom explain - < bounce.txt\n\n\
    It ends with 1 when nothing known is in the text."
)]
pub(super) struct Explain {
    /// The words: a reply, a bounce, some lines of a log, a code alone (a server's, or one of Postroom's own such as
    /// unknown-field); `-` reads them from standard input
    #[arg(value_name = "TEXT", required = true, num_args = 1..)]
    pub(super) text: Vec<String>,
    /// Whose words they are [default: what any provider says, Microsoft first]
    #[arg(long, value_name = "NAME")]
    pub(super) provider: Option<String>,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    postroom sandbox --provider microsoft365\n  \
    postroom sandbox --listen 127.0.0.1:2525 --tls none --no-sign-in --maildir received\n  \
    postroom sandbox --fault dot@3=drop --fault \"rcpt@every-10=450 4.2.1 Try later\"\n\n\
    It runs until Ctrl-C. A fault is PLACE[@WHEN]=WHAT. The place, instead of whose answer it comes: banner, ehlo, \
    starttls, auth, mail, rcpt, data (the 354), body (when the first content has come), dot (the verdict), answered \
    (after the verdict). When, counted over all connections: 3 (the third time), 2-5, every-4; each time where it is \
    not said. What: drop (the connection is cut), hang (nothing is answered any more), a reply from 400 to 599 with \
    its words, garbage (bytes that are no reply), huge-line (one line of megabytes), huge-lines (continuation lines \
    without end), half-line (half a reply, then silence), cut-line (half a reply, then the connection is closed). At \
    the dot the message has been taken by then, except where a reply refuses it.")]
pub(super) struct Sandbox {
    /// The provider to stand in for: its limits, words and habits
    #[arg(long, value_name = "NAME")]
    pub(super) provider: Option<String>,
    /// Where to listen: a loopback address; port 0 takes a free one
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:0")]
    pub(super) listen: SocketAddr,
    /// How connections are encrypted
    #[arg(long, value_enum, default_value_t = SandboxTls::Starttls)]
    pub(super) tls: SandboxTls,
    /// Writes the certificate that clients must trust to this file
    #[arg(long, value_name = "FILE")]
    pub(super) certificate: Option<PathBuf>,
    /// Keeps what is received as a Maildir in this folder, with received.jsonl beside it
    #[arg(long, value_name = "DIR")]
    pub(super) maildir: Option<PathBuf>,
    /// Refuses these recipients; `*` stands for anything
    #[arg(long, value_name = "PATTERN")]
    pub(super) refuse: Vec<String>,
    /// What goes wrong on purpose (see below); where several meet, the first one holds
    #[arg(long, value_name = "PLACE[@WHEN]=WHAT")]
    pub(super) fault: Vec<crate::sandbox::Fault>,
    /// Domains whose recipients do not count as external
    #[arg(long, value_name = "DOMAIN")]
    pub(super) internal: Vec<String>,
    /// Takes mail without a sign-in
    #[arg(long)]
    pub(super) no_sign_in: bool,
    /// Takes what breaks a limit and only writes it down
    #[arg(long)]
    pub(super) lenient: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum SandboxTls {
    /// STARTTLS, as on port 587
    Starttls,
    /// TLS from the first byte, as on port 465
    Implicit,
    /// None at all
    None,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    postroom completions bash >> ~/.bash_completion\n  \
    mkdir -p ~/.zfunc && postroom completions zsh > ~/.zfunc/_postroom\n  \
    postroom completions fish > ~/.config/fish/completions/postroom.fish")]
pub(super) struct Completions {
    /// The shell
    #[arg(value_enum, value_name = "SHELL")]
    pub(super) shell: Shell,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    postroom man | man -l -\n  \
    postroom man --out ~/.local/share/man/man1")]
pub(super) struct Man {
    /// Writes a page for every command into this folder, instead of printing the main one
    #[arg(long, value_name = "DIR")]
    pub(super) out: Option<PathBuf>,
}
