//! Boxes that are used again: what is moved through a stack of layers should be small, and what is
//! made for every request should not allocate.

use std::{cell::RefCell, fmt};

use super::open::Open;

/// How many empty boxes a thread keeps.
const KEPT: usize = 64;

/// Moved from thread to thread without its content, unlike what a vector holds.
type Place = Box<Option<Open>>;

thread_local! {
    static EMPTY: RefCell<Vec<Place>> = const { RefCell::new(Vec::new()) };
}

/// A box that this thread, or the one where it is emptied, keeps for the next account.
pub(super) struct Spare(Option<Place>);

impl Spare {
    pub(super) fn fill(open: Open) -> Self {
        // A thread that ends has none left.
        let empty = EMPTY.try_with(|empty| empty.borrow_mut().pop());
        let mut place = empty.ok().flatten().unwrap_or_default();
        *place = Some(open);
        Self(Some(place))
    }

    pub(super) fn get(&mut self) -> Option<&mut Open> {
        self.0.as_mut()?.as_mut().as_mut()
    }
}

impl Drop for Spare {
    fn drop(&mut self) {
        if let Some(mut place) = self.0.take() {
            *place = None;
            let _ = EMPTY.try_with(|empty| {
                let mut empty = empty.borrow_mut();
                if empty.len() < KEPT {
                    empty.push(place);
                }
            });
        }
    }
}

impl fmt::Debug for Spare {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_deref().fmt(f)
    }
}
