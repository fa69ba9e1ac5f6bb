use std::{fs, sync::Arc};

use arrow_array::{Int32Array, RecordBatch};
use arrow_ipc::{reader::FileReader, writer::FileWriter};
use arrow_schema::{DataType, Field, Schema};
use knn::{Fit, Matrix, ParamGuard, ProduceParams, Projector, Unwatched};

use crate::fixture::{windows, without};

fn fit() -> Fit {
    projected_by(Projector::Lda)
}

fn projected_by(projector: Projector) -> Fit {
    let table = windows(12, 9, 4);
    let params = ProduceParams::default().projector(projector).clusters(3).neighbours(4).seed(u64::MAX);
    params.check().unwrap().produce(table, &Unwatched).unwrap().fit
}

#[test]
fn what_is_written_is_read_back_and_places_and_classifies_alike() {
    for projector in [Projector::Pca, Projector::Lda, Projector::Umap] {
        is_read_back(&projected_by(projector));
    }
}

fn is_read_back(fit: &Fit) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("knn_v1.fit");
    let bytes = fit.encode().unwrap();
    assert_eq!(fit.encode().unwrap(), bytes);
    fs::write(&path, bytes).unwrap();
    let read = Fit::read(&path).unwrap();
    assert_eq!(read, *fit);

    let new: Matrix = windows(3, 9, 5).features;
    let z = fit.standardizer.transform(new.clone(), &Unwatched).unwrap();
    assert_eq!(read.standardizer.transform(new, &Unwatched).unwrap(), z);
    assert_eq!(read.projection.place(&z, &Unwatched).unwrap(), fit.projection.place(&z, &Unwatched).unwrap());
    assert_eq!(read.clusters.assign(&z, &Unwatched).unwrap(), fit.clusters.assign(&z, &Unwatched).unwrap());
    assert_eq!(
        read.classifier().classify(&z, &Unwatched).unwrap(),
        fit.classifier().classify(&z, &Unwatched).unwrap()
    );
}

/// The fit file of `fit` with another schema metadata.
fn with_metadata(change: impl FnOnce(&mut std::collections::HashMap<String, String>)) -> Vec<u8> {
    let bytes = fit().encode().unwrap();
    let row = FileReader::try_new(std::io::Cursor::new(bytes), None).unwrap().next().unwrap().unwrap();
    let schema = row.schema();
    let mut metadata = schema.metadata().iter().map(|(k, v)| (k.clone(), v.clone())).collect();
    change(&mut metadata);
    let schema = Arc::new(Schema::new(schema.fields().clone()).with_metadata(metadata));
    let row = RecordBatch::try_new(schema.clone(), row.columns().to_vec()).unwrap();
    let mut writer = FileWriter::try_new(Vec::new(), &schema).unwrap();
    writer.write(&row).unwrap();
    writer.into_inner().unwrap()
}

fn refusal(bytes: &[u8]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("knn_v1.fit");
    fs::write(&path, bytes).unwrap();
    without(Fit::read(&path).unwrap_err(), folder.path())
}

#[test]
fn an_unknown_version_is_refused_with_what_to_do() {
    let bytes = with_metadata(|metadata| drop(metadata.insert("version".to_owned(), "2".to_owned())));
    assert_eq!(
        refusal(&bytes),
        "knn_v1.fit: fit format version 2 is unknown here; this build reads version 1: \
         make the fit anew with `knn produce --model-out`"
    );
}

#[test]
fn what_is_no_whole_fit_is_refused() {
    let bytes = fit().encode().unwrap();
    for len in [0, 5, bytes.len() / 2, bytes.len() - 1] {
        let refusal = refusal(&bytes[..len]);
        assert!(refusal.starts_with("knn_v1.fit: not a whole fit file (Arrow IPC): "), "{refusal}");
    }
    let bytes = with_metadata(|metadata| drop(metadata.insert("seed".to_owned(), "1".to_owned())));
    assert_eq!(refusal(&bytes), "knn_v1.fit: damaged: its bytes do not have the SHA-256 that stands in it");

    let schema = Arc::new(Schema::new(vec![Field::new("n", DataType::Int32, false)]));
    let row = RecordBatch::try_new(schema.clone(), vec![Arc::new(Int32Array::from(vec![1]))]).unwrap();
    let mut writer = FileWriter::try_new(Vec::new(), &schema).unwrap();
    writer.write(&row).unwrap();
    assert_eq!(
        refusal(&writer.into_inner().unwrap()),
        "knn_v1.fit: not a fit: expected metadata `format` = `vitrine.knn.fit`, found none"
    );
}

#[test]
fn damaged_bytes_are_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("knn_v1.fit");
    let whole = fit().encode().unwrap();
    for at in 0..whole.len() {
        let mut damaged = whole.clone();
        damaged[at] ^= 0x55;
        fs::write(&path, damaged).unwrap();
        assert!(Fit::read(&path).is_err(), "byte {at}");
    }
}
