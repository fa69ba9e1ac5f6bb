use proptest::prelude::*;
use runs::{Embedded, Limits};
use tokio::runtime::Runtime;

use crate::contract::{answers_as, appends, asked, sent};
use crate::plain::Plain;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn the_embedded_store_answers_as_the_plainest_one(
        sent in prop::collection::vec((prop::collection::vec(sent(), 1..4), any::<bool>()), 1..8),
        asked in prop::collection::vec(asked(), 1..6),
        fresh in 50..2_000_usize,
        block in 1..700_usize,
    ) {
        let runtime = Runtime::new().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let open = || Embedded::open(folder.path(), Limits { fresh, block }).unwrap();
        let mut store = open();
        let mut plain = Plain::default();
        // On a thread of the runtime, as a broadcaster asks.
        for (sent, again) in sent {
            if again {
                drop(store);
                store = open();
            }
            runtime.block_on(async {
                appends(&store, &mut plain, &sent).await;
                answers_as(&store, &plain, &asked).await;
            });
        }
    }
}

#[test]
fn what_a_start_that_was_cut_short_left_is_no_store() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("runs.redb.new"), b"half a file").unwrap();
    drop(Embedded::open(folder.path(), Limits::default()).unwrap());
    assert!(!folder.path().join("runs.redb.new").exists());
    drop(Embedded::open(folder.path(), Limits::default()).unwrap());
    let other = tempfile::tempdir().unwrap();
    std::fs::write(other.path().join("runs.redb"), b"").unwrap();
    let refused = Embedded::open(other.path(), Limits::default()).unwrap_err().to_string();
    assert!(refused.contains("runs.redb: ") && refused.contains("move the file away"), "{refused}");
}
