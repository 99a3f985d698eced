//! Organizations.

use diesel::dsl::auto_type;
use diesel::prelude::*;
use grantkeeper_domain::Version;
use grantkeeper_domain::accounts::{Organization, OrganizationName, Standing};
use grantkeeper_domain::authorizations::{RedirectAllowList, RedirectUri};

use crate::columns::{Id, Json, Time};
use crate::connection::Connection;
use crate::failure::{Failure, Unreadable};
use crate::rows::{FromRow, versioned};
use crate::schema::organizations;

#[derive(Queryable, Insertable, AsChangeset)]
#[diesel(table_name = organizations)]
pub(crate) struct OrganizationRow {
    id: Id,
    name: String,
    redirect_uris: Json<Vec<String>>,
    created_at: Time,
    version: i64,
    standing: String,
}

impl OrganizationRow {
    fn of(organization: &Organization, version: Version) -> Self {
        Self {
            id: organization.id.into(),
            name: organization.name.as_str().to_owned(),
            redirect_uris: Json::Value(
                organization.redirect_uris.iter().map(|uri| uri.as_str().to_owned()).collect(),
            ),
            created_at: organization.created_at.into(),
            version: version.get(),
            standing: organization.standing.as_str().to_owned(),
        }
    }
}

impl FromRow for Organization {
    type Row = OrganizationRow;

    fn from_row(row: OrganizationRow) -> Result<Self, Unreadable> {
        let name = OrganizationName::parse(&row.name).map_err(|_| Unreadable("organizations.name"))?;
        let uris = row.redirect_uris.read("organizations.redirect_uris")?;
        let uris = uris.iter().map(|uri| RedirectUri::parse(uri)).collect::<Result<_, _>>();
        Ok(Self {
            id: row.id.into(),
            name,
            redirect_uris: RedirectAllowList::new(
                uris.map_err(|_| Unreadable("organizations.redirect_uris"))?,
            ),
            standing: Standing::from_name(&row.standing).ok_or(Unreadable("organizations.standing"))?,
            created_at: row.created_at.into(),
            version: Version::from_stored(row.version),
        })
    }
}

versioned!(Organization, OrganizationRow in organizations);

#[auto_type]
pub(crate) fn by_id(id: Id) -> _ {
    organizations::table.filter(organizations::id.eq(id))
}

#[auto_type]
pub(crate) fn by_name(name: String) -> _ {
    organizations::table.filter(organizations::name.eq(name))
}

#[auto_type]
pub(crate) fn oldest_first() -> _ {
    organizations::table.order((organizations::created_at, organizations::id))
}
