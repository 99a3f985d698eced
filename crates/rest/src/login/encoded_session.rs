//! What the client of a device login holds in the meantime: the handle, and eight digits of its hash, so that one that was
//! cut off or tampered with is told from one that has expired.

use grantkeeper_domain::Secret;
use grantkeeper_domain::secret::SecretHash;

const SEPARATOR: char = '.';
const DIGITS: usize = 8;

/// The handle as it goes to the client.
pub(super) fn encoded(handle: &Secret) -> String {
    let handle = handle.expose();
    format!("{handle}{SEPARATOR}{}", checksum(handle))
}

/// The handle again; `None` where this never came from us.
pub(super) fn decoded(session: &Secret) -> Option<Secret> {
    let (handle, check) = session.expose().rsplit_once(SEPARATOR)?;
    (checksum(handle) == check).then(|| Secret::new(handle.to_owned()))
}

/// Told apart from the hash by which the store knows the handle: nothing of that is shown.
fn checksum(handle: &str) -> String {
    let hash = SecretHash::of(&format!("grantkeeper device login {handle}"));
    hash.as_str().chars().take(DIGITS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<String> {
        decoded(&Secret::new(text.to_owned())).map(|handle| handle.expose().to_owned())
    }

    #[test]
    fn what_went_out_comes_back() {
        let session = encoded(&Secret::new("handle".to_owned()));
        assert_eq!(read(&session).as_deref(), Some("handle"));
    }

    #[test]
    fn what_is_shown_is_nothing_of_what_the_store_knows() {
        let session = encoded(&Secret::new("handle".to_owned()));
        let (_, shown) = session.split_once('.').unwrap();
        assert!(!SecretHash::of("handle").as_str().contains(shown));
    }

    proptest::proptest! {
        #[test]
        fn any_single_change_is_noticed(at in 0_usize..15, other in "[0-9a-z.]") {
            let session = encoded(&Secret::new("handle".to_owned()));
            let mut changed = session.clone();
            changed.replace_range(at..=at, &other);
            proptest::prop_assert_eq!(read(&changed).is_some(), changed == session);
        }

        #[test]
        fn anything_may_be_presented(text in ".*") {
            let _ = read(&text);
        }
    }
}
