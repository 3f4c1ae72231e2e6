//! From bytes to records, strictly: RFC 4180, one width, a declared encoding. What is odd refuses the file; nothing is guessed or mended,
//! for a column that slipped by one makes leavers of the wrong people.

use super::fault::Fault;

/// How the bytes are read.
pub(super) struct Form<'a> {
    pub encoding: Option<&'a str>,
    pub delimiter: Option<char>,
    /// From 1.
    pub header_line: usize,
    pub open_end: bool,
}

#[derive(Debug)]
pub(super) struct Record {
    /// Where it starts.
    pub line: usize,
    pub cells: Vec<String>,
}

#[derive(Debug)]
pub(super) struct Table {
    pub header: Vec<String>,
    pub records: Vec<Record>,
}

pub(super) fn read(bytes: &[u8], form: &Form<'_>) -> Result<Table, Fault> {
    if bytes.is_empty() {
        return Err(Fault::file("it is empty"));
    }
    if bytes.starts_with(b"PK\x03\x04") {
        return Err(Fault::file("it is an .xlsx workbook, not CSV").hint("export it as CSV"));
    }
    let (text, wide) = decode(bytes, form.encoding)?;
    // Everything below counts lines by '\n' alone.
    let text = text.replace("\r\n", "\n");
    if let Some(at) = text.find('\0') {
        return Err(Fault::line(
            line_of(&text, at),
            "there is a NUL byte: it is not text, or was cut on the way",
        ));
    }
    if text.trim_start().starts_with('<') {
        return Err(Fault::file(
            "it is HTML or XML, not CSV: a login page, or an error saved as a file",
        ));
    }
    let delimiter = form.delimiter.unwrap_or(if wide { '\t' } else { ',' });
    let start = text
        .split_inclusive('\n')
        .take(form.header_line.saturating_sub(1))
        .map(str::len)
        .sum::<usize>();
    // Looked at first: a wrong delimiter makes nonsense of every quote below.
    let header = text[start..].lines().next().unwrap_or_default();
    if !header.is_empty() && !header.contains(delimiter) {
        return Err(one_column(header, delimiter, form.header_line));
    }
    let mut records = records(&text[start..], delimiter, form.header_line)?;
    if records.is_empty() {
        return Err(Fault::file("it has no header"));
    }
    let header = records.remove(0);
    let open = !text.ends_with('\n') && !form.open_end;
    let last = records.last().map(|r| r.line);
    for record in &records {
        if record.cells.len() != header.cells.len() {
            let (found, width) = (record.cells.len(), header.cells.len());
            let why = match open && Some(record.line) == last {
                true => format!(
                    "it ends in the middle of a line: {found} of {width} fields and no line end; it was cut on the way"
                ),
                false => format!("it has {found} fields, and the header {width}: later columns may have moved"),
            };
            return Err(Fault::line(record.line, why));
        }
    }
    if open {
        let fault = Fault::line(
            text.matches('\n').count() + 1,
            "the last line has no line end: it may have been cut on the way",
        );
        return Err(fault.hint("if the export always ends so, set last_line_may_be_open = true in the system's table"));
    }
    Ok(Table {
        header: header.cells,
        records,
    })
}

