//! A server with a git repository, to be read by those with a password.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::callers::client;

/// What is in the repository.
pub(crate) const FILE: &str = "README";

/// It speaks the dumb protocol: the files of a bare repository, as they are (`git help http-backend`, "dumb").
pub(crate) struct RepositoryServer {
    pub(crate) url: String,
    door: Arc<Mutex<Door>>,
    _folder: TempDir,
}

#[derive(Default)]
struct Door {
    key: Key,
    /// Every `user:password` that did not open it.
    turned_away: Vec<String>,
}

/// What opens the door.
#[derive(Clone, Default)]
enum Key {
    #[default]
    Nothing,
    /// `user:password`.
    Exactly(String),
    /// The name of the user is a token that this provider knows.
    TokenOf(String),
}

impl RepositoryServer {
    /// With the repository `acme/app.git`.
    pub(crate) async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        make_repository(folder.path());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let door = Arc::new(Mutex::new(Door::default()));
        let (root, here) = (folder.path().to_owned(), Arc::clone(&door));
        tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                tokio::spawn(answer(connection, root.clone(), Arc::clone(&here)));
            }
        });
        Self { url, door, _folder: folder }
    }

    pub(crate) fn remote(&self) -> String {
        format!("{}/acme/app.git", self.url)
    }

    /// From now on these open it, and nothing else.
    pub(crate) fn open_to(&self, username: &str, password: &str) {
        self.door.lock().unwrap().key = Key::Exactly(format!("{username}:{password}"));
    }

    /// From now on the tokens of a provider open it, as they open its own repositories, and nothing else.
    pub(crate) fn open_to_tokens_of(&self, provider: &str) {
        self.door.lock().unwrap().key = Key::TokenOf(provider.to_owned());
    }

    /// Who has tried in vain.
    pub(crate) fn turned_away(&self) -> Vec<String> {
        self.door.lock().unwrap().turned_away.clone()
    }
}

/// `git` without anything of the developer's own.
fn git(folder: &Path, arguments: &[&str]) {
    let mut command = Command::new("git");
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap()).env("HOME", folder);
    command.env("GIT_CONFIG_NOSYSTEM", "1").current_dir(folder);
    let author =
        ["-c", "user.name=Ada", "-c", "user.email=ada@acme.example", "-c", "init.defaultBranch=main"];
    let output = command.args(author).args(arguments).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {output:?}");
}

fn make_repository(root: &Path) {
    let work = root.join("work");
    std::fs::create_dir(&work).unwrap();
    std::fs::write(work.join(FILE), "hello\n").unwrap();
    for arguments in [
        &["init", "--quiet"][..],
        &["add", FILE],
        &["commit", "--quiet", "--message", "First"],
        &["clone", "--quiet", "--bare", ".", "../acme/app.git"],
        &["-C", "../acme/app.git", "update-server-info"],
    ] {
        git(&work, arguments);
    }
}

async fn answer(mut connection: TcpStream, root: PathBuf, door: Arc<Mutex<Door>>) {
    let mut head = Vec::new();
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        if connection.read_buf(&mut head).await.unwrap_or(0) == 0 {
            return;
        }
    }
    let head = String::from_utf8(head).unwrap();
    let may_enter = may_enter(&head, &door).await;
    let path = head.split(' ').nth(1).unwrap().split('?').next().unwrap();
    let file = std::fs::read(root.join(path.trim_start_matches('/')));
    let (status, more, body) = match file {
        _ if !may_enter => ("401 Unauthorized", "WWW-Authenticate: Basic realm=\"git\"\r\n", Vec::new()),
        Ok(file) => ("200 OK", "", file),
        Err(_) => ("404 Not Found", "", Vec::new()),
    };
    let length = body.len();
    let head = format!("HTTP/1.1 {status}\r\n{more}Content-Length: {length}\r\nConnection: close\r\n\r\n");
    // Git may have left.
    let _ = connection.write_all(&[head.as_bytes(), &body].concat()).await;
}

async fn may_enter(head: &str, door: &Mutex<Door>) -> bool {
    let given = head.lines().find_map(|line| line.strip_prefix("Authorization: Basic "));
    let Some(given) = given else { return false };
    let given = String::from_utf8(STANDARD.decode(given).unwrap()).unwrap();
    let key = door.lock().unwrap().key.clone();
    let fits = match key {
        Key::Nothing => false,
        Key::Exactly(key) => key == given,
        Key::TokenOf(provider) => {
            let token = given.split(':').next().unwrap();
            let asked = client().get(format!("{provider}/userinfo")).bearer_auth(token).send().await;
            asked.unwrap().status().is_success()
        }
    };
    if !fits {
        door.lock().unwrap().turned_away.push(given);
    }
    fits
}
