//! Throw-away PostgreSQL: what tests get from it, and that none of it stays.

use std::io::Read as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use grantkeeper_testkit::postgres::{Database, PostgresCluster};

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/with-postgres");

/// Runs a shell's commands under a server of its own.
fn with_postgres(commands: &str) -> Output {
    script(commands).output().expect("bash is there")
}

fn script(commands: &str) -> Command {
    let mut command = Command::new("bash");
    command.args([SCRIPT, "--own", "sh", "-c", commands]).stdin(Stdio::null());
    command
}

/// The folder of a server, which the path of its certificate tells.
fn folder_of(certificate: &str) -> PathBuf {
    let folder = Path::new(certificate.trim()).parent().expect("a path of several parts").to_owned();
    assert!(folder.is_absolute(), "{}", folder.display());
    folder
}

/// What a command has printed: the path of the certificate.
fn printed_folder(output: &Output) -> PathBuf {
    folder_of(std::str::from_utf8(&output.stdout).expect("a path in UTF-8"))
}

mod databases {
    use super::*;

    #[test]
    fn a_database_is_fresh_and_its_own() {
        let (one, other) =
            (PostgresCluster::shared().fresh_database(), PostgresCluster::shared().fresh_database());
        one.sql("CREATE TABLE things (name text); INSERT INTO things VALUES ('lamp'), ('chair')");

        assert_eq!(one.sql("SELECT name, length(name) FROM things ORDER BY name"), "chair|5\nlamp|4\n");
        let error = other.try_sql("SELECT name FROM things").unwrap_err();
        assert!(error.contains("\"things\" does not exist"), "{error}");
        assert_ne!(one.url(), other.url());
    }

    #[test]
    fn a_copy_has_what_its_template_had() {
        let template = PostgresCluster::shared().fresh_database();
        template.sql("CREATE TABLE things AS SELECT 1 AS n");
        let copy = Database::from_template(&template);
        copy.sql("UPDATE things SET n = 2");

        assert_eq!(copy.sql("SELECT n FROM things"), "2\n");
        assert_eq!(template.sql("SELECT n FROM things"), "1\n");
    }

    #[test]
    fn a_database_goes_with_its_value() {
        let keeper = PostgresCluster::shared().fresh_database();
        let database = PostgresCluster::shared().fresh_database();
        let name = database.url().rsplit('/').next().unwrap().to_owned();
        let exists = format!("SELECT count(*) FROM pg_database WHERE datname = '{name}'");

        assert_eq!(keeper.sql(&exists), "1\n");
        drop(database);
        assert_eq!(keeper.sql(&exists), "0\n");
    }

    #[test]
    fn statements_after_a_failed_one_are_not_run() {
        let database = PostgresCluster::shared().fresh_database();
        let error =
            database.try_sql("CREATE TABLE one (); SELECT * FROM nowhere; CREATE TABLE two ()").unwrap_err();

        assert!(error.contains("\"nowhere\" does not exist"), "{error}");
        let tables = database.sql("SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace");
        assert_eq!(tables, "one\n");
    }
}

mod servers {
    use super::*;

    #[test]
    fn a_server_is_crashed_and_started_again_and_leaves_nothing() {
        let cluster = PostgresCluster::start();
        let folder = folder_of(cluster.ca_certificate().unwrap().to_str().unwrap());
        let database = cluster.fresh_database();
        let started = || database.sql("SELECT pg_postmaster_start_time()");
        database.sql("CREATE TABLE things AS SELECT 'kept' AS what");
        let first_start = started();
        assert_eq!(database.sql("SHOW fsync"), "off\n", "it would be slow");

        cluster.restart();
        assert_eq!(database.sql("SELECT what FROM things"), "kept\n");
        assert_ne!(started(), first_start);

        cluster.stop();
        let error = database.try_sql("SELECT what FROM things").unwrap_err();
        assert!(error.contains("Connection refused"), "{error}");
        cluster.start_again();
        assert_eq!(database.sql("SELECT what FROM things"), "kept\n");

        drop(cluster);
        assert_eq!(database.sql("SELECT what FROM things"), "kept\n", "its databases hold it");
        assert!(folder.exists());
        drop(database);
        assert!(!folder.exists());
    }

    #[test]
    fn a_durable_server_flushes() {
        assert_eq!(PostgresCluster::start_durable().fresh_database().sql("SHOW fsync"), "on\n");
    }