/// The byte order mark decides; else strict UTF-8; else the encoding that was named. `true`: of two-byte characters, as Excel's
/// "Unicode text", which has tabs.
fn decode(bytes: &[u8], named: Option<&str>) -> Result<(String, bool), Fault> {
    if let Some((encoding, mark)) = encoding_rs::Encoding::for_bom(bytes) {
        let (text, bad) = encoding.decode_without_bom_handling(&bytes[mark..]);
        if bad {
            return Err(Fault::file(format!(
                "its byte order mark says {}, and its bytes are not",
                encoding.name()
            )));
        }
        return Ok((text.into_owned(), encoding != encoding_rs::UTF_8));
    }
    let e = match std::str::from_utf8(bytes) {
        Ok(text) => return Ok((text.to_owned(), false)),
        Err(e) => e,
    };
    let line = bytes[..e.valid_up_to()].iter().filter(|b| **b == b'\n').count() + 1;
    let Some(encoding) = named.and_then(|n| encoding_rs::Encoding::for_label(n.as_bytes())) else {
        let fault = Fault::line(
            line,
            "it is not UTF-8, and no encoding is declared; guessing would spoil names",
        );
        return Err(fault.hint("name the encoding in the system's table, for example encoding = \"windows-1252\""));
    };
    let (text, bad) = encoding.decode_without_bom_handling(bytes);
    if bad {
        return Err(Fault::line(
            line,
            format!("its bytes are neither UTF-8 nor {}", encoding.name()),
        ));
    }
    Ok((text.into_owned(), false))
}

fn line_of(text: &str, at: usize) -> usize {
    text[..at].matches('\n').count() + 1
}

fn one_column(header: &str, delimiter: char, line: usize) -> Fault {
    let named = |c: char| {
        if c == '\t' {
            "a tab".to_owned()
        } else {
            format!("{c:?}")
        }
    };
    let better = [';', '\t', ',', '|']
        .into_iter()
        .find(|c| *c != delimiter && header.matches(*c).count() >= 2);
    match better {
        Some(c) => Fault::line(
            line,
            format!(
                "split by {} the header has one column, by {} more",
                named(delimiter),
                named(c)
            ),
        )
        .hint(format!("set delimiter = {c:?} in the system's table")),
        None => Fault::line(line, "the header has one column only")
            .hint("if titles stand above the header, set header_line in the system's table"),
    }
}

/// Where the reader stands in a cell.
enum In {
    /// Nothing of it is read yet.
    Start,
    Plain,
    Quotes,
    /// A quote within quotes: the end, or the first of two.
    Quote,
}

fn records(text: &str, delimiter: char, first: usize) -> Result<Vec<Record>, Fault> {
    let (mut out, mut cells, mut cell) = (Vec::new(), Vec::new(), String::new());
    let (mut line, mut start, mut opened) = (first, first, first);
    let mut state = In::Start;
    for c in text.chars() {
        match (&state, c) {
            (In::Quotes, '"') => state = In::Quote,
            (In::Quotes, c) => {
                line += usize::from(c == '\n');
                cell.push(c);
            }
            (In::Quote, '"') => {
                cell.push('"');
                state = In::Quotes;
            }
            (In::Start | In::Plain | In::Quote, '\n') => {
                line += 1;
                let blank = cells.is_empty() && cell.is_empty() && matches!(state, In::Start);
                if !blank {
                    cells.push(std::mem::take(&mut cell));
                    out.push(Record {
                        line: start,
                        cells: std::mem::take(&mut cells),
                    });
                }
                (state, start) = (In::Start, line);
            }
            (In::Start | In::Plain | In::Quote, c) if c == delimiter => {
                cells.push(std::mem::take(&mut cell));
                state = In::Start;
            }
            (In::Quote, _) => return Err(Fault::line(line, "text follows a closing quote")),
            (In::Start, '"') => (state, opened) = (In::Quotes, line),
            (In::Plain, '"') => return Err(Fault::line(line, "a quote stands in the middle of an unquoted field")),
            (In::Start | In::Plain, '\r') => return Err(Fault::line(line, "a carriage return stands alone")),
            (In::Start | In::Plain, c) => {
                cell.push(c);
                state = In::Plain;
            }
        }
    }
    if matches!(state, In::Quotes) {
        return Err(Fault::line(
            opened,
            "a quote is opened and never closed: it was cut on the way",
        ));
    }
    if !cells.is_empty() || !cell.is_empty() || matches!(state, In::Quote) {
        cells.push(cell);
        out.push(Record { line: start, cells });
    }
    Ok(out)
}
