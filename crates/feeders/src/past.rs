use std::collections::VecDeque;
use std::mem;
use std::path::Path;
use std::thread::{self, Scope, ScopedJoinHandle};

use events::Snapshot;
use tail::{Line, PassedOver};

use crate::receiver::parsed;
use crate::record;

/// Memory of the lines that one thread counts.
const BLOCK: usize = 1 << 20;

/// Lines of an index that nobody is told of one by one: what they add up to, counted on all cores while more is read.
pub(crate) struct Past<'scope, 'env> {
    scope: &'scope Scope<'scope, 'env>,
    path: &'env Path,
    passed_over: &'env mut PassedOver,
    cores: usize,
    block: Block,
    /// One that was counted: its memory is used again.
    spare: Block,
    /// In the order of their lines.
    counting: VecDeque<ScopedJoinHandle<'scope, Counted>>,
    counted: Snapshot<'static>,
}

/// What the lines of a block add up to, and which of them say nothing, and why.
struct Counted {
    block: Block,
    snapshot: Snapshot<'static>,
    passed_over: Vec<(u64, String)>,
}

/// Lines, one after the other, with their places, and where each ends, or how long one is that is too long.
#[derive(Default)]
struct Block {
    bytes: Vec<u8>,
    lines: Vec<(u64, Result<usize, u64>)>,
}

impl<'scope, 'env> Past<'scope, 'env> {
    pub(crate) fn new(
        scope: &'scope Scope<'scope, 'env>,
        path: &'env Path,
        passed_over: &'env mut PassedOver,
    ) -> Self {
        Self {
            scope,
            path,
            passed_over,
            cores: thread::available_parallelism().map_or(1, usize::from),
            block: Block::default(),
            spare: Block::default(),
            counting: VecDeque::new(),
            counted: Snapshot::default(),
        }
    }

    /// One more line.
    pub(crate) fn add(&mut self, place: u64, line: Line<'_>) {
        self.block.add(place, line);
        if self.block.size() >= BLOCK {
            self.count_block();
        }
    }

    /// What all of them add up to.
    pub(crate) fn counted(mut self) -> Snapshot<'static> {
        self.count_block();
        while self.take_in() {}
        self.counted
    }

    fn count_block(&mut self) {
        // Reading waits for counting, so that what is held has a bound.
        if self.counting.len() > self.cores {
            self.take_in();
        }
        let spare = mem::take(&mut self.spare);
        let block = mem::replace(&mut self.block, spare);
        self.counting.push_back(self.scope.spawn(move || block.counted()));
    }

    /// Takes in the oldest block that is being counted, if there is one.
    fn take_in(&mut self) -> bool {
        let Some(oldest) = self.counting.pop_front() else { return false };
        let counted = oldest.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        self.counted.merge(counted.snapshot);
        counted.passed_over.iter().for_each(|(place, what)| self.passed_over.add(self.path, *place, what));
        self.spare = counted.block;
        true
    }
}

impl Block {
    fn add(&mut self, place: u64, line: Line<'_>) {
        let line = match line {
            Line::Whole(line) => {
                self.bytes.extend_from_slice(line);
                Ok(self.bytes.len())
            }
            Line::TooLong(bytes) => Err(bytes),
        };
        self.lines.push((place, line));
    }

    /// What it takes in memory.
    fn size(&self) -> usize {
        self.bytes.len() + size_of_val(&*self.lines)
    }

    fn counted(mut self) -> Counted {
        let mut passed_over = Vec::new();
        let mut start = 0;
        let episodes = self.lines.iter().filter_map(|&(place, line)| {
            let line = match line {
                Ok(end) => Line::Whole(&self.bytes[mem::replace(&mut start, end)..end]),
                Err(bytes) => Line::TooLong(bytes),
            };
            parsed(line, |line| record::episode(place, line)).unwrap_or_else(|what| {
                passed_over.push((place, what));
                None
            })
        });
        let snapshot = Snapshot::of(episodes);
        self.bytes.clear();
        self.lines.clear();
        Counted { block: self, snapshot, passed_over }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(lines: &[Vec<u8>]) -> (Snapshot<'static>, u64) {
        let mut passed_over = PassedOver::default();
        let counted = thread::scope(|scope| {
            let mut past = Past::new(scope, Path::new("index.jsonl"), &mut passed_over);
            lines.iter().zip(0..).for_each(|(line, place)| past.add(place, Line::Whole(line)));
            past.add(lines.len() as u64, Line::TooLong(1 << 30));
            past.counted()
        });
        (counted, passed_over.lines())
    }

    #[test]
    fn lines_counted_on_all_cores_are_lines_counted_one_by_one() {
        let line = |number: u64| {
            match number % 1_000 {
            7 => b"{half a li".to_vec(),
            8 => Vec::new(),
            _ => format!(
                r#"{{"episode_id":"e{number}","host_id":"host-{}","sha256":"{number:064}","size_bytes":{number},"received_at_wall":"2026-03-01T00:00:00Z"}}"#,
                number % 41
            )
            .into_bytes(),
        }
        };
        for lines in [0, 1, 150, 40_000] {
            let lines: Vec<_> = (0..lines).map(line).collect();
            let (mut expected, mut wrong) = (Snapshot::default(), 1);
            for (line, place) in lines.iter().zip(0..) {
                match record::episode(place, line) {
                    Ok(episode) => drop(episode.map(|episode| expected.fold(&episode))),
                    Err(_) => wrong += 1,
                }
            }
            assert_eq!(counted(&lines), (expected, wrong));
        }
    }
}
