//! The contract and race suites, over an SQLite file, over SQLite in memory, and over PostgreSQL.

mod file {
    grantkeeper_testkit::store_contract_tests!(crate::database::file_store());
}

mod file_races {
    grantkeeper_testkit::store_race_tests!(crate::database::file_store());
}

mod memory {
    grantkeeper_testkit::store_contract_tests!(crate::database::memory_store());
}

mod memory_races {
    grantkeeper_testkit::store_race_tests!(crate::database::memory_store());
}

mod postgres {
    grantkeeper_testkit::store_contract_tests!(crate::postgres::store());
}

mod postgres_races {
    grantkeeper_testkit::store_race_tests!(crate::postgres::store());
}
