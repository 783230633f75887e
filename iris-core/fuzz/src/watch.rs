//! What one input may take: a second of the processor's time, 256 MB more than there was, and no panic of ours.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// What one input may allocate.
const MOST_BYTES: usize = 256 << 20;
const MOST_TIME: Duration = Duration::from_secs(1);

static LIVE: AtomicUsize = AtomicUsize::new(0);
static ALLOWED: AtomicUsize = AtomicUsize::new(usize::MAX);

/// The system's allocator, which ends the process where an input takes more than it may.
struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

// SAFETY: each call is passed to the system's allocator as it is.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        grow(layout.size());
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        grow(layout.size());
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        LIVE.fetch_sub(layout.size(), Ordering::Relaxed);
        unsafe { System.dealloc(memory, layout) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        grow(size);
        LIVE.fetch_sub(layout.size(), Ordering::Relaxed);
        unsafe { System.realloc(memory, layout, size) }
    }
}

fn grow(size: usize) {
    let live = LIVE.fetch_add(size, Ordering::Relaxed).saturating_add(size);
    if live > ALLOWED.load(Ordering::Relaxed) {
        ALLOWED.store(usize::MAX, Ordering::Relaxed);
        eprintln!("one input takes more than {MOST_BYTES} bytes: {live} with {size} at once");
        std::process::abort();
    }
}

/// Takes the place of libFuzzer's hook, which ends the process at any panic: those of dependencies are errors where they
/// are caught, those of our own code are faults wherever they end.
pub fn start() {
    std::panic::set_hook(Box::new(|panic| {
        let of_a_dependency = panic.location().is_some_and(|place| {
            place.file().contains("/registry/src/") || place.file().starts_with("/rustc/")
        });
        if !of_a_dependency {
            eprintln!("{panic}");
            std::process::abort();
        }
    }));
}

/// Runs `answer`, and ends the process if that takes more than it may.
pub fn watched(answer: impl FnOnce()) {
    let before = processor_time();
    let allowed = LIVE.load(Ordering::Relaxed).saturating_add(MOST_BYTES);
    ALLOWED.store(allowed, Ordering::Relaxed);
    answer();
    ALLOWED.store(usize::MAX, Ordering::Relaxed);
    let taken = processor_time().saturating_sub(before);
    if taken > MOST_TIME {
        eprintln!("one input takes {taken:?}");
        std::process::abort();
    }
}

/// What this thread has had of a processor.
fn processor_time() -> Duration {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: `time` is a place for the answer.
    let result = unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) };
    assert_eq!(result, 0, "the clock is there");
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}
