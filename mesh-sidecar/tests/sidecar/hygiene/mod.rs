//! What a client may not do, or may do and few expect: the right answer, nothing sent on that was not
//! asked for, and no memory lost over it.

mod bodies;
mod bodiless;
mod floods;
mod half_closed;
mod heads;
mod idle;
mod interim;
mod slow;
mod smuggling;
mod upgrades;
