//! Lists of recipients as workbooks.

use std::io::{Cursor, Write as _};

use postroom::recipients::ListOptions;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::lists::read;
use super::pieces;

/// The parts of a workbook that an input may be, in this order; what it does not say is ordinary.
const PARTS: [(&str, &str); 4] = [
    (
        "xl/worksheets/sheet1.xml",
        r#"<worksheet><sheetData><row r="1"><c r="A1" t="inlineStr"><is><t>email</t></is></c></row><row r="2"><c r="A2" t="inlineStr"><is><t>a@contoso.com</t></is></c></row></sheetData></worksheet>"#,
    ),
    (
        "xl/sharedStrings.xml",
        "<sst><si><t>email</t></si><si><t>a@contoso.com</t></si></sst>",
    ),
    (
        "xl/styles.xml",
        r#"<styleSheet><cellXfs><xf numFmtId="0"/><xf numFmtId="14"/></cellXfs></styleSheet>"#,
    ),
    (
        "xl/workbook.xml",
        r#"<workbook xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="S" sheetId="1" r:id="rId1"/></sheets></workbook>"#,
    ),
];

const RELATIONS: &str = r#"<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/><Relationship Id="rId2" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/sharedStrings" Target="sharedStrings.xml"/><Relationship Id="rId3" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/styles" Target="styles.xml"/></Relationships>"#;

/// Whatever a workbook is made of, a zip file of any bytes or a good one of any parts, holds what holds of a list.
pub fn workbooks(data: &[u8]) {
    let options = ListOptions {
        workbook: true,
        ..ListOptions::default()
    };
    if data.starts_with(b"PK") {
        let _ = read(data, &options);
        return;
    }
    let given: Vec<String> = pieces(data).collect();
    let mut file = ZipWriter::new(Cursor::new(Vec::new()));
    let stored = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    let parts = PARTS.iter().enumerate().map(|(at, (name, ordinary))| {
        let text = given.get(at).filter(|text| !text.trim().is_empty());
        (*name, text.map_or(*ordinary, String::as_str))
    });
    for (name, text) in parts.chain([("xl/_rels/workbook.xml.rels", RELATIONS)]) {
        file.start_file(name, stored).expect("memory takes all");
        file.write_all(text.as_bytes()).expect("memory takes all");
    }
    let file = file.finish().expect("memory takes all").into_inner();
    let _ = read(&file, &options);
}
