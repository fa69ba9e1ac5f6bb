use std::fs::File;
use std::hint::black_box;
use std::io;
use std::time::{Duration, Instant};

use rand::{Rng, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

use super::FileTree;
use crate::{Phase, Profile};

const MIB: usize = 1 << 20;

/// What the load does in each phase, in steps of a few milliseconds so that it hears the next order
/// soon.
///
/// - clean: ordinary light background work at uneven intervals;
/// - armed: watches some files, asking at a short, even interval, and writes nothing;
/// - infecting: scrambles one file after another and unpacks a payload into memory;
/// - infected_running: the profile's own load, payload resident;
/// - dormant: wakes about once a second; a part of the payload stays.
pub(super) struct Habits {
    profile: Profile,
    tree: FileTree,
    random: Xoshiro256PlusPlus,
    /// How busy this load is in comparison with others of its kind, 0.7 to 1.3.
    vigour: f64,
    payload_mib: usize,
    phase: Phase,
    payload: Vec<Vec<u8>>,
    watched: Vec<File>,
    /// Steps since the phase began.
    steps: usize,
    /// When the present burst or silence of `bursty` ends.
    burst: (bool, Instant),
}

impl Habits {
    pub(super) fn new(profile: Profile, seed: u64, tree: FileTree) -> Self {
        let mut random = Xoshiro256PlusPlus::seed_from_u64(seed);
        Self {
            profile,
            tree,
            vigour: random.gen_range(0.7..1.3),
            payload_mib: random.gen_range(6..=14),
            random,
            phase: Phase::Clean,
            payload: Vec::new(),
            watched: Vec::new(),
            steps: 0,
            burst: (false, Instant::now()),
        }
    }

    pub(super) fn enter(&mut self, phase: Phase) -> io::Result<()> {
        match phase {
            Phase::Clean | Phase::Failed => {
                self.payload = Vec::new();
                self.watched.clear();
            }
            Phase::Armed => {
                let first = self.random.gen_range(0..FileTree::FILES);
                self.watched =
                    (first..first + 6).map(|index| self.tree.open(index)).collect::<Result<_, _>>()?;
            }
            Phase::Infecting | Phase::InfectedRunning => {}
            Phase::Dormant => {
                self.payload.truncate(self.payload_mib / 3);
                self.payload.shrink_to_fit();
                self.watched.truncate(2);
            }
        }
        self.phase = phase;
        self.steps = 0;
        Ok(())
    }

    /// Does a little of the phase's work and says how long to rest before the next step.
    pub(super) fn step(&mut self) -> io::Result<Duration> {
        self.steps += 1;
        match self.phase {
            Phase::Clean | Phase::Failed => self.background(),
            Phase::Armed => {
                self.tree.poll(self.steps)?;
                Ok(self.rest_ms(24.0..26.0))
            }
            Phase::Infecting => self.infect(),
            Phase::InfectedRunning => self.run(),
            Phase::Dormant => Ok(self.rest_ms(800.0..1200.0)),
        }
    }

    fn background(&mut self) -> io::Result<Duration> {
        match self.random.gen_range(0..10) {
            0..4 => compute(self.random.gen_range(1.0..4.0)),
            4..8 => (0..self.random.gen_range(2..5)).try_for_each(|_| self.read_any())?,
            _ => self.tree.log(self.random.gen_range(1..5) << 10)?,
        }
        Ok(self.rest_ms(50.0..170.0))
    }

    fn infect(&mut self) -> io::Result<Duration> {
        if self.payload.len() < self.payload_mib && self.steps.is_multiple_of(4) {
            self.payload.push(vec![self.steps as u8 | 1; MIB]);
        }
        self.tree.scramble(self.steps, self.steps.is_multiple_of(32))?;
        Ok(self.rest_ms(1.0..5.0))
    }

    fn run(&mut self) -> io::Result<Duration> {
        match self.profile {
            Profile::CpuSaturate => {
                compute(5.0);
                Ok(Duration::ZERO)
            }
            Profile::IoWalk => {
                self.tree.walk(self.steps)?;
                Ok(if self.steps.is_multiple_of(8) { self.rest_ms(0.5..2.0) } else { Duration::ZERO })
            }
            Profile::LowAndSlow => {
                compute(12.0);
                self.tree.log(8 << 10)?;
                Ok(self.rest_ms(290.0..310.0))
            }
            Profile::Bursty => self.burst(),
            Profile::MemWalk => {
                // Above the allocator's largest threshold, so that every round maps fresh pages.
                let mut region = vec![0_u8; 40 * MIB];
                region.iter_mut().step_by(4096).for_each(|page| *page = 1);
                black_box(&region);
                Ok(self.rest_ms(8.0..16.0))
            }
            Profile::Idle => {
                black_box(self.payload.first());
                Ok(self.rest_ms(95.0..105.0))
            }
        }
    }

    fn burst(&mut self) -> io::Result<Duration> {
        let now = Instant::now();
        if now >= self.burst.1 {
            let length = if self.burst.0 { 400.0..900.0 } else { 300.0..700.0 };
            self.burst = (!self.burst.0, now + Duration::from_secs_f64(self.random.gen_range(length) / 1e3));
        }
        if self.burst.0 {
            compute(3.0);
            self.tree.log(16 << 10)?;
            Ok(Duration::ZERO)
        } else {
            Ok(Duration::from_millis(20))
        }
    }

    fn read_any(&mut self) -> io::Result<()> {
        let index = self.random.gen_range(0..FileTree::FILES);
        self.tree.read(index)
    }

    /// A rest drawn from this range in milliseconds; shorter for a more vigorous load.
    fn rest_ms(&mut self, range: std::ops::Range<f64>) -> Duration {
        Duration::from_secs_f64(self.random.gen_range(range) / 1e3 / self.vigour)
    }
}

fn compute(milliseconds: f64) {
    let end = Instant::now() + Duration::from_secs_f64(milliseconds / 1e3);
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    while Instant::now() < end {
        for _ in 0..2_000 {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
        }
        black_box(state);
    }
}
