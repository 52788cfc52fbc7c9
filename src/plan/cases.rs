//! The few rows that between them show every case of a campaign.

/// A row worth looking at, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    /// The data row of the list, from 1.
    pub row: u64,
    /// What it shows that no earlier case does, in plain words; at least one.
    pub shows: Vec<String>,
}
