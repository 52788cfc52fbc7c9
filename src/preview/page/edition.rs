//! A campaign as it was when its folder was read last, and what the full check says of it.

use std::io::{Read, Seek};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;

use super::ReadInputs;
use super::list::{Fate, List};
use super::note::Note;
use crate::message::{Identity, Renderer};
use crate::plan::{self, Case, Checked, Inputs, Mode, Progress};
use crate::preview::mail::placeholder_id;
use crate::preview::{Error, Mail, Previewer, Unplanned};
use crate::recipients::ListReader;
use crate::store::Claimed;

/// What was read.
#[derive(Debug, Default)]
pub(super) struct Edition {
    /// Counted from 1; 0 while nothing has been read.
    pub(super) number: u64,
    /// The campaign's name, once it could be read.
    pub(super) name: String,
    /// None when the list cannot be read.
    pub(super) list: Option<Arc<List>>,
    /// Renders single rows; none when the templates cannot, or when the plan does.
    pub(super) renderer: Option<Renderer>,
    /// What reading alone has found.
    pub(super) notes: Vec<Note>,
    /// How it is packed; none when campaign.toml cannot be read.
    pub(super) mode: Option<Mode>,
    /// The list's file.
    pub(super) list_file: PathBuf,
}

/// How far the full check is.
#[derive(Debug)]
pub(super) enum Proof {
    /// Under way.
    Running(Option<Progress>),
    /// Done: with messages to be seen where nothing is wrong.
    Done(Box<Proved>),
}

/// What the full check says.
#[derive(Debug, Default)]
pub(super) struct Proved {
    pub(super) notes: Vec<Note>,
    pub(super) cases: Vec<Case>,
    pub(super) recipients: Option<u64>,
    pub(super) messages: Option<u64>,
    pub(super) shared_messages: Option<u64>,
    pub(super) previewer: Option<Mutex<Previewer>>,
    /// The campaign has a To of its own.
    pub(super) sets_to: bool,
}

impl Edition {
    /// Reads a folder. The list is taken from the edition before where it is known to be the same.
    pub(super) fn read(
        read: &ReadInputs,
        before: &Self,
        same_list: bool,
    ) -> (Self, Option<Inputs>) {
        let number = before.number + 1;
        let inputs = match read() {
            Ok(inputs) => inputs,
            Err(notes) => {
                let edition = Self {
                    number,
                    name: before.name.clone(),
                    list: before.list.clone(),
                    notes,
                    list_file: before.list_file.clone(),
                    ..Self::default()
                };
                return (edition, None);
            }
        };
        let (ready, findings) = plan::open(&inputs);
        let mut edition = Self {
            number,
            name: inputs.name.clone(),
            notes: findings.iter().map(Note::from).collect(),
            mode: Some(inputs.mode),
            list_file: inputs.folder.join(&inputs.list),
            ..Self::default()
        };
        if let Some(ready) = ready {
            edition.list = match &before.list {
                Some(list) if same_list => Some(Arc::clone(list)),
                _ => Some(Arc::new(edition.list_of(ready.list, &inputs))),
            };
            // With an error in it, a campaign is rendered to be proved only: nothing of it would go out.
            let is_sound = !edition.notes.iter().any(Note::is_error);
            edition.renderer = ready.renderer.filter(|_| is_sound);
        }
        (edition, Some(inputs))
    }

    /// Reads all rows; what ends that early is noted.
    fn list_of<R: Read + Seek>(&mut self, rows: ListReader<R>, inputs: &Inputs) -> List {
        let mut list = List::new(rows.columns());
        if let Some(cause) = list.read(rows, inputs) {
            let place = cause.place();
            self.notes.push(Note {
                file: inputs.list.display().to_string(),
                row: place.map(|place| place.row).filter(|row| *row > 0),
                line: place.map(|place| place.line),
                ..Note::error(cause.code(), cause.to_string(), cause.remedy())
            });
        }
        list
    }

