//! What the rows have in common, as findings.

use hashbrown::HashSet;

use super::{FEW_OTHERS, Rows, Watch};
use crate::message::Renderer;
use crate::plan::files::listed;
use crate::plan::findings::{Finding, Findings, Severity};
use crate::plan::mending::file_of;
use crate::plan::sources::{CAMPAIGN, error};
use crate::proof::near;
use crate::recipients::Address;
use crate::template::How;

/// From so many people outside on, providers ask for a way to unsubscribe.
const MANY_OUTSIDE: u64 = 100;

/// A domain of the list is commoner than another when it has so many times its rows, and at least so many.
const TIMES: u64 = 10;
/// A slip happens to a few; what more people have is a domain of its own.
const FEW: u64 = 5;

impl Watch<'_> {
    /// Says what was found.
    pub(in super::super) fn finish(self, renderer: &Renderer, findings: &mut Findings) {
        self.unused(findings);
        self.empty(findings);
        self.asked(findings);
        self.raw(findings);
        self.near(renderer, findings);
        self.unsubscribe(findings);
        self.sender(findings);
    }

    fn of_list(&self, code: &'static str, message: String, remedy: String) -> Finding {
        Finding {
            severity: Severity::Warning,
            remedy,
            ..error(code, &self.inputs.list, message, "")
        }
    }

    fn unused(&self, findings: &mut Findings) {
        if self.uses.is_partial {
            return;
        }
        let used: HashSet<usize> = (self.uses.fields.iter().map(|one| &one.field))
            .chain(&self.uses.meant)
            .filter_map(|field| self.columns.index_of(field))
            .chain([self.address])
            .collect();
        let names = self.columns.names().iter().enumerate();
        let idle: Vec<String> = names
            .filter(|(at, _)| !used.contains(at))
            .map(|(_, name)| format!("'{}'", name.escape_debug()))
            .collect();
        if idle.is_empty() {
            return;
        }
        let what = match idle.len() {
            1 => "one column is in no template".to_owned(),
            count => format!("{count} columns are in no template"),
        };
        findings.add(Finding {
            severity: Severity::Note,
            line: Some(1),
            ..self.of_list(
                "columns-unused",
                format!("{what}: {}", listed(&idle)),
                "nothing needs to be done, unless one of them was to be in the mail".to_owned(),
            )
        });
    }

    fn empty(&self, findings: &mut Findings) {
        for (at, shown) in &self.shown {
            let rows = &shown.empty;
            let all = if shown.of_each_row {
                self.rows
            } else {
                self.people
            };
            let Some(name) = self.columns.names().get(*at).filter(|_| rows.count > 0) else {
                continue;
            };
            let field = self.field_of(*at);
            findings.add(Finding {
                row: rows.first.first().copied(),
                line: Some(rows.line),
                column: Some(name.clone()),
                excerpt: rows.excerpt.clone(),
                ..self.of_list(
                    "empty-cells",
                    format!(
                        "'{}' is empty in {} of {} rows: {}",
                        name.escape_debug(),
                        rows.count,
                        all,
                        rows.named()
                    ),
                    format!(
                        "fill the cells, or say what to write instead: {{{{default {field} \"…\"}}}} or {{{{#if {field}}}}}…{{{{/if}}}}"
                    ),
                )
            });
        }
    }

    /// The field as templates write it.
    fn field_of(&self, at: usize) -> String {
        let uses = self.uses.fields.iter();
        let mut names = uses.filter(|one| self.columns.index_of(&one.field) == Some(at));
        let name = names.next().map_or("", |one| one.field.as_str());
        let plain = name.chars().all(|c| c.is_alphanumeric() || c == '_');
        if plain {
            name.to_owned()
        } else {
            format!("[{name}]")
        }
    }

    fn asked(&self, findings: &mut Findings) {
        for one in self.uses.fields.iter().filter(|one| one.how == How::Tested) {
            let at = self.columns.index_of(&one.field);
            let key = at.map(|at| (at, one.of_each_row));
            let Some(asked) = key.and_then(|key| self.asked.get(&key)) else {
                continue;
            };
            let certain = asked.no.count > 0;
            let (rows, word) = if certain {
                (&asked.no, &asked.word)
            } else {
                (&asked.maybe_no, &asked.maybe_word)
            };
            // "No" may be a name, and "N" a middle initial, in a column of all sorts.
            if rows.count == 0 || (!certain && asked.others.len() > FEW_OTHERS) {
                continue;
            }
            let word = word.escape_debug();
            let field = at.map_or_else(String::new, |at| self.field_of(at));
            let right = if certain {
                format!("(ne {field} \"{word}\")")
            } else {
                format!("(eq {field} \"yes\")")
            };
            findings.add(Finding {
                severity: Severity::Warning,
                line: one.line.map(|line| line as u64),
                column: one.column.map(|column| column.to_string()),
                ..error(
                    "if-on-text",
                    &file_of(&one.part),
                    format!(
                        "'{}' says \"{word}\" in {}, and any text that is not empty counts as yes here",
                        one.field.escape_debug(),
                        rows.named()
                    ),
                    &format!("compare it: {{{{#if {right}}}}}; or leave those cells empty"),
                )
            });
        }
    }

    fn raw(&self, findings: &mut Findings) {
        let is_raw = |how| matches!(how, How::Shown { raw: true, .. });
        for one in self.uses.fields.iter().filter(|one| is_raw(one.how)) {
            findings.add(Finding {
                severity: Severity::Warning,
                line: one.line.map(|line| line as u64),
                column: one.column.map(|column| column.to_string()),
                ..error(
                    "raw-field",
                    &file_of(&one.part),
                    format!(
                        "the cells of '{}' go into the HTML as they are: a '<' or '&' in one breaks the mail",
                        one.field.escape_debug()
                    ),
                    "write it in two braces, unless the column is meant to hold HTML",
                )
            });
        }
    }

    fn near(&self, renderer: &Renderer, findings: &mut Findings) {
        let own = renderer.definition();
        let declared: Vec<&str> = own
            .internal
            .iter()
            .map(String::as_str)
            .chain([renderer.sender().domain()])
            .collect();
        let mut domains: Vec<(&String, &Rows)> = self.domains.iter().collect();
        domains.sort_by_key(|(_, rows)| rows.line);
        let common: Vec<(&String, &Rows)> = domains
            .iter()
            .filter(|(_, rows)| rows.count >= TIMES)
            .copied()
            .collect();
        for (domain, rows) in &domains {
            if rows.count > FEW || declared.contains(&domain.as_str()) {
                continue;
            }
            let commoner = common
                .iter()
                .filter(|(_, others)| others.count >= rows.count * TIMES)
                .find(|(other, _)| near::is_slip(domain, other))
                .map(|(other, others)| {
                    (other.as_str(), format!("which {} rows have", others.count))
                });
            let usual = || {
                let own = declared.iter().map(|known| (*known, "your own".to_owned()));
                let known = near::WELL_KNOWN.iter();
                own.chain(known.map(|known| (*known, "which very many people have".to_owned())))
                    .find(|(known, _)| near::is_slip(domain, known))
            };
            let Some((meant, why)) = commoner.or_else(usual) else {
                continue;
            };
            let name = self.columns.names().get(self.address).cloned();
            findings.add(Finding {
                row: rows.first.first().copied(),
                line: Some(rows.line),
                column: name,
                excerpt: rows.excerpt.clone(),
                ..self.of_list(
                    "address-near-miss",
                    format!(
                        "'{domain}' looks like a slip of '{meant}', {why}: {}",
                        rows.named()
                    ),
                    format!("write {meant} if that is meant; nothing needs to be done otherwise"),
                )
            });
        }
    }

    fn unsubscribe(&self, findings: &mut Findings) {
        let has_header = self
            .inputs
            .headers
            .iter()
            .any(|(name, _)| name.eq_ignore_ascii_case("List-Unsubscribe"));
        let mostly = self.outside * 2 > self.people && self.outside >= MANY_OUTSIDE;
        let addresses = [
            &self.inputs.list_unsubscribe,
            &self.inputs.unsubscribe_mailto,
            &self.inputs.unsubscribe_url,
        ];
        if !mostly || has_header || addresses.into_iter().any(Option::is_some) {
            return;
        }
        let message = format!(
            "{} of {} people are outside, and the mail offers no way to unsubscribe",
            self.outside, self.people
        );
        let remedy = "add unsubscribe = { mailto = \"…\" } under [message]: large providers ask for it, and put mails without it into the spam folder";
        findings.add(Finding {
            severity: Severity::Warning,
            ..error(
                "unsubscribe-missing",
                format!("{CAMPAIGN}: message").as_ref(),
                message,
                remedy,
            )
        });
    }

    /// The From address, where the account signs in as somebody of another domain. Accounts of a provider that
    /// refuses such mail have been looked at before, and relays are signed in to with names that are none.
    fn sender(&self, findings: &mut Findings) {
        let Ok(from) = crate::recipients::Mailbox::parse(&self.inputs.from) else {
            return;
        };
        for account in self.inputs.accounts.iter().filter(|one| one.from.is_none()) {
            // What the quota is counted by is the name to sign in with, at the server.
            let username = account.mailbox.rsplit_once('@').map(|(name, _)| name);
            let Some(Ok(own)) = username.map(Address::parse) else {
                continue;
            };
            let (own_domain, from_domain) = (own.domain(), from.address.domain());
            let is_under = |a: &str, b: &str| a == b || a.ends_with(&format!(".{b}"));
            if is_under(own_domain, from_domain) || is_under(from_domain, own_domain) {
                continue;
            }
            let message = format!(
                "the mail says that it is from {}, and the account '{}' signs in as {own}",
                from.address, account.name
            );
            let remedy = format!(
                "see with `postroom doctor {0}` whether it may; if so, say so with from = \"{1}\" under [{0}] in accounts.toml",
                account.name, from.address
            );
            findings.add(Finding {
                severity: Severity::Warning,
                ..error(
                    "from-unknown",
                    format!("{CAMPAIGN}: message.from").as_ref(),
                    message,
                    &remedy,
                )
            });
        }
    }
}
