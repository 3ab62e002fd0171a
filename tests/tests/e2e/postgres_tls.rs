//! TLS to PostgreSQL, as `sslmode` and `sslrootcert` say it.

use std::path::Path;

use connect_tests::postgres::{Durability, Postgres};
use connect_tests::service_process::{Home, Settings};

/// Starts the service with these options; returns how many of its connections are encrypted and how many are not, or
/// what it said.
async fn connections(postgres: &Postgres, options: &str) -> Result<(u32, u32), String> {
    let url = postgres.create_database().await.unwrap();
    let database = url.rsplit('/').next().unwrap();
    let settings = Settings { database_url: Some(format!("{url}?{options}")), ..Settings::default() };
    let home = Home::new(&settings).unwrap();
    let _service = home.start().await.map_err(|error| error.to_string())?;
    let count = async |condition: &str| {
        let query = format!(
            "SELECT count(*) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)
             WHERE datname = '{database}' AND pid <> pg_backend_pid() AND {condition}"
        );
        postgres.query("postgres", &query).await.unwrap().parse().unwrap()
    };
    Ok((count("ssl").await, count("NOT ssl").await))
}

async fn is_encrypted(postgres: &Postgres, options: &str) -> bool {
    match connections(postgres, options).await.unwrap() {
        (1.., 0) => true,
        (0, 1..) => false,
        counts => panic!("{options}: {counts:?}"),
    }
}

async fn is_refused(postgres: &Postgres, options: &str) {
    let said = connections(postgres, options).await.expect_err(options);
    assert!(said.contains("certificate"), "{options}: {said}");
}

fn with_authority(mode: &str, file: &Path) -> String {
    format!("sslmode={mode}&sslrootcert={}", file.display())
}

#[tokio::test]
async fn tls_to_postgresql_is_as_sslmode_says() {
    let postgres = Postgres::start(Durability::Volatile).await.unwrap();
    assert!(!is_encrypted(&postgres, "").await);
    let said = connections(&postgres, "sslmode=require").await.unwrap_err();
    assert!(said.to_lowercase().contains("tls"), "{said}");

    let authority = postgres.offer_tls("127.0.0.1").await.unwrap();
    assert!(!is_encrypted(&postgres, "sslmode=disable").await);
    for options in ["", "sslmode=require", &with_authority("verify-full", &authority)] {
        assert!(is_encrypted(&postgres, options).await, "{options}");
    }
    // Nobody whom everybody trusts has issued it, or this authority.
    let folder = tempfile::tempdir().unwrap();
    let other = folder.path().join("other.pem");
    let certified = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    std::fs::write(&other, certified.cert.pem()).unwrap();
    for options in ["sslmode=verify-full", "sslmode=verify-ca", &with_authority("verify-ca", &other)] {
        is_refused(&postgres, options).await;
    }

    let authority = postgres.offer_tls("elsewhere.example").await.unwrap();
    is_refused(&postgres, &with_authority("verify-full", &authority)).await;
    assert!(is_encrypted(&postgres, &with_authority("verify-ca", &authority)).await);
}
