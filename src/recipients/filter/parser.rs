//! From words to comparisons.
//!
//! ```text
//! any    = all { "or" all }
//! all    = one { "and" one }
//! one    = "not" one | "(" any ")" | column test
//! test   = sign value | ["not"] "in" "(" value { "," value } ")" | "is" ["not"] "empty"
//!        | ["not"] ( "contains" | "starts" "with" | "ends" "with" ) text
//! ```

use super::comparison::{Bound, Order, Test, Value, plain};
use super::words::{self, Token, Word};
use super::{Column, FilterError, MAX_DEPTH, Node};

/// Words that are no columns unless they stand in brackets.
const LANGUAGE: [&str; 11] = [
    "and", "or", "not", "in", "is", "empty", "contains", "starts", "ends", "with", "where",
];

pub(super) fn parse(text: &str) -> Result<Node<Column>, FilterError> {
    let mut parser = Parser {
        words: words::of(text)?,
        next: 0,
        end: text.chars().count() + 1,
    };
    let root = parser.any(0)?;
    if parser.peek().is_some() {
        return Err(parser.unexpected(
            "'and' or 'or'",
            "write and or or between two comparisons, and as many ) as there are (",
        ));
    }
    Ok(root)
}

struct Parser {
    words: Vec<Word>,
    next: usize,
    /// The place after the last character, from 1.
    end: usize,
}

impl Parser {
    fn any(&mut self, depth: usize) -> Result<Node<Column>, FilterError> {
        let mut parts = vec![self.all(depth)?];
        while self.takes_word("or") {
            parts.push(self.all(depth)?);
        }
        Ok(alone(parts, Node::Any))
    }

    fn all(&mut self, depth: usize) -> Result<Node<Column>, FilterError> {
        let mut parts = vec![self.one(depth)?];
        while self.takes_word("and") {
            parts.push(self.one(depth)?);
        }
        Ok(alone(parts, Node::All))
    }

    fn one(&mut self, depth: usize) -> Result<Node<Column>, FilterError> {
        if depth > MAX_DEPTH {
            return Err(FilterError {
                at: self.at(),
                message: format!("more than {MAX_DEPTH} parentheses stand in each other"),
                remedy: "take out parentheses that are not needed".to_owned(),
            });
        }
        if self.takes_word("not") {
            return Ok(Node::Not(Box::new(self.one(depth + 1)?)));
        }
        if self.takes_sign("(") {
            let inner = self.any(depth + 1)?;
            if self.takes_sign(")") {
                return Ok(inner);
            }
            return Err(self.unexpected("')'", "write as many ) as there are ("));
        }
        let column = self.column()?;
        self.test(column)
    }

    fn column(&mut self) -> Result<Column, FilterError> {
        let at = self.at();
        let name = match self.peek() {
            Some(Token::Bracketed(name)) => name.clone(),
            Some(Token::Name(name)) if !is_of_language(name) => name.clone(),
            Some(Token::Text(_) | Token::Number(_)) => {
                return Err(self.unexpected(
                    "a column's name",
                    "write the column first, as in office == 'Berlin'; a name with blanks goes in brackets, not in quotes",
                ));
            }
            _ => {
                return Err(self.unexpected(
                    "a column's name",
                    "write comparisons, as in office == 'Berlin'; a column that is called like a word of the filter goes in brackets",
                ));
            }
        };
        self.next += 1;
        Ok(Column { name, at })
    }

    fn test(&mut self, column: Column) -> Result<Node<Column>, FilterError> {
        if let Some(Token::Sign(sign @ ("==" | "=" | "!=" | "<>" | "<" | "<=" | ">" | ">="))) =
            self.peek()
        {
            let sign = *sign;
            self.next += 1;
            let at = self.at();
            return compared(column, sign, self.value()?, at);
        }
        if self.takes_word("is") {
            let not = self.takes_word("not");
            if !self.takes_word("empty") {
                return Err(
                    self.unexpected("'empty'", "write is empty, is not empty, or == for a value")
                );
            }
            return Ok(perhaps_not(not, Node::Cell(column, Test::IsEmpty)));
        }
        let not = self.takes_word("not");
        let test = if self.takes_word("in") {
            Test::OneOf(self.values()?)
        } else if self.takes_word("contains") {
            Test::Contains(self.part()?)
        } else if self.takes_words("starts", "with") {
            Test::StartsWith(self.part()?)
        } else if self.takes_words("ends", "with") {
            Test::EndsWith(self.part()?)
        } else {
            let spaced = match self.peek() {
                Some(Token::Name(more)) if !is_of_language(more) => format!(
                    "; if the column is called '{0} {more}', write [{0} {more}]",
                    column.name
                ),
                _ => String::new(),
            };
            let remedy = format!(
                "after a column comes one of == != < <= > >= in, contains, starts with, ends with, is empty{spaced}"
            );
            return Err(self.unexpected("a comparison", &remedy));
        };
        Ok(perhaps_not(not, Node::Cell(column, test)))
    }

