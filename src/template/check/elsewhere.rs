//! Helpers that other programs' templates call, and what does here what they do there.

/// The helper here for one of another program, by the name in lower case without `-` and `_`.
pub(super) fn same_as(name: &str) -> Option<&'static str> {
    let plain: String = name.chars().filter(|c| !matches!(c, '-' | '_')).collect();
    Some(match plain.to_lowercase().as_str() {
        // SendGrid's and Mailgun's.
        "equals" | "equal" | "ifequal" | "ifequals" | "ifeq" | "is" | "match" | "iseq" => "eq",
        "notequals" | "notequal" | "unlessequals" | "unlesseq" | "ifnoteq" | "ifne" | "isnt"
        | "neq" => "ne",
        "greaterthan" | "ifgt" => "gt",
        "lessthan" | "iflt" => "lt",
        "greaterthanorequal" | "ifgte" => "gte",
        "lessthanorequal" | "iflte" => "lte",
        "insert" | "fallback" | "defaultvalue" | "ifempty" | "coalesce" => "default",
        "formatdate" | "dateformat" | "moment" | "prettydate" | "todate" => "date",
        "formatnumber" | "numberformat" | "tofixed" | "currency" | "formatcurrency" | "money"
        | "formatprice" | "addcommas" => "number",
        "length" | "count" | "size" => "len",
        "uppercase" | "toupper" | "touppercase" => "upper",
        "lowercase" | "tolower" | "tolowercase" => "lower",
        "capitalizefirst" | "titlecase" | "ucfirst" => "capitalize",
        "foreach" | "eachof" | "loop" => "each",
        "ifand" | "all" => "and",
        "ifor" | "any" => "or",
        "ifnot" => "unless",
        _ => return None,
    })
}
