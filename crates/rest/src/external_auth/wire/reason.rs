//! Why something is not as a user would want it, as a sentence with a code at its end: never in a provider's words.

/// Why a link does not hold, or could not be checked.
pub(super) fn of_link(authenticated: bool, code: &str) -> String {
    let sentence = match (authenticated, code) {
        (false, _) => "The link does not hold any more: link the account again",
        (true, "rate_limited") => {
            "The provider limits how often it may be asked whether the link still holds"
        }
        (true, "provider_not_active") => "The provider is not active: ask an administrator",
        (true, _) => "The provider could not be asked whether the link still holds",
    };
    format!("{sentence} ({code})")
}

/// Why a provider has not revoked the tokens of a link that is gone.
pub(super) fn of_revocation(code: &str) -> String {
    let sentence = match code {
        "shared_grant" => "The provider could only have ended what another link needs as well",
        "slow" => "The provider has not answered yet; the revocation goes on",
        _ => "The provider has not revoked the tokens so far",
    };
    format!("{sentence} ({code})")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_is_a_sentence_that_ends_with_its_code() {
        for code in
            ["invalid_token", "rate_limited", "provider_not_active", "timeout", "shared_grant", "slow"]
        {
            for told in [of_link(true, code), of_link(false, code), of_revocation(code)] {
                let (sentence, end) = told.split_once(" (").unwrap();
                assert!(sentence.starts_with("The "), "{told}");
                assert_eq!(end.strip_suffix(')'), Some(code), "{told}");
            }
        }
    }
}
