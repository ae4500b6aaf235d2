//! Doing a few things at once, and all of them in the end.

use std::sync::{Mutex, PoisonError};
use std::thread;

/// What `work` makes of each item, in the items' order, with at most so many at
/// once.
pub(super) fn map<I: Sync, O: Send>(
    items: &[I],
    at_once: usize,
    work: impl Fn(&I) -> O + Sync,
) -> Vec<O> {
    let queue = Mutex::new(items.iter().enumerate());
    let done = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..at_once.min(items.len()) {
            scope.spawn(|| {
                while let Some((index, item)) = next(&queue) {
                    let output = work(item);
                    lock(&done).push((index, output));
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_by_key(|(index, _)| *index);
    done.into_iter().map(|(_, output)| output).collect()
}

/// The lock is held for no longer than taking the item.
fn next<T>(queue: &Mutex<impl Iterator<Item = T>>) -> Option<T> {
    lock(queue).next()
}

/// What a panicking worker leaves behind is whole: it is changed in one step.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    /// Each item once, in order, and never more at once than allowed.
    #[test]
    fn all_items_in_order_and_few_at_once() {
        let (now, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let items: Vec<usize> = (0..50).collect();
        let doubled = map(&items, 3, |item| {
            let running = now.fetch_add(1, Ordering::SeqCst) + 1;
            most.fetch_max(running, Ordering::SeqCst);
            thread::yield_now();
            now.fetch_sub(1, Ordering::SeqCst);
            item * 2
        });
        let expected: Vec<usize> = items.iter().map(|item| item * 2).collect();
        assert_eq!(doubled, expected);
        assert!(most.into_inner() <= 3);
    }
}
