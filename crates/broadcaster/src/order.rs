use std::collections::VecDeque;

/// Holes that are not worth closing up for.
const SLACK: usize = 8;

/// Things in the order of the seq that last changed them.
///
/// What changes again is put at the end, and what goes is not looked for: its place stays as a hole, which
/// whoever looks passes over. Where there are more holes than things, they are closed up. So everything
/// is constant time, spread over the calls. Who holds the things says which places are still theirs.
#[derive(Debug, Default)]
pub(crate) struct Order {
    places: VecDeque<(u64, u32)>,
    /// Places that are no holes.
    held: usize,
}

impl Order {
    /// Puts a thing at the end. `seq` is above all before.
    pub(crate) fn push(&mut self, seq: u64, thing: u32, is_current: impl Fn(u64, u32) -> bool) {
        self.places.push_back((seq, thing));
        self.held += 1;
        if self.places.len() > 2 * self.held + SLACK {
            self.places.retain(|&(seq, thing)| is_current(seq, thing));
        }
    }

    /// A thing went, or is about to be put at the end.
    pub(crate) fn leave(&mut self) {
        self.held -= 1;
    }

    /// The first thing, which goes.
    pub(crate) fn pop(&mut self, is_current: impl Fn(u64, u32) -> bool) -> Option<u32> {
        while let Some((seq, thing)) = self.places.pop_front() {
            if is_current(seq, thing) {
                self.held -= 1;
                return Some(thing);
            }
        }
        None
    }

    /// The places after `seq`, holes among them.
    pub(crate) fn after(&self, seq: u64) -> impl Iterator<Item = (u64, u32)> {
        let first = self.places.partition_point(|place| place.0 <= seq);
        self.places.range(first..).copied()
    }

    pub(crate) fn len(&self) -> usize {
        self.held
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Against a plain list.
        #[test]
        fn things_come_in_the_order_of_their_last_change(touched in prop::collection::vec(0..12_u32, 1..600)) {
            let (mut order, mut seqs) = (Order::default(), [0_u64; 10]);
            let mut plain: Vec<u32> = Vec::new();
            for (seq, thing) in (1..).zip(touched) {
                // Above the things: the first goes.
                let Some(before) = seqs.get(thing as usize) else {
                    let first = order.pop(|seq, thing| seqs[thing as usize] == seq);
                    prop_assert_eq!(first, (!plain.is_empty()).then(|| plain.remove(0)));
                    first.into_iter().for_each(|thing| seqs[thing as usize] = 0);
                    continue;
                };
                if *before > 0 {
                    order.leave();
                    plain.retain(|other| *other != thing);
                }
                seqs[thing as usize] = seq;
                plain.push(thing);
                order.push(seq, thing, |seq, thing| seqs[thing as usize] == seq);
                let held = order.after(0).filter(|(seq, thing)| seqs[*thing as usize] == *seq);
                prop_assert_eq!(held.map(|(_, thing)| thing).collect::<Vec<_>>(), plain.clone());
                prop_assert_eq!(order.len(), plain.len());
                prop_assert!(order.places.len() <= 2 * (plain.len() + 1) + SLACK + 1);
            }
        }
    }
}
