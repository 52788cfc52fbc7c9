//! The table itself: what is expected, place by place.

use super::cells::Fate::{Anew, Ends, InDoubt, Later, Parted, Refused, Stops, Waits};
use super::cells::Victim::{Large, Personal, Shared};
use super::cells::{Cell, Row, cell};

const CLOSED: &str = "the connection was closed";
const SILENT: &str = "no answer within 3 s";
const NONSENSE: &str = "the server's answer makes no sense here: \"HTTP/1.1 400 Bad Request";
const ENDLESS: &str = "the server's answer does not come to an end; it begins with \"2";
const STALLED: &str = "the server's answer broke off after \"2";
const CUT_OFF: &str = "the connection was closed in the middle of the server's answer, after \"2";
const DATA_ENDLESS: &str = "the server's answer does not come to an end; it begins with \"354";
const DATA_STALLED: &str = "the server's answer broke off after \"354";
const DATA_CUT_OFF: &str =
    "the connection was closed in the middle of the server's answer, after \"354";
const TURNED_AWAY: &str = "The server refuses to talk to this machine or program. (5";
const PATIENCE: &str = "because of the provider, which asked for a pause (4";
const NOT_TLS: &str = "no connection to the mail server came about that can be trusted";
const NOT_PERMITTED: &str = "may not send from this From address";

/// Nothing can be said before a session.
const NO_SESSION: [&[Cell]; 7] = [
    &[cell("drop", Ends(3), CLOSED)],
    &[cell("hang", Ends(3), SILENT)],
    &[
        cell("421 4.3.2 Too busy", Waits(3), PATIENCE),
        cell("450 4.3.0 Later", Waits(1), PATIENCE),
    ],
    &[cell("554 5.3.2 Go away", Ends(1), TURNED_AWAY)],
    &[cell("garbage", Ends(3), NONSENSE)],
    &[
        cell("huge-lines", Ends(3), ENDLESS),
        cell("huge-line", Ends(3), ENDLESS),
    ],
    &[
        cell("half-line", Ends(3), STALLED),
        cell("cut-line", Ends(3), CUT_OFF),
    ],
];

