use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::problem::Problem;

/// Bytes that are counted together: a semaphore's counter is small.
const UNIT: usize = 1 << 10;

/// Bytes of answers, each made for one request, that their clients have not taken yet: so many at most, however
/// many ask and then do not read. What is shared by all who ask costs nothing here.
#[derive(Debug)]
pub(crate) struct Budget {
    units: usize,
    left: Arc<Semaphore>,
}

/// An answer, counted until it is taken.
struct Held {
    bytes: Bytes,
    _units: OwnedSemaphorePermit,
}

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Budget {
    pub(crate) fn new(bytes: usize) -> Self {
        let units = bytes / UNIT;
        Self { units, left: Arc::new(Semaphore::new(units)) }
    }

    /// The same bytes, counted for as long as somebody holds them. What is larger than everything together goes alone.
    pub(crate) fn hold(&self, bytes: Bytes) -> Result<Bytes, Problem> {
        let units = bytes.len().div_ceil(UNIT).min(self.units) as u32;
        let units = self.left.clone().try_acquire_many_owned(units).map_err(|_| Problem::Busy)?;
        Ok(Bytes::from_owner(Held { bytes, _units: units }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_took_is_in_the_way_of_more() {
        let budget = Budget::new(8 * UNIT);
        let answer = |kibibytes: usize| budget.hold(vec![b'x'; kibibytes * UNIT].into());
        let (first, second) = (answer(5).unwrap(), answer(3).unwrap());
        assert_eq!(answer(1), Err(Problem::Busy));
        let part = first.slice(..10);
        drop((first, second));
        assert!(answer(3).is_ok());
        assert_eq!(answer(4), Err(Problem::Busy), "somebody has a part of it");
        assert_eq!(part, &b"xxxxxxxxxx"[..]);
        drop(part);
        assert_eq!(answer(100).unwrap().len(), 100 * UNIT);
    }
}
