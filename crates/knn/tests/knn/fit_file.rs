use std::{fs, path::Path};

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

fn refusal(bytes: &[u8]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("knn_v1.fit");
    fs::write(&path, bytes).unwrap();
    without(Fit::read(&path).unwrap_err(), folder.path())
}

#[test]
fn what_is_no_whole_fit_is_refused() {
    let bytes = fit().encode().unwrap();
    for len in [bytes.len() / 2, bytes.len() - 1] {
        let damaged = "knn_v1.fit: damaged: its bytes do not have the SHA-256 that stands in it";
        assert_eq!(refusal(&bytes[..len]), damaged);
    }
    for other in [&b""[..], b"ARROW1\0\0", b"PAR1"] {
        assert_eq!(
            refusal(other),
            "knn_v1.fit: not a fit file: expected what `knn produce --model-out` writes, sealed with its SHA-256"
        );
    }
}

#[test]
fn damaged_bytes_are_an_error() {
    let whole = fit().encode().unwrap();
    for at in 0..whole.len() {
        for mask in [0x01, 0x80, 0xff] {
            let mut damaged = whole.clone();
            damaged[at] ^= mask;
            assert!(Fit::decode(Path::new("knn_v1.fit"), &damaged).is_err(), "byte {at}");
        }
    }
}