    /// The list of a plan.
    pub(super) fn of_plan(previewer: &Previewer) -> Result<Self, Error> {
        const LEFT_OUT: [&str; 4] = ["invalid", "filtered", "suppressed", "cancelled"];
        let mut list = previewer
            .definition()
            .map_or_else(List::default, |definition| List::new(&definition.columns));
        previewer.rows(|row, cells| {
            let outcome = row.outcome.as_str();
            let left_out = LEFT_OUT.into_iter().find(|word| *word == outcome);
            let fate = match left_out {
                Some(word) => Fate::LeftOut(word),
                None if outcome == "duplicate" => Fate::Duplicate { of: 0 },
                None if outcome == "grouped" => Fate::Grouped { of: 0 },
                None => Fate::Mail,
            };
            list.push(row.row, &row.address, cells, fate);
        })?;
        Ok(Self {
            number: 1,
            name: previewer.record().name.clone(),
            list: Some(Arc::new(list)),
            ..Self::default()
        })
    }

    /// Renders one row before, or without, a plan.
    pub(super) fn mail(&self, row: u64, now: Timestamp) -> Option<Result<Mail, Error>> {
        let (renderer, list) = (self.renderer.as_ref()?, self.list.as_ref()?);
        let found = list.row(row)?;
        let cells = if renderer.definition().grouped {
            serde_json::to_string(&list.rows_of_person(row))
        } else {
            serde_json::to_string(&found.cells)
        };
        let cells = match cells {
            Ok(cells) => cells,
            Err(cause) => return Some(Err(cause.into())),
        };
        let recipient = Claimed {
            row,
            address: found.line.address().to_owned(),
            cells,
        };
        let identity = Identity {
            message_id: &placeholder_id(row, renderer),
            date: now,
            shared: self.mode == Some(Mode::Shared),
        };
        Some(Mail::make(renderer, row, &[recipient], &identity))
    }

    /// The campaign has a To of its own.
    pub(super) fn sets_to(&self) -> bool {
        let renderer = self.renderer.as_ref();
        renderer.is_some_and(|renderer| renderer.definition().sources.to.is_some())
    }
}

impl Proved {
    /// Checks everything, with a plan below `place` that shows which rows share a message.
    pub(super) fn of_folder(
        place: &Path,
        inputs: &Inputs,
        now: Timestamp,
        progress: &mut dyn FnMut(Progress),
    ) -> Self {
        match Previewer::of_folder_in(place, inputs, now, progress) {
            Ok(Unplanned::Ready(previewer, checked)) => {
                let mut proved = Self::of_check(&checked);
                proved.messages = Some(checked.messages);
                proved.shared_messages = Some(checked.shared_messages);
                proved.recipients = Some(checked.rows.planned);
                proved.sets_to = sets_to(&previewer);
                proved.previewer = Some(Mutex::new(*previewer));
                proved
            }
            Ok(Unplanned::Defective(checked)) => Self::of_check(&checked),
            Err(cause) => Self {
                notes: vec![note(&cause)],
                ..Self::default()
            },
        }
    }

    fn of_check(checked: &Checked) -> Self {
        Self {
            notes: checked.findings.iter().map(Note::from).collect(),
            cases: checked.cases.clone(),
            ..Self::default()
        }
    }

    /// What a plan is, which was proved when it was made.
    pub(super) fn of_plan(previewer: Previewer) -> Self {
        let messages = previewer.count();
        let cases = previewer.cases();
        let failed = messages.as_ref().err().or(cases.as_ref().err());
        Self {
            notes: failed.map(note).into_iter().collect(),
            cases: cases.unwrap_or_default(),
            messages: messages.ok(),
            sets_to: sets_to(&previewer),
            previewer: Some(Mutex::new(previewer)),
            ..Self::default()
        }
    }

    /// The mail that a row gets; none where this does not say.
    pub(super) fn mail(&self, row: u64) -> Option<Result<Mail, Error>> {
        let previewer = self.previewer.as_ref()?;
        let previewer = previewer.lock().unwrap_or_else(PoisonError::into_inner);
        let number = previewer.number_of_row(row).transpose()?;
        number.and_then(|number| previewer.mail(number)).transpose()
    }
}

fn sets_to(previewer: &Previewer) -> bool {
    let definition = previewer.definition();
    definition.is_some_and(|definition| definition.sources.to.is_some())
}

/// Why a mail cannot be shown.
pub(super) fn note(cause: &Error) -> Note {
    let (code, remedy) = match cause {
        Error::Message(cause) => (cause.code(), cause.remedy()),
        Error::Write { .. } => (
            "cannot-write",
            "make sure that there is room on the disk and that you may write there".to_owned(),
        ),
        _ => (
            "cannot-preview",
            "run `postroom check`; if this stays, report it".to_owned(),
        ),
    };
    Note::error(code, cause.to_string(), remedy)
}
