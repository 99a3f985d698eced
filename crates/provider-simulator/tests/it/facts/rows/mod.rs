//! The rows of the tables. A key that no row knows is an error, and so is a row that a topic needs and does not find.

mod api;
mod authorization;
mod device;
mod token_endpoint;
mod tokens;

pub(super) use api::{DocumentRow, IdTokenRow, MetadataRow, NothingRow, RateLimitRow, Shape};
pub(super) use authorization::{AuthorizeRow, CallbackRow, Iss, PkceRow, SignInRow};
pub(super) use device::{DeviceRow, UserCode};
pub(super) use token_endpoint::{ErrorsRow, ExpectedError, Format, Mistake, ScopesRow, TokenRow, Way};
pub(super) use tokens::{
    AccessTokenRow, Carries, IntrospectionRow, LiveTokensRow, Looks, Old, RefreshTokenRow, RevocationRow,
    Token, TokenCall,
};
