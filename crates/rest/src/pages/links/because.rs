//! Reasons, for people.

/// What follows behind "…not linked": the reason in words, where we have some, and its code, by which an administrator finds it in
/// the log.
pub(in crate::pages) fn because(code: &str) -> String {
    match in_words(code) {
        Some(words) => format!(": {words} ({code})"),
        None => format!(" ({code})"),
    }
}

fn in_words(code: &str) -> Option<&'static str> {
    Some(match code {
        "declined" => "you said no",
        "access_denied" => "you said no at the provider, or the provider does not let you",
        "expired_token" => "nobody has entered the code in time",
        "invalid_grant" | "invalid_token" | "bad_refresh_token" => {
            "the provider no longer takes what you have allowed"
        }
        "no_refresh_token" | "refresh_token_expired" => "what you have allowed has expired",
        "issuer_mismatch" => "the answer came from another provider than the one you were sent to",
        "provider_not_active" => "the provider is paused or switched off",
        "provider_deleted" => "the provider was removed",
        "rate_limited" => "the provider takes no more questions for now",
        "slow" | "timeout" | "request_timeout" => "the provider has not answered in time",
        "connect" | "connection_failed" => "the provider cannot be reached",
        "server_trouble" => "the provider has trouble of its own",
        "interrupted" => "this service was interrupted",
        "shared_grant" => "other programs of yours use the same permission",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_told_in_words_and_always_with_its_code() {
        assert_eq!(because("declined"), ": you said no (declined)");
        assert_eq!(because("something_new"), " (something_new)");
    }
}
