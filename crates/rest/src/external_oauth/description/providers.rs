//! Descriptions of `providers/`.

use actix_web::http::StatusCode;
use utoipa::openapi::schema::{SchemaType, Type};
use utoipa::openapi::{Array, Object, ObjectBuilder};

use super::super::fields::{FOREIGN_ID, MOST_GIT_HOSTS, NAME, URL};
use super::super::wire::{Location, WireProvider};
use super::failures::administrators_only;
use super::{examples, values};
use crate::openapi::{Operation, Tag, list_of, member, one_of, text};

pub(in super::super) fn list() -> Operation {
    Operation::new(Tag::Providers, "listProviders", "List the providers of the organization")
        .query("ids", "Only these; ids that are not known are skipped.", list_of(text()))
        .query("types", "Only of these types.", list_of(values::provider_type()))
        .query(
            "host",
            "Only at these hosts, as in `metadata.host` or by the bare host name.",
            list_of(text()),
        )
        .query("orderBy", "The order; without it the oldest first.", one_of(["createdAt", "-createdAt"]))
        .described("The first three parameters are lists: repeat the parameter, or separate items by commas.")
        .gives_list_of::<WireProvider>("The providers that the filters leave.", &examples::provider())
}

pub(in super::super) fn create() -> Operation {
    Operation::new(Tag::Providers, "registerProvider", "Register a provider")
        .described(
            "For administrators. The endpoints of the provider are found out now, and pinned. Where `slug` \
             is left out, one is made of the name; where `scopes` is, the type has defaults.",
        )
        .takes(
            "NewProvider",
            new_provider(),
            [("openid", examples::new_provider()), ("simulated", examples::new_simulated_provider())],
        )
        .gives_a::<WireProvider>(StatusCode::CREATED, "The provider.", examples::provider())
        .leads_to("$response.body#/id", ["getProvider", "updateProvider", "deleteProvider", "startFlow"])
        .fails([administrators_only()])
}

fn new_provider() -> Object {
    let required = [
        ("name", text_of_name("A name for people; need not be unique.")),
        ("type", values::provider_type()),
        (
            "clientId",
            values::text_of(FOREIGN_ID).description(Some("The id of our client at the provider.")).build(),
        ),
        ("clientSecret", values::secret().description(Some("Its secret.")).build()),
    ];
    let slug = text()
        .description(Some("The short id, unique within the organization."))
        .pattern(Some("^[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?$"));
    let host = values::text_of(URL).description(Some(
        "Where the provider is, where it is not the one in the cloud: an https URL, without a slash at \
         the end. For `oidc` the issuer, which is required. For `microsoft` the tenant (`common`, a domain, an id), \
         behind an authority and a slash where that is another one. `google` and `box` take none.",
    ));
    let app_slug = text_of_name("The slug of a GitHub App.");
    let object = required
        .into_iter()
        .fold(ObjectBuilder::new(), |object, (name, schema)| member(object, name, schema));
    let object = object.property("slug", slug).property("host", host).property("appSlug", app_slug);
    values::closed(changeable(object).description(Some("A provider to register.")))
}

/// The members that registering and changing have in common.
fn changeable(object: ObjectBuilder) -> ObjectBuilder {
    object
        .property("scopes", values::scopes().description(Some("What to ask of the provider for every user.")))
        .property(
            "skipConsent",
            flag("Whether to leave out the parameter that forces the provider's consent page."),
        )
        .property("deviceFlow", flag("Whether users may authorize without a browser at hand (RFC 8628)."))
        .property("gitHosts", git_hosts())
        .property(
            "keepAlive",
            flag("Whether refresh tokens that nobody uses are kept from dying of it; by default they are."),
        )
}

fn git_hosts() -> Array {
    let host = text().examples(["git.example.com:8443/acme"]);
    list_of(host)
        .max_items(Some(MOST_GIT_HOSTS))
        .description(Some(
            "Where its git repositories are: hosts, with a port and the beginning of a path where need be. Where there are \
             none, the type and `host` tell.",
        ))
        .build()
}

fn flag(description: &str) -> Object {
    ObjectBuilder::new().schema_type(SchemaType::Type(Type::Boolean)).description(Some(description)).build()
}

fn text_of_name(description: &str) -> Object {
    values::text_of(NAME).description(Some(description)).build()
}

pub(in super::super) fn show() -> Operation {
    Operation::new(Tag::Providers, "getProvider", "Get a provider").gives_a::<WireProvider>(
        StatusCode::OK,
        "The provider.",
        examples::provider(),
    )
}

pub(in super::super) fn update() -> Operation {
    Operation::new(Tag::Providers, "updateProvider", "Change a provider")
        .described("For administrators. What is left out stays as it is.")
        .takes("ProviderChange", provider_change(), [("secret", examples::provider_change())])
        .gives_a::<WireProvider>(StatusCode::OK, "The provider as it is now.", examples::provider())
        .fails([administrators_only()])
}

fn provider_change() -> Object {
    let object = ObjectBuilder::new()
        .property("name", text_of_name("A name for people."))
        .property("clientSecret", values::secret().description(Some("The new secret of our client.")))
        .property("status", values::requested_status());
    values::closed(changeable(object).description(Some("What to change.")))
}

pub(in super::super) fn delete() -> Operation {
    Operation::new(Tag::Providers, "deleteProvider", "Delete a provider")
        .described(
            "For administrators. The provider and all that was authorized with it are gone at once; a job \
             revokes what it can at the provider.",
        )
        .gives_a::<Location>(StatusCode::ACCEPTED, "The job that does it.", examples::job_location())
        .with_header("Location", "The absolute URL of the job.", values::url())
        .fails([administrators_only()])
}
