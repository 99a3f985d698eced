//! Slugs: the short ids of providers.

/// A short id of a provider, unique in its organization: 1 to 64 of `a-z`, `0-9` and `-`, no `-` at either end.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Slug(String);

const LONGEST: usize = 64;

impl Slug {
    /// Checks and takes a slug.
    pub fn parse(text: &str) -> Result<Self, SlugError> {
        let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        let fits = (1..=LONGEST).contains(&text.len()) && text.bytes().all(allowed);
        if !fits || text.starts_with('-') || text.ends_with('-') {
            return Err(SlugError);
        }
        Ok(Self(text.to_owned()))
    }

    /// Makes a slug from a provider's name; `provider` where nothing of the name can stay.
    pub fn from_name(name: &str) -> Self {
        let mut slug = String::new();
        for c in name.to_lowercase().chars() {
            if c.is_ascii_lowercase() || c.is_ascii_digit() {
                slug.push(c);
            } else if !slug.is_empty() && !slug.ends_with('-') {
                slug.push('-');
            }
        }
        // Room for a number behind it, where another provider has the slug already.
        slug.truncate(LONGEST - 8);
        let slug = slug.trim_end_matches('-');
        Self(if slug.is_empty() { "provider".to_owned() } else { slug.to_owned() })
    }

    /// The slug with a number, for the second and further providers of a name.
    #[must_use]
    pub fn numbered(&self, number: u32) -> Self {
        Self(format!("{}-{number}", self.0))
    }

    /// The slug.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Not a slug.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a slug has 1 to 64 characters of a-z, 0-9 and -, and no - at either end")]
pub struct SlugError;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_makes_a_slug() {
        for (name, slug) in [
            ("GitHub", "github"),
            ("  Our GitLab (self-managed)! ", "our-gitlab-self-managed"),
            ("日本", "provider"),
            ("", "provider"),
        ] {
            assert_eq!(Slug::from_name(name).as_str(), slug, "{name}");
        }
    }

    proptest::proptest! {
        #[test]
        fn every_name_makes_a_valid_slug(name in ".*", number in 2_u32..9999) {
            let slug = Slug::from_name(&name);
            proptest::prop_assert!(Slug::parse(slug.as_str()).is_ok());
            proptest::prop_assert!(Slug::parse(slug.numbered(number).as_str()).is_ok());
        }
    }
}
