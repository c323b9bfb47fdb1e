//! Nothing is allocated per packet once the buffers have grown.
//!
//! Counting needs an allocator of its own, and implementing one is unsafe by nature; this one hands
//! everything through to the system's.

#![allow(clippy::unwrap_used)]
#![allow(unsafe_code)]

mod common;

use common::traffic::{frames, with_entries};
use restage_golden::{Input, Output};
use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicU64, Ordering};

struct Counting;

static COUNT: AtomicU64 = AtomicU64::new(0);

// SAFETY: all calls go to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        COUNT.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller's duties are passed on.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        // SAFETY: the caller's duties are passed on.
        unsafe { System.dealloc(at, layout) }
    }
    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        COUNT.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller's duties are passed on.
        unsafe { System.realloc(at, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

#[test]
fn steady_processing_does_not_allocate() {
    let packets = frames(3, 400);
    let mut copies = 0;
    for item in restage_library::ALL {
        let mut golden = with_entries(item);
        let mut out = Output::new();
        let mut before = 0;
        for round in 0..4 {
            before = if round == 3 { COUNT.load(Ordering::Relaxed) } else { before };
            for (port, bytes) in &packets {
                golden.process(&Input::new(*port, bytes), &mut out);
                copies += usize::from(out.packets().len() > 1);
            }
        }
        assert_eq!(COUNT.load(Ordering::Relaxed) - before, 0, "{}", item.name);
    }
    assert!(copies > 100, "copies were made too");
}
