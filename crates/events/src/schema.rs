//! The JSON Schema of the wire, generated from the Rust types.

use schemars::{JsonSchema, Schema, SchemaGenerator, generate::SchemaSettings};

use crate::{Event, Session};

fn of<T: JsonSchema>(title: &str) -> Schema {
    let mut schema = SchemaGenerator::from(SchemaSettings::draft2020_12()).into_root_schema_for::<T>();
    schema.insert("title".to_owned(), title.into());
    schema
}

/// What a producer may publish: one event.
pub fn event() -> Schema {
    of::<Event<'static>>("Vitrine event")
}

/// What the broadcaster says besides events.
pub fn session() -> Schema {
    of::<Session<'static>>("Vitrine session message")
}
