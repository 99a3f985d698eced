//! The contract and race suites, over a file and in memory.

mod file {
    grantkeeper_testkit::store_contract_tests!(std::future::ready(crate::database::file_store()));
}

mod file_races {
    grantkeeper_testkit::store_race_tests!(std::future::ready(crate::database::file_store()));
}

mod memory {
    grantkeeper_testkit::store_contract_tests!(std::future::ready(crate::database::memory_store()));
}

mod memory_races {
    grantkeeper_testkit::store_race_tests!(std::future::ready(crate::database::memory_store()));
}
