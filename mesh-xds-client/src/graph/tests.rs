//! The graph over a store that the test writes by hand.

mod breaks;
mod errors;
mod random;
mod sharing;
mod world;
