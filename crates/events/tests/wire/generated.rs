//! The checked-in schema and types are those of the code.

use std::path::Path;

#[track_caller]
fn assert_is(path: &str, generated: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if std::env::var_os("VITRINE_BLESS").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, generated).unwrap();
    }
    let checked_in = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        checked_in == generated,
        "{} is not what the code says: VITRINE_BLESS=1 cargo test -p events",
        path.display()
    );
}

#[test]
fn the_json_schema_is_current() {
    let pretty = |schema| serde_json::to_string_pretty(&schema).unwrap() + "\n";
    assert_is("schema/event.schema.json", &pretty(events::schema::event()));
    assert_is("schema/session.schema.json", &pretty(events::schema::session()));
}

#[test]
fn the_pages_types_are_current() {
    assert_is("../dashboard/web/src/generated/events.ts", &events::typescript::module());
}
