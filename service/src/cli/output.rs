//! How commands print: columns under heads for people, one JSON object a line for programs.

use std::io::Write;

use connect_service::clock::{Millis, rfc3339};
use connect_service::state::SetupError;
use serde_json::{Map, Value};

/// What stands where there is no value.
const NOTHING: &str = "-";

/// How the result of a command is printed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Output {
    pub(crate) is_json: bool,
}

impl Output {
    /// Prints one value: it alone, or as the only member of an object.
    pub(super) fn value(self, name: &str, value: &str) -> Result<(), SetupError> {
        if self.is_json {
            print(&Value::from(Map::from_iter([(name.into(), value.into())])).to_string())
        } else {
            print(value)
        }
    }

    /// Prints rows with these columns, and nothing but the heads where there are none.
    pub(super) fn table<const N: usize>(
        self,
        columns: [&str; N],
        rows: impl IntoIterator<Item = [Value; N]>,
    ) -> Result<(), SetupError> {
        if self.is_json {
            for row in rows {
                let members = columns.into_iter().map(str::to_owned).zip(row);
                print(&Value::from(Map::from_iter(members)).to_string())?;
            }
            return Ok(());
        }
        let heads = columns.map(|column| column.to_uppercase().replace('_', " "));
        let rows = rows.into_iter().map(|row| row.map(|value| text(&value)));
        let lines: Vec<_> = [heads].into_iter().chain(rows).collect();
        let width =
            |index: usize| lines.iter().map(|line| line[index].chars().count()).max().unwrap_or_default();
        let widths: [usize; N] = std::array::from_fn(width);
        for line in &lines {
            let cells = line.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
            print(cells.collect::<Vec<_>>().join("  ").trim_end())?;
        }
        Ok(())
    }
}

/// A time in a table, if there is one.
pub(super) fn time(time: impl Into<Option<Millis>>) -> Value {
    time.into().map(rfc3339).into()
}

fn text(value: &Value) -> String {
    match value {
        Value::Null => NOTHING.to_owned(),
        Value::String(text) if text.is_empty() => NOTHING.to_owned(),
        Value::String(text) => text.clone(),
        Value::Bool(is) => if *is { "yes" } else { "no" }.to_owned(),
        Value::Array(values) => values.iter().map(text).collect::<Vec<_>>().join(","),
        value => value.to_string(),
    }
}

/// One line on stdout, at once: whoever started the program may be waiting for it.
pub(crate) fn print(line: &str) -> Result<(), SetupError> {
    let mut stdout = std::io::stdout().lock();
    writeln!(stdout, "{line}")?;
    stdout.flush()?;
    Ok(())
}
