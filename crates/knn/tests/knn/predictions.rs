//! What a fit says of windows, as files.

use std::fs;

use episodes::Phase;
use knn::{
    Origin, Predictions, Vote,
    neighbours::{Neighbour, Neighbours},
};
use parquet::{
    file::{reader::FileReader, serialized_reader::SerializedFileReader},
    record::{Field, Row},
};

fn predictions() -> Predictions {
    let vote = |phase, confidence| Vote { phase, confidence };
    let near = |row, squared_distance| Neighbour { squared_distance, row };
    Predictions {
        origin: Some(Origin {
            episodes: ["e1", "e2", "e2"].into_iter().collect(),
            hosts: ["a", "b", "b"].into_iter().collect(),
            profiles: ["idle", "idle", "bursty"].into_iter().collect(),
            window_idx: Some(vec![0, 0, 1]),
        }),
        votes: vec![vote(Phase::Clean, 1.0), vote(Phase::InfectedRunning, 0.75), vote(Phase::Failed, 0.5)],
        neighbours: Some(Neighbours::new(
            vec![near(4, 0.0), near(7, 4.0), near(1, 9.0), near(2, 16.0), near(0, 1.0), near(9, 25.0)],
            2,
        )),
    }
}

fn rows(bytes: Vec<u8>) -> Vec<Row> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("predictions.parquet");
    fs::write(&path, bytes).unwrap();
    let reader = SerializedFileReader::new(fs::File::open(path).unwrap()).unwrap();
    reader.get_row_iter(None).unwrap().map(Result::unwrap).collect()
}

#[test]
fn a_file_has_a_row_a_window_with_the_neighbours_as_lists() {
    let rows = rows(predictions().encode().unwrap());
    let shown: Vec<String> = rows.iter().map(ToString::to_string).collect();
    assert_eq!(
        shown[1],
        "{episode_id: \"e2\", host_id: \"b\", profile: \"idle\", window_idx: 0, \
         phase: \"infected_running\", confidence: 0.75, neighbor_rows: [1, 2], \
         neighbor_distances: [3.0, 4.0]}"
    );
    assert_eq!(shown.len(), 3);
}

#[test]
fn without_neighbours_and_origin_there_are_the_phase_and_the_confidence() {
    let rows = rows(Predictions { origin: None, neighbours: None, ..predictions() }.encode().unwrap());
    let fields: Vec<(String, Field)> =
        rows[2].get_column_iter().map(|(name, field)| (name.clone(), field.clone())).collect();
    assert_eq!(
        fields,
        [
            ("phase".to_owned(), Field::Str("failed".to_owned())),
            ("confidence".to_owned(), Field::Double(0.5))
        ]
    );
}

#[test]
fn lines_say_the_same() {
    let mut lines = Vec::new();
    predictions().lines(&mut lines).unwrap();
    let lines = String::from_utf8(lines).unwrap();
    assert_eq!(
        lines.lines().next().unwrap(),
        "{\"row\":0,\"episode_id\":\"e1\",\"host_id\":\"a\",\"profile\":\"idle\",\"window_idx\":0,\
         \"phase\":\"clean\",\"confidence\":1.0,\
         \"neighbors\":[{\"row\":4,\"distance\":0.0},{\"row\":7,\"distance\":2.0}]}"
    );
    assert_eq!(lines.lines().count(), 3);
}
