//! From a list's rows to the people whom it is for: filtered, then the first row of each or all of them.

use super::super::error::Error;
use super::super::filtering;
use super::super::gathering::Gathering;
use super::super::person::Person;
use super::super::row_findings;
use super::{Progress, Walk};
use crate::recipients::{Address, Columns, Duplicates, Item, Row, RowProblem, Verdict};
use crate::store::Reason;

impl Walk<'_> {
    /// What has to be known of the columns.
    pub(super) fn look_at(&mut self, columns: &Columns, address: &str) {
        address.clone_into(&mut self.address_column);
        self.address_at = columns.index_of(address);
        self.filter = filtering::filter_of(self.inputs, columns, self.findings);
    }

    /// At the list's end.
    pub(super) fn note_if_nobody_is_left(&mut self) {
        if self.rows.filtered > 0 && self.rows.filtered == self.rows.listed {
            let warned = self.findings.has_any_of(&filtering::UNCLEAR);
            self.findings
                .add(filtering::excludes_all(self.rows.listed, warned));
        }
    }

    /// At the very end, with everybody proved.
    pub(super) fn note_if_all_are_suppressed(&mut self) {
        if self.rows.suppressed > 0 && self.rows.planned + self.rows.invalid == 0 {
            self.findings
                .add(row_findings::all_suppressed(self.rows.suppressed));
        }
    }

    /// The person, unless nothing is written to them: then they are a recipient without a message. Nothing of
    /// theirs is rendered.
    pub(super) fn unless_suppressed(&mut self, person: Person) -> Result<Option<Person>, Error> {
        if !self.inputs.suppressed.covers(&person.address) {
            return Ok(Some(person));
        }
        self.rows.suppressed += 1;
        self.rows.grouped += person.further().len() as u64;
        self.sink.suppressed(&person)?;
        for row in person.further() {
            let address = self.address_of(row);
            self.sink.joined(row, address, person.row.number)?;
        }
        Ok(None)
    }

    /// How far it is with the people of a list that was read to its end: proving them is what takes the time.
    pub(super) fn proved_of_gathered(&self, done: u64, people: u64, size: u64) -> Progress {
        let read = u128::from(size) * u128::from(done) / u128::from(people.max(1));
        Progress {
            rows: self.rows.listed,
            read: read as u64,
            size,
        }
    }

    /// Whether the filter leaves the row out. It asks before anything else does, so that what is wrong in a
    /// row that nobody means is no finding; only where cells cannot be told apart there is nothing to ask.
    pub(super) fn leaves_out(&mut self, item: &Item, columns: &Columns) -> Result<bool, Error> {
        let Some(filter) = &self.filter else {
            return Ok(false);
        };
        let row = match item {
            Item::Row(row, _) => row,
            Item::Invalid(row, problems) if filtering::has_its_cells(problems) => row,
            Item::Invalid(..) => return Ok(false),
        };
        match filter.judge(&row.cells) {
            Verdict::Taken => return Ok(false),
            Verdict::LeftOut => {}
            Verdict::Unclear { column, wanted } => {
                let finding = filtering::unclear(self.inputs, row, columns, column, wanted);
                self.add(row, finding);
            }
        }
        self.rows.filtered += 1;
        let address = self.address_of(row).to_owned();
        self.sink.left_out(row, &address, Reason::Filtered)?;
        Ok(true)
    }

    /// Whom the row stands for, unless that is told later or by an earlier row.
    pub(super) fn meet(
        &mut self,
        met: &mut Met,
        row: Row,
        address: Address,
    ) -> Result<Option<Person>, Error> {
        match met {
            Met::Grouped(gathering) => gathering.add(&row, address),
            Met::First(seen) => match seen.first_row(&address, row.number) {
                Some(first) => self.duplicate(&row, &address, first)?,
                None => return self.unless_suppressed(Person::of(row, address)),
            },
        }
        Ok(None)
    }

    fn duplicate(&mut self, row: &Row, address: &Address, first: u64) -> Result<(), Error> {
        self.rows.duplicate += 1;
        let column = &self.address_column;
        let found = row_findings::duplicate(self.inputs, row, address, first, column);
        self.add(row, found);
        self.sink.left_out(row, address.as_str(), Reason::Duplicate)
    }

    pub(super) fn invalid(&mut self, row: &Row, problems: &[RowProblem]) -> Result<(), Error> {
        self.rows.invalid += 1;
        let found: Vec<_> = (problems.iter())
            .map(|problem| row_findings::defect(self.inputs, problem))
            .collect();
        self.sink.bad(row, &found);
        for finding in found {
            self.add(row, finding);
        }
        let address = self.address_of(row).to_owned();
        self.sink.left_out(row, &address, Reason::Invalid)
    }

    /// The address as it stands in the row.
    pub(super) fn address_of<'r>(&self, row: &'r Row) -> &'r str {
        let cell = self.address_at.and_then(|at| row.cells.get(at));
        cell.map_or("", String::as_str)
    }
}

/// Who was met so far.
pub(super) enum Met {
    /// Their first rows count.
    First(Duplicates),
    /// All of their rows do.
    Grouped(Gathering),
}

impl Met {
    pub(super) fn new(grouped: bool) -> Self {
        if grouped {
            Self::Grouped(Gathering::default())
        } else {
            Self::First(Duplicates::new())
        }
    }

    pub(super) fn gathered(self) -> Gathering {
        match self {
            Self::First(_) => Gathering::default(),
            Self::Grouped(gathering) => gathering,
        }
    }
}
