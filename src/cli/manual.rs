//! `postroom completions` and `postroom man`: what shells and `man` want to know of the commands.

use std::fs;
use std::io::{self, Write};

use clap::CommandFactory as _;

use super::Context;
use super::args::{Arguments, Completions, Man};
use super::disk::{cannot_create, cannot_write};
use super::exit::Exit;
use super::failure::Failure;

pub(super) fn completions(args: &Completions) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(
        args.shell,
        &mut Arguments::command(),
        "postroom",
        &mut script,
    );
    printed("the completions", &script)
}

pub(super) fn man(context: &Context, args: &Man) -> Result<Exit, Failure> {
    let Some(folder) = &args.out else {
        let mut page = Vec::new();
        let page = clap_mangen::Man::new(Arguments::command())
            .render(&mut page)
            .map(|()| page);
        return printed(
            "the manual page",
            &page.map_err(|cause| cannot_write("the manual page", &cause))?,
        );
    };
    let failed = |cause: io::Error| cannot_create(folder, &cause);
    fs::create_dir_all(folder).map_err(failed)?;
    clap_mangen::generate_to(Arguments::command(), folder).map_err(failed)?;
    context
        .screen
        .note(&format!("the pages are in {}", folder.display()));
    Ok(Exit::Done)
}

/// Somebody who reads only the first lines has not been failed.
fn printed(what: &str, bytes: &[u8]) -> Result<Exit, Failure> {
    let mut out = io::stdout().lock();
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Err(cause) if cause.kind() != io::ErrorKind::BrokenPipe => Err(cannot_write(what, &cause)),
        _ => Ok(Exit::Done),
    }
}
