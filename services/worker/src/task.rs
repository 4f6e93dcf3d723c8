//! Tasks that end without their result.

use tokio::task::JoinError;

/// Why a task has no result. What a panic says may quote a customer, and a [`JoinError`] repeats it, in its debug form
/// too: it goes no further than here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TaskLost {
    /// A mistake in this program; [`log_panics_without_words`](crate::analysts::log_panics_without_words) told where.
    #[error("a task panicked; its place is in the log")]
    Panicked,
    /// Somebody ended it.
    #[error("a task was cancelled")]
    Cancelled,
}

impl From<JoinError> for TaskLost {
    fn from(error: JoinError) -> Self {
        if error.is_panic() { Self::Panicked } else { Self::Cancelled }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WORDS: &str = "6222021234567890123";

    async fn fails() {
        panic!("while hearing {WORDS}");
    }

    #[tokio::test]
    async fn what_a_panic_says_is_not_repeated() {
        let error = tokio::spawn(fails()).await.expect_err("it panics");
        assert!(error.to_string().contains(WORDS), "tokio's own error repeats it");
        let lost = TaskLost::from(error);
        assert_eq!(lost, TaskLost::Panicked);
        assert!(!format!("{lost} {lost:?}").contains(WORDS));
    }

    #[tokio::test]
    async fn a_task_that_is_ended_did_not_panic() {
        let task = tokio::spawn(std::future::pending::<()>());
        task.abort();
        assert_eq!(task.await.map_err(TaskLost::from), Err(TaskLost::Cancelled));
    }
}
