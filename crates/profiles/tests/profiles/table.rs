//! Envelopes as a parquet file.

use std::fs;

use profiles::{Envelope, read_table, write_table};

fn envelope(name: &str, from: f64) -> Envelope {
    let points = (0..80).map(|point| [from, from + f64::from(point), from + 100.0]).collect();
    Envelope { name: name.into(), channel: "proc.run_ns".into(), points, episodes: 7 }
}

#[test]
fn what_is_written_is_read() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("attack_profiles_v1.parquet");
    let envelopes = [envelope("idle", 0.0), envelope("bursty", -3.5)];
    write_table(&path, &envelopes).unwrap();
    assert_eq!(read_table(&path).unwrap(), envelopes);
    // The same envelopes give the same bytes.
    let bytes = fs::read(&path).unwrap();
    write_table(&path, &envelopes).unwrap();
    assert_eq!(fs::read(&path).unwrap(), bytes);
}

#[test]
fn what_is_no_table_is_named_with_what_is_wrong() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("t.parquet");
    let error = |path| read_table(path).unwrap_err().to_string();
    assert!(error(&path).contains("t.parquet: No such file"), "{}", error(&path));
    fs::write(&path, "PAR1 but no").unwrap();
    assert!(error(&path).starts_with(&path.display().to_string()));
    let mut short = envelope("idle", 0.0);
    short.points.truncate(79);
    write_table(&path, &[short]).ok();
    assert!(error(&path).starts_with(&path.display().to_string()));
}
