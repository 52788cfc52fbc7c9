//! `postroom new`: a starter campaign, embedded in the program.

use std::fs;
use std::io::Write;
use std::path::Path;

use include_dir::{Dir, include_dir};

use super::Context;
use super::args::New;
use super::disk::cannot_create;
use super::exit::Exit;
use super::failure::Failure;
use super::made::{Access, NewFolder};

static STARTERS: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/templates");

pub(super) fn run(context: &Context, args: &New) -> Result<Exit, Failure> {
    let starter = STARTERS.get_dir(&args.starter).ok_or_else(|| {
        let names: Vec<_> = STARTERS
            .dirs()
            .map(|dir| dir.path().to_string_lossy())
            .collect();
        Failure::new(
            Exit::Usage,
            format!("there is no starter named '{}'", args.starter),
            format!("write one of: {}", names.join(", ")),
        )
    })?;
    let folder = NewFolder::begin(&args.folder, Access::Usual)?;
    copy(starter, starter.path(), folder.path())?;
    folder.finish()?;
    if context.screen.is_json() {
        let value = serde_json::json!({ "folder": args.folder, "starter": args.starter });
        context.screen.json(&value)?;
    } else {
        let folder = args.folder.display();
        context.screen.result(&format!(
            "wrote the starter '{}' into {folder}",
            args.starter
        ))?;
        context.screen.note(&format!(
            "next: look at {folder}/campaign.toml, then run `postroom check {folder}` and `postroom rehearse {folder}`"
        ));
    }
    Ok(Exit::Done)
}

fn copy(starter: &Dir<'_>, root: &Path, folder: &Path) -> Result<(), Failure> {
    let target = |path: &Path| match path.strip_prefix(root) {
        Ok(within) if within == Path::new("") => folder.to_owned(),
        Ok(within) => folder.join(within),
        Err(_) => folder.join(path),
    };
    let here = target(starter.path());
    fs::create_dir_all(&here).map_err(|cause| cannot_create(&here, &cause))?;
    for file in starter.files() {
        let path = target(file.path());
        fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(&path)
            .and_then(|mut made| made.write_all(file.contents()))
            .map_err(|cause| cannot_create(&path, &cause))?;
    }
    starter
        .dirs()
        .try_for_each(|inner| copy(inner, root, folder))
}
