//! Sessions against scripted servers, over loopback sockets and pipes in memory.

mod asking;
mod content;
mod dialogue;
mod failing;
mod laws;
mod offering;
mod secrets;
mod server;
mod signing;
