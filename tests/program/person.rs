//! A person with a browser, as far as a sign-in page needs one: links, cookies, forms without scripts.

use std::io::{Read, Write};
use std::net::TcpStream;

/// The most pages that a sign-in may lead through.
const PAGES: usize = 20;

/// Somebody who signs in.
pub(crate) struct Person {
    /// Who they say they are.
    account: String,
    /// What they type where a code is asked for.
    code: Option<String>,
    cookies: Vec<(String, String)>,
}

/// A page as it came.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) status: u16,
    pub(crate) body: String,
    pub(crate) address: String,
    headers: Vec<(String, String)>,
}

impl Page {
    fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        headers.find_map(|(known, value)| (known == name).then_some(value.as_str()))
    }
}

impl Person {
    pub(crate) fn new(account: &str, code: Option<&str>) -> Self {
        Self {
            account: account.to_owned(),
            code: code.map(str::to_owned),
            cookies: Vec::new(),
        }
    }

    /// Opens an address, follows wherever it leads, fills in every form, and gives the last page.
    pub(crate) fn go(&mut self, address: &str) -> Page {
        let mut page = self.open(address, None);
        for _ in 0..PAGES {
            page = if let Some(target) = page.header("location") {
                let target = join(&page.address, target);
                self.open(&target, None)
            } else if page.body.contains("class=\"red\"") {
                // A form with a complaint: trying again would not help.
                return page;
            } else if let Some((action, fields)) = form(&page.body) {
                let target = join(&page.address, &action);
                let body = self.filled(fields);
                self.open(&target, Some(&body))
            } else {
                return page;
            };
        }
        panic!("it leads nowhere: {page:?}");
    }

    fn filled(&self, fields: Vec<(String, String)>) -> String {
        let fields = fields.into_iter().map(|(name, value)| {
            let value = match name.as_str() {
                "account" => self.account.clone(),
                "user_code" => self.code.clone().unwrap_or(value),
                _ => value,
            };
            format!("{name}={}", encoded(&value))
        });
        fields.collect::<Vec<_>>().join("&")
    }

    fn open(&mut self, address: &str, body: Option<&str>) -> Page {
        let cookies: Vec<String> = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let more = format!("Cookie: {}\r\n", cookies.join("; "));
        let page = fetch(address, body, &more);
        for (name, value) in &page.headers {
            if name == "set-cookie" {
                let pair = value.split(';').next().unwrap();
                let (name, value) = pair.split_once('=').unwrap();
                self.cookies.retain(|(known, _)| known != name);
                if !value.is_empty() {
                    self.cookies.push((name.to_owned(), value.to_owned()));
                }
            }
        }
        page
    }
}

/// Fetches one page, by POST with a body; `more` are further header lines.
pub(crate) fn fetch(address: &str, body: Option<&str>, more: &str) -> Page {
    let rest = address.strip_prefix("http://").unwrap();
    let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    let path = if path.starts_with('/') {
        path.to_owned()
    } else {
        format!("/{path}")
    };
    let request = match body {
        None => {
            format!("GET {path} HTTP/1.1\r\nHost: {authority}\r\n{more}Connection: close\r\n\r\n")
        }
        Some(body) => format!(
            "POST {path} HTTP/1.1\r\nHost: {authority}\r\n{more}Connection: close\r\nContent-Length: {}\r\n\
             Content-Type: application/x-www-form-urlencoded\r\n\r\n{body}",
            body.len()
        ),
    };
    let mut stream = TcpStream::connect(authority).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let mut lines = head.lines();
    let status = lines.next().unwrap().split(' ').nth(1).unwrap();
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
        .collect();
    let is_chunked = headers
        .iter()
        .any(|(name, value)| name == "transfer-encoding" && value == "chunked");
    Page {
        status: status.parse().unwrap(),
        body: if is_chunked {
            unchunked(body)
        } else {
            body.to_owned()
        },
        address: address.to_owned(),
        headers,
    }
}

fn unchunked(mut body: &str) -> String {
    let mut whole = String::new();
    while let Some((size, rest)) = body.split_once("\r\n") {
        let size = usize::from_str_radix(size.trim(), 16).unwrap();
        whole.push_str(&rest[..size]);
        body = rest[size..].trim_start_matches("\r\n");
        if size == 0 {
            break;
        }
    }
    whole
}

/// A link as it is meant on a page.
fn join(page: &str, link: &str) -> String {
    if link.starts_with("http://") {
        return link.to_owned();
    }
    let rest = page.strip_prefix("http://").unwrap();
    let authority = rest.split('/').next().unwrap();
    format!("http://{authority}{link}")
}

/// The page's form: where it goes, and its fields with what stands in them.
fn form(html: &str) -> Option<(String, Vec<(String, String)>)> {
    let form = html.split("<form").nth(1)?;
    let (tag, inside) = form.split_once('>')?;
    let inputs = inside.split("</form>").next()?.split("<input").skip(1);
    let fields = inputs.filter_map(|input| {
        let tag = input.split('>').next()?;
        Some((
            attribute(tag, "name")?,
            attribute(tag, "value").unwrap_or_default(),
        ))
    });
    Some((attribute(tag, "action")?, fields.collect()))
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let value = tag.split(&format!("{name}=\"")).nth(1)?.split('"').next()?;
    Some(value.replace("&amp;", "&"))
}

fn encoded(text: &str) -> String {
    let byte = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
            char::from(byte).to_string()
        }
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(byte).collect()
}
