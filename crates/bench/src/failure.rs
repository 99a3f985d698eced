//! Why a measurement was given up.

/// What went wrong, for the person who measures. A figure that rests on a wrong answer is worse than none: whatever
/// fails ends the run.
pub(crate) type Failure = Box<dyn std::error::Error + Send + Sync>;

/// The same with what was being done in front.
pub(crate) fn while_doing<E: Into<Failure>>(doing: impl std::fmt::Display) -> impl FnOnce(E) -> Failure {
    move |error| format!("{doing}: {}", with_causes(&*error.into())).into()
}

fn with_causes(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use grantkeeper_domain::StoreError;

    use super::*;

    #[test]
    fn the_causes_are_told() {
        let failure = while_doing("seeding")(StoreError::Unavailable("disk full".into()));
        assert_eq!(failure.to_string(), "seeding: the store is not available: disk full");
    }
}
