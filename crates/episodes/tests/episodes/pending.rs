use std::fs;
use std::io::Write;

use episodes::Pending;

#[test]
fn a_file_has_its_name_when_it_is_kept_and_nothing_is_beside_it() {
    let folder = tempfile::tempdir().unwrap();
    let [one, two] = ["one", "two"].map(|name| folder.path().join(name));
    fs::write(&one, "old").unwrap();
    let mut first = Pending::new(&one).unwrap();
    first.write_all(b"new").unwrap();
    let second = Pending::holding(&two, b"whole").unwrap();
    assert_eq!(fs::read(&one).unwrap(), b"old");
    assert!(!two.exists());
    Pending::keep_all([first, second]).unwrap();
    assert_eq!((fs::read(&one).unwrap(), fs::read(&two).unwrap()), (b"new".to_vec(), b"whole".to_vec()));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
}

#[test]
fn a_file_that_is_not_kept_leaves_the_old_one_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    fs::write(&path, "old").unwrap();
    drop(Pending::holding(&path, b"new").unwrap());
    assert_eq!(fs::read(&path).unwrap(), b"old");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn a_file_that_cannot_be_written_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("no/where");
    let error = Pending::new(&path).unwrap_err().to_string();
    assert!(error.starts_with(&format!("{}: cannot be written: ", path.display())), "{error}");
}
