//! Waiting for a condition, instead of sleeping.

use std::time::Duration;

use tokio::sync::watch;

/// How long a wait may last before the test fails. Generous: it is reached only by a failing test.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// Waits until `reached` holds, asking again at each change.
///
/// # Panics
/// After [`PATIENCE`], with `what` and what `describe` says of the state then.
pub(crate) async fn until(
    mut changes: watch::Receiver<u64>,
    what: &str,
    mut reached: impl FnMut() -> bool,
    describe: impl Fn() -> String,
) {
    let wait = async {
        loop {
            changes.borrow_and_update();
            if reached() {
                return;
            }
            if changes.changed().await.is_err() {
                panic!("nothing is left to wait for {what} from; {}", describe());
            }
        }
    };
    if tokio::time::timeout(PATIENCE, wait).await.is_err() {
        panic!("waited {PATIENCE:?} for {what}; {}", describe());
    }
}

/// Tells the waiting that something changed.
pub(crate) fn bump(changes: &watch::Sender<u64>) {
    changes.send_modify(|version| *version = version.wrapping_add(1));
}