    fn value(&mut self) -> Result<Value, FilterError> {
        let value = match self.peek() {
            Some(Token::Text(text)) => Value::Text(plain(text)),
            Some(Token::Number(number)) => Value::Number(number.clone()),
            Some(Token::Name(name) | Token::Bracketed(name)) => {
                let remedy = format!("put text in quotes: '{name}'");
                return Err(self.unexpected("text in quotes or a number", &remedy));
            }
            _ => {
                return Err(self.unexpected(
                    "text in quotes or a number",
                    "write a value, as in office == 'Berlin' or age >= 18",
                ));
            }
        };
        self.next += 1;
        Ok(value)
    }

    fn values(&mut self) -> Result<Vec<Value>, FilterError> {
        let remedy = "write the values in parentheses, as in office in ('Berlin', 'Paris')";
        if !self.takes_sign("(") {
            return Err(self.unexpected("'('", remedy));
        }
        let mut values = vec![self.value()?];
        while self.takes_sign(",") {
            values.push(self.value()?);
        }
        if self.takes_sign(")") {
            Ok(values)
        } else {
            Err(self.unexpected("',' or ')'", remedy))
        }
    }

    /// What a cell is to contain: something, since every cell contains nothing.
    fn part(&mut self) -> Result<String, FilterError> {
        let part = match self.peek() {
            Some(Token::Text(text)) => plain(text),
            _ => String::new(),
        };
        if part.is_empty() {
            return Err(self.unexpected("text in quotes", "write it in quotes, as in 'Berlin'"));
        }
        self.next += 1;
        Ok(part)
    }

    fn peek(&self) -> Option<&Token> {
        self.words.get(self.next).map(|word| &word.token)
    }

    fn at(&self) -> usize {
        self.words.get(self.next).map_or(self.end, |word| word.at)
    }

    fn takes_sign(&mut self, wanted: &str) -> bool {
        let takes = matches!(self.peek(), Some(Token::Sign(sign)) if *sign == wanted);
        self.next += usize::from(takes);
        takes
    }

    fn takes_word(&mut self, wanted: &str) -> bool {
        let takes = self.is_word(0, wanted);
        self.next += usize::from(takes);
        takes
    }

    fn takes_words(&mut self, first: &str, second: &str) -> bool {
        let takes = self.is_word(0, first) && self.is_word(1, second);
        self.next += if takes { 2 } else { 0 };
        takes
    }

    fn is_word(&self, ahead: usize, wanted: &str) -> bool {
        let word = self.words.get(self.next + ahead);
        matches!(word, Some(Word { token: Token::Name(name), .. }) if name.eq_ignore_ascii_case(wanted))
    }

    fn unexpected(&self, expected: &str, remedy: &str) -> FilterError {
        let found = match self.peek() {
            None => "the filter ends".to_owned(),
            Some(Token::Name(name)) => format!("found '{name}'"),
            Some(Token::Bracketed(name)) => format!("found [{name}]"),
            Some(Token::Text(text)) => format!("found the text '{text}'"),
            Some(Token::Number(_)) => "found a number".to_owned(),
            Some(Token::Sign(sign)) => format!("found '{sign}'"),
        };
        FilterError {
            at: self.at(),
            message: format!("expected {expected}, {found}"),
            remedy: remedy.to_owned(),
        }
    }
}

fn is_of_language(name: &str) -> bool {
    LANGUAGE.iter().any(|word| name.eq_ignore_ascii_case(word))
}

fn alone(
    mut parts: Vec<Node<Column>>,
    several: fn(Vec<Node<Column>>) -> Node<Column>,
) -> Node<Column> {
    match parts.pop() {
        Some(only) if parts.is_empty() => only,
        Some(last) => {
            parts.push(last);
            several(parts)
        }
        None => several(parts),
    }
}

fn perhaps_not(not: bool, node: Node<Column>) -> Node<Column> {
    if not { Node::Not(Box::new(node)) } else { node }
}

fn compared(
    column: Column,
    sign: &str,
    value: Value,
    at: usize,
) -> Result<Node<Column>, FilterError> {
    let order = match sign {
        "<" => Order::Less,
        "<=" => Order::LessOrEqual,
        ">" => Order::Greater,
        ">=" => Order::GreaterOrEqual,
        _ => {
            let equals = Node::Cell(column, Test::Equals(value));
            return Ok(perhaps_not(matches!(sign, "!=" | "<>"), equals));
        }
    };
    let bound = Bound::of(value).ok_or_else(|| FilterError {
        at,
        message: format!("what comes before and after this cannot be told, so '{sign}' cannot compare with it"),
        remedy: "write a number as 1234 or 12.5, a date as '2026-12-31', or text that begins with a letter"
            .to_owned(),
    })?;
    Ok(Node::Cell(column, Test::Ordered(order, bound)))
}
