//! Prints the error table and the list of methods and options as JSON, from which the other languages' classes
//! and the tables in the docs are generated.

use pabbly_connect::{CODES, ErrorKind, surface};
use serde_json::json;

fn main() -> std::io::Result<()> {
    let classes: Vec<_> = ErrorKind::ALL.iter().map(|kind| kind.class()).collect();
    let codes: Vec<_> = CODES
        .iter()
        .map(|row| {
            let class = row.kind.class();
            json!({"code": row.code, "status": row.status, "class": class, "base": row.base, "meaning": row.meaning})
        })
        .collect();
    let tables = json!({
        "classes": classes,
        "codes": codes,
        "methods": surface::METHODS,
        "callOptions": surface::CALL_OPTIONS,
        "clientOptions": surface::CLIENT_OPTIONS,
    });
    std::io::Write::write_all(&mut std::io::stdout(), format!("{tables:#}\n").as_bytes())
}
