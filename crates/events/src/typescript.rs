//! The page's types, generated from the JSON Schema.

use std::fmt::Write;

use serde_json::Value;

use crate::{Items, Kind, schema};

/// A module with an interface for each event and session message, their unions, and the retention
/// table that page and broadcaster share.
pub fn module() -> String {
    let (event, session) = (Value::from(schema::event()), Value::from(schema::session()));
    let mut out = String::from(
        "// Generated from the events crate; `VITRINE_BLESS=1 cargo test -p events` writes it anew.\n",
    );
    for (name, schema) in event["$defs"].as_object().into_iter().flatten() {
        match &schema["properties"] {
            Value::Null => writeln!(out, "\nexport type {name} = {};", of(schema)).ok(),
            _ => write!(out, "\nexport interface {name} {}\n", object(schema, false)).ok(),
        };
    }
    union(&mut out, "Event", &event, true);
    union(&mut out, "Session", &session, false);
    retention(&mut out);
    out
}

fn union(out: &mut String, name: &str, schema: &Value, seq: bool) {
    let mut members = Vec::new();
    for variant in schema["oneOf"].as_array().into_iter().flatten() {
        let tag = variant["properties"]["type"]["const"].as_str().unwrap_or_default();
        let member = format!("{}{name}", pascal(tag));
        let _ = write!(out, "\nexport interface {member} {}\n", object(variant, seq));
        members.push(member);
    }
    let _ = writeln!(out, "\nexport type {name} =\n  | {};", members.join("\n  | "));
}

fn retention(out: &mut String) {
    out.push_str(
        "\nexport type EventType = Event['type'];\n\
         \nexport interface Retention {\n  group: string[];\n  item: string[] | 'each' | 'series';\n  perGroup: number;\n  \
         groups: number;\n  total: number;\n}\n\
         \n// A type that is null here is folded into another.\n\
         export const retention: Record<EventType, Retention | null> = {\n",
    );
    for kind in Kind::ALL {
        let row = match kind.retention() {
            None => "null".to_owned(),
            Some(kept) => {
                let item = match kept.items {
                    Items::Each => "'each'".to_owned(),
                    Items::Series => "'series'".to_owned(),
                    Items::Fields(fields) => list(fields),
                };
                format!(
                    "{{ group: {}, item: {item}, perGroup: {}, groups: {}, total: {} }}",
                    list(kept.group),
                    kept.per_group,
                    kept.groups,
                    kept.total
                )
            }
        };
        let _ = writeln!(out, "  {kind}: {row},");
    }
    out.push_str("};\n");
}

fn list(names: &[&str]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("'{name}'")).collect();
    format!("[{}]", quoted.join(", "))
}

fn pascal(snake: &str) -> String {
    snake.split('_').map(|word| word[..1].to_uppercase() + &word[1..]).collect()
}

fn object(schema: &Value, seq: bool) -> String {
    let mut body = String::from("{\n");
    if seq {
        body.push_str("  seq: number;\n");
    }
    let required: Vec<&str> =
        schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        if let Some(doc) = property["description"].as_str() {
            let _ = writeln!(body, "  /** {doc} */");
        }
        let optional = if required.contains(&name.as_str()) { "" } else { "?" };
        let _ = writeln!(body, "  {name}{optional}: {};", of(property));
    }
    body + "}"
}

/// The TypeScript type of a schema; every shape that the wire uses, and `unknown` for others.
fn of(schema: &Value) -> String {
    if let Some(name) = schema["$ref"].as_str().and_then(|target| target.rsplit('/').next()) {
        // An event's type is also what its own `type` says.
        return if name == "Kind" { "EventType".to_owned() } else { name.to_owned() };
    }
    if let Some(one) = schema["const"].as_str() {
        return format!("'{one}'");
    }
    if let Some(any) = schema["anyOf"].as_array().or(schema["oneOf"].as_array()) {
        return any.iter().map(of).collect::<Vec<_>>().join(" | ");
    }
    if let Some(names) = schema["enum"].as_array() {
        let quoted: Vec<String> =
            names.iter().filter_map(Value::as_str).map(|name| format!("'{name}'")).collect();
        return quoted.join(" | ");
    }
    let single = |name: &str| match name {
        "string" => "string".to_owned(),
        "integer" | "number" => "number".to_owned(),
        "boolean" => "boolean".to_owned(),
        "null" => "null".to_owned(),
        "array" => match schema["prefixItems"].as_array() {
            Some(items) => format!("[{}]", items.iter().map(of).collect::<Vec<_>>().join(", ")),
            None => format!("{}[]", of(&schema["items"])),
        },
        // Maps: their keys are checked by a pattern or not at all.
        "object" => {
            let values =
                schema["patternProperties"].as_object().and_then(|patterns| patterns.values().next());
            match (&schema["additionalProperties"], values) {
                (value @ Value::Object(_), _) => format!("Record<string, {}>", of(value)),
                (_, Some(value)) => format!("Record<string, {}>", of(value)),
                (_, None) => match schema["properties"].as_object() {
                    Some(_) => {
                        let fields = object(schema, false).replace('\n', " ");
                        fields.split_whitespace().collect::<Vec<_>>().join(" ")
                    }
                    None => "Record<string, unknown>".to_owned(),
                },
            }
        }
        _ => "unknown".to_owned(),
    };
    match &schema["type"] {
        Value::String(name) => single(name),
        Value::Array(names) => {
            names.iter().filter_map(Value::as_str).map(single).collect::<Vec<_>>().join(" | ")
        }
        _ => "unknown".to_owned(),
    }
}