pub(super) const ROWS: [Row; 10] = [
    Row {
        place: "connect",
        title: "connection",
        deadline: "connect",
        // On a port where TLS is expected from the first byte.
        columns: [
            &[
                cell("close", Ends(3), CLOSED),
                cell("refuse", Ends(3), "connection refused"),
            ],
            &[
                cell("no answer", Ends(3), SILENT),
                cell("hang", Ends(3), SILENT),
            ],
            &[cell("421 4.3.2 Too busy", Ends(1), NOT_TLS)],
            &[cell("554 5.3.2 Go away", Ends(1), NOT_TLS)],
            &[cell("garbage", Ends(1), NOT_TLS)],
            &[cell("flood", Ends(1), NOT_TLS)],
            &[cell("half", Ends(3), SILENT)],
        ],
    },
    Row {
        place: "banner",
        title: "greeting",
        deadline: "command",
        columns: NO_SESSION,
    },
    Row {
        place: "ehlo",
        title: "EHLO",
        deadline: "command",
        columns: NO_SESSION,
    },
    Row {
        place: "starttls",
        title: "STARTTLS",
        deadline: "command",
        columns: [
            NO_SESSION[0],
            NO_SESSION[1],
            &[
                cell("454 4.7.0 TLS not available", Waits(1), PATIENCE),
                cell("421 4.3.2 Too busy", Waits(3), PATIENCE),
            ],
            &[cell("550 5.7.1 No TLS here", Ends(1), TURNED_AWAY)],
            NO_SESSION[4],
            NO_SESSION[5],
            NO_SESSION[6],
        ],
    },
    Row {
        place: "auth",
        title: "sign-in",
        deadline: "command",
        columns: [
            NO_SESSION[0],
            NO_SESSION[1],
            &[
                cell("454 4.7.0 Temporary failure", Waits(1), PATIENCE),
                cell("421 4.3.2 Too busy", Waits(3), PATIENCE),
            ],
            &[
                cell(
                    "535 5.7.8 Not accepted",
                    Stops,
                    "User name or password is wrong",
                ),
                cell(
                    "500 5.5.1 What",
                    Stops,
                    "The server has refused the sign-in. (500",
                ),
            ],
            NO_SESSION[4],
            NO_SESSION[5],
            NO_SESSION[6],
        ],
    },
    Row {
        place: "mail",
        title: "sender (MAIL)",
        deadline: "command",
        columns: [
            &[cell("drop", Anew, "")],
            &[cell("hang", Anew, "")],
            &[
                cell("451 4.3.0 Later", Later, "451 4.3.0"),
                cell("452 4.3.1 Full", Later, "452 4.3.1"),
                cell("421 4.3.2 Too busy", Anew, "").noted("421"),
            ],
            &[
                cell("554 5.6.0 No", Refused, "554 5.6.0"),
                cell("550 5.7.60 Not allowed to send as", Stops, NOT_PERMITTED)
                    .noted("sender not permitted"),
                cell("553 5.7.1 No", Stops, "does not accept the From address")
                    .noted("sender not permitted"),
            ],
            &[cell("garbage", Anew, "")],
            &[cell("huge-lines", Anew, ""), cell("huge-line", Anew, "")],
            &[cell("half-line", Anew, ""), cell("cut-line", Anew, "")],
        ],
    },
    Row {
        place: "rcpt",
        title: "recipient (RCPT)",
        deadline: "command",
        columns: [
            &[cell("drop", Later, CLOSED)],
            &[cell("hang", Later, SILENT)],
            &[
                cell("450 4.2.1 Later", Later, "450 4.2.1"),
                cell("452 4.2.2 Mailbox full", Later, "452 4.2.2"),
                cell("421 4.3.2 Too busy", Later, "421 4.3.2"),
            ],
            &[
                cell("550 5.1.1 Unknown", Refused, "550 5.1.1"),
                cell("554 5.2.0 No", Refused, "554 5.2.0"),
            ],
            &[cell("garbage", Later, NONSENSE)],
            &[
                cell("huge-lines", Later, ENDLESS),
                cell("huge-line", Later, ENDLESS),
            ],
            &[
                cell("half-line", Later, STALLED),
                cell("cut-line", Later, CUT_OFF),
            ],
        ],
    },
    Row {
        place: "data",
        title: "DATA",
        deadline: "data",
        columns: [
            &[cell("drop", Later, CLOSED)],
            &[cell("hang", Later, SILENT)],
            &[
                cell("451 4.3.0 Later", Later, "451 4.3.0"),
                cell("421 4.3.2 Too busy", Later, "421 4.3.2"),
            ],
            &[
                cell("554 5.6.0 No", Refused, "554 5.6.0"),
                cell("550 5.7.60 Not allowed to send as", Stops, NOT_PERMITTED)
                    .noted("sender not permitted"),
            ],
            &[cell("garbage", Later, NONSENSE)],
            &[
                cell("huge-lines", Later, DATA_ENDLESS),
                cell("huge-line", Later, DATA_ENDLESS),
            ],
            &[
                cell("half-line", Later, DATA_STALLED),
                cell("cut-line", Later, DATA_CUT_OFF),
            ],
        ],
    },
    Row {
        place: "body",
        title: "content",
        deadline: "final",
        columns: [
            &[
                cell("drop", InDoubt(false), CLOSED),
                cell(
                    "drop",
                    Later,
                    "sending the content: the connection was closed",
                )
                .to(Large)
                .noted("before the last bytes are out"),
            ],
            &[cell("hang", InDoubt(false), SILENT)],
            &[
                cell("451 4.3.0 Later", Later, "451 4.3.0"),
                cell("421 4.3.2 Too busy", Later, "421 4.3.2"),
            ],
            &[cell("554 5.6.0 No", Refused, "554 5.6.0")],
            &[cell("garbage", InDoubt(false), NONSENSE)],
            &[
                cell("huge-lines", InDoubt(false), ENDLESS),
                cell("huge-line", InDoubt(false), ENDLESS),
                cell(
                    "huge-lines",
                    Later,
                    "sending the content: no answer within 3 s",
                )
                .to(Large)
                .noted("before the last bytes are out"),
            ],
            &[
                cell("half-line", InDoubt(false), STALLED),
                cell("cut-line", InDoubt(false), CUT_OFF),
            ],
        ],
    },
    Row {
        place: "dot",
        title: "verdict",
        deadline: "final",
        columns: [
            &[cell("drop", InDoubt(true), CLOSED)],
            &[cell("hang", InDoubt(true), SILENT)],
            &[
                cell("451 4.3.0 Later", Later, "451 4.3.0"),
                cell("452 4.3.1 Full", Later, "452 4.3.1"),
                cell("421 4.3.2 Too busy", Later, "421 4.3.2"),
            ],
            &[
                cell("554 5.6.0 No", Refused, "554 5.6.0"),
                cell("554 5.2.0 No", Refused, "554 5.2.0"),
                cell("550 5.1.1 Unknown", Refused, "550 5.1.1").to(Personal),
                cell("550 5.1.1 Unknown", Parted, "")
                    .to(Shared)
                    .noted("for one of several"),
                cell("550 5.7.60 Not allowed to send as", Stops, NOT_PERMITTED)
                    .noted("sender not permitted"),
            ],
            &[cell("garbage", InDoubt(true), NONSENSE)],
            &[
                cell("huge-lines", InDoubt(true), ENDLESS),
                cell("huge-line", InDoubt(true), ENDLESS),
            ],
            &[
                cell("half-line", InDoubt(true), STALLED),
                cell("cut-line", InDoubt(true), CUT_OFF),
            ],
        ],
    },
];
