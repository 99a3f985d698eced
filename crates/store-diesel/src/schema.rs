//! The tables as diesel sees them. Rows are read by position: the order of the columns is that of the fields of a row, and
//! every query names them, so that a database may have them in another.

diesel::table! {
    use diesel::sql_types::{BigInt, Text};
    use crate::columns::{IdColumn, JsonColumn, TimeColumn};

    organizations (id) {
        id -> IdColumn,
        name -> Text,
        redirect_uris -> JsonColumn,
        created_at -> TimeColumn,
        version -> BigInt,
        standing -> Text,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Nullable, Text};
    use crate::columns::{IdColumn, TimeColumn};

    accounts (id) {
        id -> IdColumn,
        organization_id -> IdColumn,
        email -> Text,
        role -> Text,
        created_at -> TimeColumn,
        version -> BigInt,
        standing -> Text,
        suspended_at -> Nullable<TimeColumn>,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Nullable, Text};
    use crate::columns::{IdColumn, TimeColumn};

    api_tokens (id) {
        id -> IdColumn,
        account_id -> IdColumn,
        organization_id -> IdColumn,
        hash -> Text,
        purpose -> Text,
        opened_with -> Nullable<IdColumn>,
        created_at -> TimeColumn,
        expires_at -> Nullable<TimeColumn>,
        last_used_at -> Nullable<TimeColumn>,
        revoked_at -> Nullable<TimeColumn>,
        version -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::Binary;
    use crate::columns::{IdColumn, TimeColumn};

    data_keys (id) {
        id -> IdColumn,
        organization_id -> IdColumn,
        wrapped -> Binary,
        created_at -> TimeColumn,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Binary};

    key_canary (id) {
        id -> BigInt,
        canary -> Binary,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Binary, Bool, Nullable, Text};
    use crate::columns::{IdColumn, JsonColumn, TimeColumn};

    providers (id) {
        id -> IdColumn,
        organization_id -> IdColumn,
        slug -> Nullable<Text>,
        name -> Text,
        kind -> Text,
        status -> Text,
        client_id -> Text,
        client_secret -> Binary,
        credential_id -> IdColumn,
        host -> Nullable<Text>,
        endpoints -> JsonColumn,
        scopes -> JsonColumn,
        device_flow -> Bool,
        app_slug -> Nullable<Text>,
        skip_consent -> Nullable<Bool>,
        keep_alive -> Bool,
        created_at -> TimeColumn,
        updated_at -> TimeColumn,
        version -> BigInt,
        git_hosts -> Nullable<JsonColumn>,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Binary, Nullable, Text};
    use crate::columns::{IdColumn, JsonColumn, TimeColumn};

    authorizations (id) {
        id -> IdColumn,
        organization_id -> IdColumn,
        account_id -> IdColumn,
        provider_id -> IdColumn,
        credential_id -> IdColumn,
        issuer -> Text,
        subject -> Text,
        user_info -> JsonColumn,
        requested_scopes -> JsonColumn,
        granted_scopes -> JsonColumn,
        access_token -> Binary,
        issued_at -> TimeColumn,
        expires_at -> Nullable<TimeColumn>,
        refresh_token -> Nullable<Binary>,
        refresh_token_expires_at -> Nullable<TimeColumn>,
        grant_state -> Text,
        dead_reason -> Nullable<Text>,
        grant_since -> TimeColumn,
        last_failure -> Nullable<Text>,
        next_attempt_at -> Nullable<TimeColumn>,
        last_refreshed_at -> Nullable<TimeColumn>,
        created_at -> TimeColumn,
        version -> BigInt,
        redirect_uri -> Nullable<Text>,
        lost_refresh -> Nullable<BigInt>,
        failing_since -> Nullable<TimeColumn>,
        authorized_at -> Nullable<TimeColumn>,
        used_at -> Nullable<TimeColumn>,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Binary, Bool, Nullable, Text};
    use crate::columns::{IdColumn, JsonColumn, TimeColumn};

    flows (id) {
        id -> IdColumn,
        organization_id -> IdColumn,
        account_id -> IdColumn,
        provider_id -> IdColumn,
        route -> Text,
        cookie_hash -> Nullable<Text>,
        state_hash -> Nullable<Text>,
        redirect_uri -> Text,
        pkce_verifier -> Nullable<Binary>,
        nonce -> Binary,
        scopes -> JsonColumn,
        force_consent -> Bool,
        endpoints -> Text,
        stage -> Text,
        code_hash -> Nullable<Text>,
        code_since -> Nullable<TimeColumn>,
        finished_at -> Nullable<TimeColumn>,
        outcome -> Nullable<Text>,
        authorization_id -> Nullable<IdColumn>,
        reason -> Nullable<Text>,
        created_at -> TimeColumn,
        expires_at -> TimeColumn,
        version -> BigInt,
        return_to -> Nullable<Text>,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Binary, Bool, Nullable, Text};
    use crate::columns::{IdColumn, JsonColumn, TimeColumn};

    device_flows (id) {
        id -> IdColumn,
        organization_id -> IdColumn,
        account_id -> IdColumn,
        provider_id -> IdColumn,
        handle_hash -> Text,
        device_code -> Binary,
        scopes -> JsonColumn,
        endpoints -> Text,
        interval_micros -> BigInt,
        next_poll_at -> TimeColumn,
        stage -> Text,
        polling_since -> Nullable<TimeColumn>,
        finished_at -> Nullable<TimeColumn>,
        outcome -> Nullable<Text>,
        authorization_id -> Nullable<IdColumn>,
        reason -> Nullable<Text>,
        created_at -> TimeColumn,
        expires_at -> TimeColumn,
        version -> BigInt,
        unattended -> Bool,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Binary, Bool, Nullable, Text};
    use crate::columns::{IdColumn, JsonColumn, TimeColumn};

    logins (id) {
        id -> IdColumn,
        organization_id -> IdColumn,
        provider_id -> IdColumn,
        provider_name -> Text,
        route -> Text,
        handle_hash -> Nullable<Text>,
        state_hash -> Nullable<Text>,
        redirect_uri -> Nullable<Text>,
        pkce_verifier -> Nullable<Binary>,
        nonce -> Nullable<Binary>,
        return_to -> Nullable<Text>,
        address -> Nullable<Text>,
        user_agent -> Nullable<Text>,
        match_code -> Nullable<Text>,
        shows_code -> Nullable<Bool>,
        device_code -> Nullable<Binary>,
        interval_micros -> Nullable<BigInt>,
        next_poll_at -> Nullable<TimeColumn>,
        scopes -> JsonColumn,
        endpoints -> Text,
        browser_hash -> Nullable<Text>,
        stage -> Text,
        asking_since -> Nullable<TimeColumn>,
        person -> Nullable<JsonColumn>,
        account_id -> Nullable<IdColumn>,
        token_id -> Nullable<IdColumn>,
        released_at -> Nullable<TimeColumn>,
        outcome -> Nullable<Text>,
        reason -> Nullable<Text>,
        created_at -> TimeColumn,
        expires_at -> TimeColumn,
        version -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Text};
    use crate::columns::{IdColumn, TimeColumn};

    login_identities (id) {
        id -> IdColumn,
        organization_id -> IdColumn,
        account_id -> IdColumn,
        issuer -> Text,
        subject -> Text,
        created_at -> TimeColumn,
        version -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Bool, Nullable, Text};
    use crate::columns::{IdColumn, TimeColumn};

    refreshes (authorization_id) {
        authorization_id -> IdColumn,
        due_at -> Nullable<TimeColumn>,
        holder -> Nullable<Text>,
        fence -> BigInt,
        beat -> BigInt,
        asked_fence -> Nullable<BigInt>,
        asked_at -> Nullable<TimeColumn>,
        asked_given_up -> Bool,
        last_used_at -> Nullable<TimeColumn>,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Nullable, Text};
    use crate::columns::{IdColumn, JsonColumn, TimeColumn};

    jobs (id) {
        id -> IdColumn,
        organization_id -> IdColumn,
        requested_by -> Nullable<IdColumn>,
        kind -> Text,
        provider_id -> Nullable<IdColumn>,
        name -> Text,
        status -> Text,
        created_at -> TimeColumn,
        started_at -> Nullable<TimeColumn>,
        finished_at -> Nullable<TimeColumn>,
        details -> JsonColumn,
        lease_holder -> Nullable<Text>,
        lease_until -> Nullable<TimeColumn>,
        version -> BigInt,
        account_id -> Nullable<IdColumn>,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Binary, Nullable, Text};
    use crate::columns::{IdColumn, TimeColumn};

    revocations (id) {
        id -> IdColumn,
        organization_id -> IdColumn,
        provider_id -> IdColumn,
        authorization_id -> IdColumn,
        account_id -> IdColumn,
        access_token -> Nullable<Binary>,
        refresh_token -> Nullable<Binary>,
        status -> Text,
        last_error -> Nullable<Text>,
        attempts -> BigInt,
        created_at -> TimeColumn,
        next_attempt_at -> TimeColumn,
        finished_at -> Nullable<TimeColumn>,
        lease_holder -> Nullable<Text>,
        lease_until -> Nullable<TimeColumn>,
        version -> BigInt,
        issuer -> Nullable<Text>,
        subject -> Nullable<Text>,
        settings_url -> Nullable<Text>,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Nullable, Text};
    use crate::columns::{IdColumn, TimeColumn};

    audit_entries (id) {
        id -> IdColumn,
        at -> TimeColumn,
        organization_id -> IdColumn,
        actor -> Text,
        actor_account_id -> Nullable<IdColumn>,
        actor_token_id -> Nullable<IdColumn>,
        action -> Text,
        outcome -> Text,
        reason -> Nullable<Text>,
        provider_id -> Nullable<IdColumn>,
        authorization_id -> Nullable<IdColumn>,
        subject -> Nullable<Text>,
        token -> Nullable<Text>,
        request_id -> Nullable<Text>,
        count -> BigInt,
        last_at -> Nullable<TimeColumn>,
    }
}

diesel::joinable!(api_tokens -> accounts (account_id));
diesel::joinable!(authorizations -> providers (provider_id));
diesel::joinable!(login_identities -> accounts (account_id));
diesel::allow_tables_to_appear_in_same_query!(accounts, api_tokens);
diesel::allow_tables_to_appear_in_same_query!(accounts, login_identities);
diesel::allow_tables_to_appear_in_same_query!(authorizations, providers);
