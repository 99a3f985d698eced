//! The way to PostgreSQL by TLS, with a server that is verified.

use std::path::Path;
use std::process::Command;

use grantkeeper_testkit::postgres::PostgresCluster;

use crate::installation::Installation;
use crate::stores::Store;

/// Has the installation's connections protected, and verified by an authority.
fn protect(installation: &mut Installation, authority: &Path) {
    let url = format!("{}?sslmode=verify-full&sslrootcert={}", installation.store.url(), authority.display());
    installation.set("DATABASE_URL", &url);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_connection_is_protected() {
    let mut installation = Installation::over(Store::postgres());
    protect(&mut installation, PostgresCluster::shared().ca_certificate().expect("the script makes one"));
    installation.run(&["migrate"]);
    let admin = installation.caller(&installation.token("admin@acme.example", true));
    let running = installation.serve().await;
    assert_eq!(running.get("/readyz").await.0.as_u16(), 200);
    assert_eq!(admin.get("/providers/").await.0.as_u16(), 200);
    let ours = "pg_stat_ssl JOIN pg_stat_activity USING (pid) \
                WHERE datname = current_database() AND application_name = 'grantkeeper'";
    let store = &installation.store;
    assert!(store.count(ours) > 0);
    assert_eq!(store.count(&format!("{ours} AND NOT ssl")), 0);
}

#[test]
fn a_server_that_another_authority_vouches_for_is_refused() {
    let mut installation = Installation::over(Store::postgres());
    let authority = installation.path("another.pem");
    make_authority(&authority);
    protect(&mut installation, &authority);
    for command in [&["migrate"][..], &["serve"], &["serve", "--migrate"]] {
        let why = installation.refuses(command);
        assert!(why.contains("the PostgreSQL database") && why.contains("certificate"), "{why}");
    }
    assert_eq!(installation.store.count("pg_tables WHERE schemaname = 'public'"), 0);
}

fn make_authority(certificate: &Path) {
    let made = Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
            "-nodes",
            "-days",
            "7",
        ])
        .args(["-subj", "/CN=another authority", "-keyout", "/dev/null", "-out"])
        .arg(certificate)
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
}