    #[test]
    fn tls_is_vouched_for_by_the_authority_and_a_password_is_wanted() {
        let done = with_postgres(
            r#"url="${TEST_POSTGRES}?sslmode=verify-full&sslrootcert=$TEST_POSTGRES_CA"
            export PGSSLMODE=disable
            psql=${TEST_POSTGRES_PSQL#bash }
            ask() { bash "$psql" -qtA -d "$1" -c 'SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()'; }
            ask "$url" && ask "$(echo "$url" | sed s/127.0.0.1/localhost/)"
            ask "$(echo "$url" | sed 's/grantkeeper:[^@]*@/grantkeeper:wrong@/')""#,
        );
        assert_eq!(String::from_utf8(done.stdout).unwrap(), "t\nt\n");
        let said = String::from_utf8(done.stderr).unwrap();
        assert!(said.contains("password authentication failed"), "{said}");
    }
}

mod the_script {
    use super::*;

    #[test]
    fn it_passes_on_how_the_command_ended_and_leaves_nothing() {
        let done = with_postgres(r#"echo "$TEST_POSTGRES_CA"; exit 7"#);
        assert_eq!(done.status.code(), Some(7), "{done:?}");
        let folder = printed_folder(&done);
        assert!(!folder.exists(), "{}", folder.display());
    }

    #[test]
    fn told_to_end_it_ends_the_command_and_leaves_nothing() {
        // The command's parent is the script.
        let done = with_postgres(r#"echo "$TEST_POSTGRES_CA"; kill -TERM "$PPID"; exec sleep 600"#);
        assert_eq!(done.status.code(), Some(128 + 15), "{done:?}");
        let folder = printed_folder(&done);
        assert!(!folder.exists(), "{}", folder.display());
    }

    #[test]
    fn the_interrupt_key_is_for_the_command() {
        let done = with_postgres(
            r#"trap : INT; kill -INT "$PPID" $$; $TEST_POSTGRES_CTL status >/dev/null && echo "$TEST_POSTGRES_CA""#,
        );
        // How it ended is not compared: bash is not sure of that when the key was pressed at the same moment.
        let folder = printed_folder(&done);
        assert!(!folder.exists(), "{}", folder.display());
    }

    #[test]
    fn spaces_in_paths_do_no_harm() {
        let temporary = tempfile::Builder::new().prefix("with space ").tempdir().unwrap();
        let commands = r#"$TEST_POSTGRES_CTL status >/dev/null && echo "$TEST_POSTGRES_CA""#;
        let mut script = script(commands);
        let done = script.env("TMPDIR", temporary.path()).current_dir(temporary.path()).output().unwrap();
        assert!(done.status.success(), "{done:?}");
        assert!(!printed_folder(&done).starts_with(temporary.path()), "{done:?}");
    }

    #[test]
    fn a_server_that_is_there_is_used() {
        let done = Command::new("bash")
            .args([SCRIPT, "sh", "-c", r#"echo "$TEST_POSTGRES$TEST_POSTGRES_CTL""#])
            .env("TEST_POSTGRES", "postgres://elsewhere/")
            .env_remove("TEST_POSTGRES_CTL")
            .output()
            .unwrap();
        assert_eq!(String::from_utf8(done.stdout).unwrap(), "postgres://elsewhere/\n");
    }

    #[test]
    #[ignore = "it is the process that the next test kills"]
    fn to_be_killed() {
        let cluster = PostgresCluster::start();
        println!("\n{}", cluster.ca_certificate().unwrap().display());
        std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
    }

    #[test]
    fn a_killed_process_leaves_no_server() {
        let mut process = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "--ignored", "--nocapture", "postgres::the_script::to_be_killed"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stdout = std::io::BufReader::new(process.stdout.take().unwrap());
        let certificate = std::io::BufRead::lines(stdout)
            .map(Result::unwrap)
            .find(|line| line.ends_with("/ca.pem"))
            .unwrap();
        let folder = folder_of(&certificate);
        assert!(folder.exists());

        process.kill().unwrap();
        assert_eq!(process.wait().unwrap().signal(), Some(9));
        // The script writes to the same pipe: it is at its end when the script is.
        process.stderr.take().unwrap().read_to_end(&mut Vec::new()).unwrap();
        assert!(!folder.exists(), "{}", folder.display());
    }
}
