use std::{
    any::Any,
    hint::spin_loop,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    ptr,
    sync::{
        Arc, Mutex, PoisonError, TryLockError,
        atomic::{AtomicBool, AtomicPtr, AtomicU8, Ordering},
    },
    thread::{self, JoinHandle},
};

/// How often the helper looks for work before it sleeps: for some hundred microseconds, the time between
/// two queries that follow each other.
const LOOKS: u32 = 10_000;

/// A second thread that waits for work, awake for a moment after the last.
///
/// Waking a thread takes about as long as looking for one query, so that the threads of a pool, asleep
/// between queries, save nothing. Here the work begins at once on the calling thread; the helper joins in
/// when it notices, and is waited for only if it did.
pub(super) struct Helper {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
    /// Held while work is offered.
    offering: Mutex<()>,
}

#[derive(Default)]
struct Shared {
    /// One of the constants below.
    state: AtomicU8,
    asleep: AtomicBool,
    /// What is offered; null unless it is.
    work: AtomicPtr<Work<'static>>,
    panic: Mutex<Option<Box<dyn Any + Send>>>,
}

struct Work<'w>(&'w (dyn Fn() + Sync));

const IDLE: u8 = 0;
/// There is work that the helper may take.
const OFFERED: u8 = 1;
/// The helper is at it.
const TAKEN: u8 = 2;
/// The helper is to end.
const CLOSED: u8 = 3;

impl Helper {
    /// `None` if the system grants no thread.
    pub(super) fn new() -> Option<Self> {
        let shared = Arc::new(Shared::default());
        let own = Arc::clone(&shared);
        let thread = thread::Builder::new().name("knn-helper".to_owned()).spawn(move || own.wait()).ok()?;
        Some(Self { shared, thread: Some(thread), offering: Mutex::new(()) })
    }

    /// Calls `work` here and, should the helper be free before that ends, there. Both calls are over when
    /// this is; a panic in either goes on here.
    pub(super) fn share(&self, work: &(dyn Fn() + Sync)) {
        // Whoever comes while the helper is busy works alone.
        let _offering = match self.offering.try_lock() {
            Ok(offering) => offering,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return work(),
        };
        let offered = Work(work);
        let withdrawal = Withdrawal(&self.shared);
        let pointer = ptr::from_ref(&offered).cast_mut().cast::<Work<'static>>();
        self.shared.work.store(pointer, Ordering::Relaxed);
        self.shared.state.store(OFFERED, Ordering::SeqCst);
        if self.shared.asleep.load(Ordering::SeqCst)
            && let Some(thread) = &self.thread
        {
            thread.thread().unpark();
        }
        work();
        drop(withdrawal);
        let panic = self.shared.panic.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(panic) = panic {
            resume_unwind(panic);
        }
    }
}

impl Drop for Helper {
    fn drop(&mut self) {
        self.shared.state.store(CLOSED, Ordering::SeqCst);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            // It catches the panics of its work.
            let _ = thread.join();
        }
    }
}

/// Takes an offer back, or waits until it is done with.
struct Withdrawal<'s>(&'s Shared);

impl Drop for Withdrawal<'_> {
    fn drop(&mut self) {
        let state = &self.0.state;
        if state.compare_exchange(OFFERED, IDLE, Ordering::Acquire, Ordering::Acquire).is_err() {
            while state.load(Ordering::Acquire) == TAKEN {
                spin_loop();
            }
        }
    }
}

impl Shared {
    /// Waits for work and does it, until the helper is closed.
    fn wait(&self) {
        let mut looks = 0;
        loop {
            match self.state.compare_exchange(OFFERED, TAKEN, Ordering::SeqCst, Ordering::SeqCst) {
                Ok(_) => {
                    // SAFETY: who offered the work keeps it alive, and does not go on, even unwinding, until
                    // the offer is taken back or the state is no longer `TAKEN` (`Withdrawal`). Here it was
                    // not taken back, and the state is `TAKEN` until the work is done.
                    let work = unsafe { &*self.work.load(Ordering::Relaxed) };
                    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| (work.0)())) {
                        *self.panic.lock().unwrap_or_else(PoisonError::into_inner) = Some(panic);
                    }
                    self.state.store(IDLE, Ordering::Release);
                    looks = 0;
                }
                Err(CLOSED) => return,
                Err(_) if looks < LOOKS => {
                    looks += 1;
                    spin_loop();
                }
                Err(_) => {
                    self.asleep.store(true, Ordering::SeqCst);
                    // Offers and the end of the helper come with a wake-up from here on; one that came
                    // before is seen now.
                    if self.state.load(Ordering::SeqCst) == IDLE {
                        thread::park();
                    }
                    self.asleep.store(false, Ordering::SeqCst);
                    looks = 0;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use super::*;

    #[test]
    fn work_is_done_by_both_and_over_afterwards() {
        let helper = Helper::new().unwrap();
        for _ in 0..2_000 {
            let (calls, taken) = (AtomicUsize::new(0), AtomicUsize::new(0));
            helper.share(&|| {
                calls.fetch_add(1, Ordering::Relaxed);
                while taken.fetch_add(1, Ordering::Relaxed) < 500 {}
            });
            assert!((1..=2).contains(&calls.into_inner()));
            assert!(taken.into_inner() > 500);
        }
    }

    #[test]
    fn who_comes_while_the_helper_is_busy_works_alone() {
        let helper = Helper::new().unwrap();
        let calls = AtomicUsize::new(0);
        let inner = AtomicBool::new(false);
        helper.share(&|| {
            if !inner.swap(true, Ordering::Relaxed) {
                helper.share(&|| {
                    calls.fetch_add(1, Ordering::Relaxed);
                });
            }
        });
        assert_eq!(calls.into_inner(), 1);
    }

    #[test]
    fn a_panic_on_either_thread_goes_on_in_the_caller() {
        let helper = Helper::new().unwrap();
        let caller = thread::current().id();
        for on_caller in [true, false] {
            let arrived = AtomicBool::new(false);
            let shared = catch_unwind(AssertUnwindSafe(|| {
                helper.share(&|| {
                    if thread::current().id() != caller {
                        arrived.store(true, Ordering::Relaxed);
                    }
                    while !arrived.load(Ordering::Relaxed) {
                        spin_loop();
                    }
                    assert_ne!(on_caller, thread::current().id() == caller, "asked for");
                });
            }));
            assert!(shared.is_err());
        }
        let done = AtomicBool::new(false);
        helper.share(&|| done.store(true, Ordering::Relaxed));
        assert!(done.into_inner());
    }
}
