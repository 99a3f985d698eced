//! The file that tokens are kept in: `$XDG_CONFIG_HOME/grantkeeper/credentials.json`.

use std::fs::{self, DirBuilder, File, Permissions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::{Environment, Kept};

/// Beside it; whoever changes it holds a lock on this one.
const LOCK: &str = "credentials.lock";
/// What is read into this leaves no copies behind as it grows.
const LIKELY_LENGTH: usize = 16 << 10;

/// The file that tokens are kept in, for its owner alone.
#[derive(Clone, Debug)]
pub struct CredentialsFile(PathBuf);

/// Why the file is of no use.
#[derive(Debug, thiserror::Error)]
pub enum CredentialsFileError {
    /// Neither `XDG_CONFIG_HOME` nor `HOME` is set.
    #[error("there is no place for credentials: set HOME, or GRANTKEEPER_URL and GRANTKEEPER_TOKEN")]
    NoHome,
    /// It cannot be read or written.
    #[error("{} cannot be used", .path.display())]
    Unusable {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        cause: io::Error,
    },
    /// Other users of the machine could have read it.
    #[error("{} can be read by others: run `chmod 600` on it", .0.display())]
    Open(PathBuf),
    /// It was written by something else.
    #[error("{} is not as `grantkeeper login` writes it: remove it, and sign in anew", .0.display())]
    Malformed(PathBuf),
}

impl CredentialsFile {
    /// Where the user has their settings. A path that is not absolute does not count (XDG Base Directory Specification).
    pub fn of(environment: &impl Environment) -> Result<Self, CredentialsFileError> {
        let folder = |name| environment.variable(name).map(PathBuf::from).filter(|path| path.is_absolute());
        let settings = folder("XDG_CONFIG_HOME").or_else(|| Some(folder("HOME")?.join(".config")));
        let settings = settings.ok_or(CredentialsFileError::NoHome)?;
        Ok(Self(settings.join("grantkeeper").join("credentials.json")))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// What is in it; nothing where it is not there.
    pub fn read(&self) -> Result<Kept, CredentialsFileError> {
        let mut file = match File::open(&self.0) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Kept::default()),
            Err(error) => return Err(self.unusable(error)),
        };
        let mode = file.metadata().map_err(|error| self.unusable(error))?.permissions().mode();
        // Whoever could open it all the same is its owner (or root).
        if mode & 0o077 != 0 {
            return Err(CredentialsFileError::Open(self.0.clone()));
        }
        let mut text = Zeroizing::new(Vec::with_capacity(LIKELY_LENGTH));
        file.read_to_end(&mut text).map_err(|error| self.unusable(error))?;
        let kept: Option<Kept> = serde_json::from_slice(&text).ok().filter(Kept::makes_sense);
        kept.ok_or_else(|| CredentialsFileError::Malformed(self.0.clone()))
    }

    /// Changes what is in it, as it is now: it is read anew, and whoever changes it at the same time comes before or after.
    /// Whoever reads it meanwhile finds all of the old one or all of the new one.
    pub fn change<T>(&self, change: impl FnOnce(&mut Kept) -> T) -> Result<T, CredentialsFileError> {
        // Let go when it is dropped.
        let _turn = self.take_turn().map_err(|error| self.unusable(error))?;
        let mut kept = self.read()?;
        let changed = change(&mut kept);
        self.replace(&kept).map_err(|error| self.unusable(error))?;
        Ok(changed)
    }

    fn folder(&self) -> &Path {
        self.0.parent().unwrap_or(Path::new("/"))
    }

    /// Waits until nobody else changes it. The lock is on a file of its own, since this one is replaced.
    fn take_turn(&self) -> io::Result<File> {
        let folder = self.folder();
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        fs::set_permissions(folder, Permissions::from_mode(0o700))?;
        let lock = File::options().create(true).append(true).mode(0o600).open(folder.join(LOCK))?;
        match lock.lock() {
            // Some network file systems have no locks: then it is as good as it can be.
            Err(error) if error.kind() != io::ErrorKind::Unsupported => Err(error),
            _ => Ok(lock),
        }
    }

    fn replace(&self, kept: &Kept) -> io::Result<()> {
        let folder = self.folder();
        let text = Zeroizing::new(serde_json::to_vec_pretty(&kept.written())?);
        // For its owner alone from the beginning.
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.write_all(&text)?;
        file.write_all(b"\n")?;
        file.as_file().sync_all()?;
        file.persist(&self.0).map_err(|error| error.error)?;
        Ok(())
    }

    fn unusable(&self, cause: io::Error) -> CredentialsFileError {
        CredentialsFileError::Unusable { path: self.0.clone(), cause }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::ffi::OsString;
    use std::thread;

    use super::super::KeptToken;
    use super::*;
    use crate::{Secret, ServiceUrl};

    fn file_in(home: &Path) -> CredentialsFile {
        let home = home.to_owned();
        CredentialsFile::of(&move |name: &str| (name == "HOME").then(|| OsString::from(&home)))
            .expect("a place")
    }

    fn service() -> ServiceUrl {
        "https://auth.example".parse().expect("an address")
    }

    fn keep(file: &CredentialsFile, url: ServiceUrl, token: &str) {
        let token = KeptToken {
            token: Secret::new(token.to_owned()),
            account_id: "account".to_owned(),
            came_of_login: true,
        };
        file.change(|kept| kept.keep(url, token)).expect("it is written");
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).expect("it is there").permissions().mode() & 0o777
    }

    #[test]
    fn a_token_is_kept_for_its_owner_alone() {
        let home = tempfile::tempdir().expect("a folder");
        let file = file_in(home.path());
        assert_eq!(file.path(), home.path().join(".config/grantkeeper/credentials.json"));
        assert!(file.read().expect("nothing is no mistake").current().is_none());
        for token in ["first", "second"] {
            keep(&file, service(), token);
            assert_eq!((mode(file.path()), mode(file.path().parent().expect("a folder"))), (0o600, 0o700));
            let mut kept = file.read().expect("it is read");
            assert_eq!(kept.current(), Some(&service()));
            assert_eq!(kept.take(&service()).expect("a token").expose(), token);
        }
        let left =
            fs::read_dir(file.folder()).expect("a folder").map(|entry| entry.expect("an entry").path());
        let left: BTreeSet<_> = left.collect();
        let ours = [file.path().to_owned(), file.folder().join(LOCK)];
        assert_eq!(left, BTreeSet::from(ours), "nothing is left of writing");
    }

    #[test]
    fn what_others_could_read_is_not_used() {
        let home = tempfile::tempdir().expect("a folder");
        let file = file_in(home.path());
        keep(&file, service(), "token");
        fs::set_permissions(file.path(), Permissions::from_mode(0o640)).expect("it is ours");
        let failure = file.read().err().expect("others can read it").to_string();
        assert!(failure.contains("chmod 600"), "{failure}");
    }

    #[test]
    fn a_file_that_makes_no_sense_is_not_overwritten_unseen() {
        let home = tempfile::tempdir().expect("a folder");
        let file = file_in(home.path());
        keep(&file, service(), "token");
        fs::write(file.path(), "{\"services\": [\"secret\"]}").expect("it is ours");
        let failure = file.read().err().expect("it makes no sense").to_string();
        assert!(failure.contains("remove it") && !failure.contains("secret"), "{failure}");
    }

    #[test]
    fn a_token_that_could_not_be_sent_is_none() {
        let home = tempfile::tempdir().expect("a folder");
        let file = file_in(home.path());
        keep(&file, service(), "a\nb");
        assert!(matches!(file.read(), Err(CredentialsFileError::Malformed(_))));
    }

    #[test]
    fn what_is_kept_at_the_same_time_is_all_kept() {
        let home = tempfile::tempdir().expect("a folder");
        let file = file_in(home.path());
        let url = |number: u32| format!("https://auth{number}.example").parse::<ServiceUrl>().expect("a URL");
        thread::scope(|scope| {
            for number in 0..16 {
                let file = &file;
                scope.spawn(move || keep(file, url(number), &format!("token{number}")));
            }
        });
        let mut kept = file.read().expect("it is read");
        for number in 0..16 {
            let token = kept.take(&url(number)).expect("nobody has overwritten it");
            assert_eq!(token.expose(), format!("token{number}"));
        }
    }

    #[test]
    fn a_relative_folder_of_settings_does_not_count() {
        let file = CredentialsFile::of(&|name: &str| match name {
            "XDG_CONFIG_HOME" => Some(OsString::from("settings")),
            "HOME" => Some(OsString::from("/home/ada")),
            _ => None,
        });
        assert_eq!(file.expect("a home").path(), Path::new("/home/ada/.config/grantkeeper/credentials.json"));
        assert!(CredentialsFile::of(&|_: &str| None).is_err());
    }
}
