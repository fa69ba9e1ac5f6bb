//! What tasks share memory by: the standard library's, or that of the scheduler that goes through their orders.

#[cfg(not(all(test, feature = "shuttle")))]
pub(crate) use std::sync::{Mutex, MutexGuard};

#[cfg(all(test, feature = "shuttle"))]
pub(crate) use explored::{Mutex, MutexGuard};

#[cfg(all(test, feature = "shuttle"))]
mod explored {
    use std::ops::{Deref, DerefMut};
    use std::sync::LockResult;

    use shuttle::sync;
    use shuttle::sync::atomic::{AtomicU64, Ordering};

    /// A lock before and after which another task may come. After shuttle's own none can, until the next lock.
    #[derive(Debug, Default)]
    pub(crate) struct Mutex<T> {
        inner: sync::Mutex<T>,
        released: AtomicU64,
    }

    #[derive(Debug)]
    pub(crate) struct MutexGuard<'a, T> {
        /// Until it is dropped.
        inner: Option<sync::MutexGuard<'a, T>>,
        released: &'a AtomicU64,
    }

    impl<T> Mutex<T> {
        pub(crate) fn new(value: T) -> Self {
            Self { inner: sync::Mutex::new(value), released: AtomicU64::new(0) }
        }

        pub(crate) fn lock(&self) -> LockResult<MutexGuard<'_, T>> {
            // A failed test has said what is wrong already.
            let inner = self.inner.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
            Ok(MutexGuard { inner: Some(inner), released: &self.released })
        }
    }

    impl<T> Deref for MutexGuard<'_, T> {
        type Target = T;

        fn deref(&self) -> &T {
            self.inner.as_ref().expect("it is not dropped")
        }
    }

    impl<T> DerefMut for MutexGuard<'_, T> {
        fn deref_mut(&mut self) -> &mut T {
            self.inner.as_mut().expect("it is not dropped")
        }
    }

    impl<T> Drop for MutexGuard<'_, T> {
        fn drop(&mut self) {
            self.inner = None;
            self.released.fetch_add(1, Ordering::SeqCst);
        }
    }
}
