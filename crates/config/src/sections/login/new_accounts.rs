//! Who gets an account at the first sign-in.

use url::Host;
use uuid::Uuid;

use crate::reader::Reader;

/// The tenant of personal Microsoft accounts
/// (<https://learn.microsoft.com/en-us/entra/identity-platform/id-token-claims-reference>, `tid`).
const PERSONAL_ACCOUNTS: Uuid = Uuid::from_u128(0x9188_040d_6c67_4c5b_b112_36a3_04b6_6dad);

/// Who gets an account at the first sign-in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum NewAccounts {
    /// Nobody: an operator links identities to accounts.
    #[default]
    Nobody,
    /// Those whom one of these lists names.
    Listed {
        /// Domains of addresses that the provider has verified; a subdomain is another domain.
        email_domains: Vec<String>,
        /// Tenants of Microsoft Entra ID.
        tenants: Vec<Uuid>,
    },
    /// Everybody whom the provider lets in.
    Anyone,
}

/// What is said in the file.
#[derive(Clone, Copy)]
enum Word {
    Nobody,
    Listed,
    Anyone,
}

impl Word {
    fn parse(text: &str) -> Result<Self, String> {
        match text {
            "nobody" => Ok(Self::Nobody),
            "listed" => Ok(Self::Listed),
            "anyone" => Ok(Self::Anyone),
            _ => Err(format!("{text:?} is none of nobody, listed and anyone")),
        }
    }
}

impl NewAccounts {
    pub(super) fn read(reader: &mut Reader, key: impl Fn(&str) -> String) -> Self {
        let word_key = key("new_accounts");
        let word = reader.parsed(&word_key, Word::parse);
        let email_domains = List::read(reader, key("email_domains"), domain);
        let tenants = List::read(reader, key("tenants"), tenant);
        let is_wrong = word.is_none() && reader.origin(&word_key).is_some();
        let word = word.unwrap_or(Word::Nobody);
        if let Word::Listed = word {
            if email_domains.is_empty() && tenants.is_empty() {
                reader.problem(
                    &word_key,
                    "nobody is on a list; give email_domains, or tenants at Microsoft, whose addresses are not verified",
                );
            }
        } else if !is_wrong {
            email_domains.refuse(reader);
            tenants.refuse(reader);
        }
        match word {
            Word::Nobody => Self::Nobody,
            Word::Listed => {
                Self::Listed { email_domains: email_domains.entries(), tenants: tenants.entries() }
            }
            Word::Anyone => Self::Anyone,
        }
    }

    /// As the configuration names it.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Nobody => "nobody",
            Self::Listed { .. } => "listed",
            Self::Anyone => "anyone",
        }
    }

    /// The domains on the list.
    pub fn email_domains(&self) -> &[String] {
        match self {
            Self::Listed { email_domains, .. } => email_domains,
            Self::Nobody | Self::Anyone => &[],
        }
    }

    /// The tenants on the list.
    pub fn tenants(&self) -> &[Uuid] {
        match self {
            Self::Listed { tenants, .. } => tenants,
            Self::Nobody | Self::Anyone => &[],
        }
    }

    pub(super) fn lets_in_every_personal_account(&self) -> bool {
        self.tenants().contains(&PERSONAL_ACCOUNTS)
    }
}

/// A list of those who are let in.
struct List<T> {
    key: String,
    /// `None`: not given, or wrong.
    read: Option<Vec<T>>,
    is_given: bool,
}

impl<T> List<T> {
    fn read(reader: &mut Reader, key: String, parse: impl Fn(&str) -> Result<T, String>) -> Self {
        let read = reader.list(&key, parse);
        Self { is_given: reader.origin(&key).is_some(), read, key }
    }

    /// One that is wrong has something in it.
    fn is_empty(&self) -> bool {
        self.read.as_ref().map_or(!self.is_given, Vec::is_empty)
    }

    fn entries(self) -> Vec<T> {
        self.read.unwrap_or_default()
    }

    /// A list that does not count is a mistake: somebody relies on it.
    fn refuse(&self, reader: &mut Reader) {
        if !self.is_empty() {
            reader.problem(
                &self.key,
                "this list counts for nothing; set new_accounts = \"listed\", or take it out",
            );
        }
    }
}

fn domain(text: &str) -> Result<String, String> {
    match Host::parse(text) {
        Ok(Host::Domain(name)) if name == text && !text.ends_with('.') && !text.starts_with('.') && !text.contains('*') => {
            Ok(name)
        }
        _ => Err("give a domain alone, such as acme.example: lower case, ASCII, no @, no wildcard, no dot at either end; \
                  it is compared exactly, so that a subdomain is another one"
            .to_owned()),
    }
}

/// The issuer names it by its id, and never by one of its domains.
fn tenant(text: &str) -> Result<Uuid, String> {
    Uuid::try_parse(text).map_err(|_| {
        "give the tenant's id, such as 8eaef023-2b34-4da1-9baa-8bc8c9d6a490; to let in every tenant, set new_accounts \
         = \"anyone\""
            .to_owned()
    })
}
