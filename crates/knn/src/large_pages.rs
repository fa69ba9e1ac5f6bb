/// Asks for this memory, which must not have been written yet, to be made of large pages.
///
/// A search walks through tens of megabytes and jumps about in more: with pages of 4 KiB it waits for
/// address translation. Where it is refused, nothing but time is lost.
pub(crate) fn advise<T>(memory: &mut [T]) {
    #[cfg(target_os = "linux")]
    {
        const PAGE: usize = 2 << 20;
        let bytes = memory.as_mut_ptr_range();
        let start = (bytes.start as usize).next_multiple_of(PAGE);
        let Some(len) = (bytes.end as usize).checked_sub(start).filter(|&len| len >= PAGE) else { return };
        let start = bytes.start.wrapping_byte_add(start - bytes.start as usize);
        // SAFETY: the range is a part of `memory`, whole pages of the system but for the last, which it
        // rounds up; the advice changes no byte.
        let _ = unsafe {
            rustix::mm::madvise(start.cast(), len / PAGE * PAGE, rustix::mm::Advice::LinuxHugepage)
        };
    }
    #[cfg(not(target_os = "linux"))]
    let _ = memory;
}

/// So many copies of a value, in large pages.
pub(crate) fn filled<T: Copy>(value: T, count: usize) -> Vec<T> {
    let mut all = Vec::with_capacity(count);
    advise(all.spare_capacity_mut());
    all.resize(count, value);
    all
}
