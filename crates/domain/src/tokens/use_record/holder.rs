//! The one who holds back the uses of a moment.

use std::sync::Arc;
use std::time::Duration;

use super::RecordUses;

/// How long uses are held back. What is used at random lies all over the tables: the more of it is written at once, the less
/// often a database writes the same pages.
const HELD_FOR: Duration = Duration::from_secs(1);

/// The one who holds uses back. They are released when it ends, be it with its runtime.
pub(super) struct Holder(Arc<RecordUses>);

impl Drop for Holder {
    fn drop(&mut self) {
        self.0.page().release();
    }
}

impl Holder {
    pub(super) fn of(record: &Arc<RecordUses>) -> Self {
        Self(Arc::clone(record))
    }

    /// Holds them back for a while, unless all are waited for, and sees that they are written then.
    pub(super) async fn hold(self) {
        let record = Arc::clone(&self.0);
        tokio::select! {
            () = record.clock.sleep(HELD_FOR) => {}
            () = record.tasks.hurry() => {}
        }
        drop(self);
        record.see_that_it_is_written();
    }
}
