//! The campaign.toml of a campaign that amends another one: the same, but for its name and its list.

use toml_edit::{DocumentMut, Item, Table, value};

/// What the file of the amended campaign says, as a campaign of this name with this list. Remarks stay; what
/// chose rows of the former list, or said how it is to be read, goes, and so does a start that is over.
///
/// # Errors
/// The text is no TOML.
pub fn amended(text: &str, name: &str, list: &str) -> Result<String, String> {
    let mut document: DocumentMut = text.parse().map_err(|cause| format!("{cause}"))?;
    document.insert("name", value(name));
    let recipients = document
        .entry("recipients")
        .or_insert_with(|| Item::Table(Table::new()));
    if let Some(recipients) = recipients.as_table_like_mut() {
        recipients.insert("file", value(list));
        for key in ["where", "sheet", "encoding", "numbers", "dates"] {
            recipients.remove(key);
        }
    }
    if let Some(delivery) = document.get_mut("delivery")
        && let Some(delivery) = delivery.as_table_like_mut()
    {
        delivery.remove("not_before");
    }
    Ok(document.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_same_but_for_name_and_list() {
        let text = "# Our news\naccount = \"comms\" # the office\n\n[message]\nsubject = \"News\"\n\n[recipients]\n\
                    file = \"staff.xlsx\"\nsheet = \"Staff\"\nwhere = \"office == 'Berlin'\"\naddress = \"E-Mail\"\n\n\
                    [delivery]\nnot_before = 2026-12-01T09:00:00\nhours = \"Mon-Fri 08:00-18:00\"\n";
        let made = amended(text, "news-amended", "people.csv").unwrap();
        for kept in [
            "# Our news",
            "# the office",
            "subject = \"News\"",
            "address = \"E-Mail\"",
            "hours",
        ] {
            assert!(made.contains(kept), "{kept} in {made}");
        }
        for gone in ["sheet", "where", "not_before", "staff.xlsx"] {
            assert!(!made.contains(gone), "{gone} in {made}");
        }
        let read: toml::Table = made.parse().unwrap();
        assert_eq!(read["name"].as_str(), Some("news-amended"));
        assert_eq!(read["recipients"]["file"].as_str(), Some("people.csv"));
    }

    #[test]
    fn inline_tables_are_edited_too() {
        let made = amended(
            "recipients = { file = \"a.xlsx\", sheet = \"x\" }\n",
            "b",
            "c.csv",
        )
        .unwrap();
        let read: toml::Table = made.parse().unwrap();
        assert_eq!(read["recipients"].as_table().unwrap().len(), 1);
    }
}
