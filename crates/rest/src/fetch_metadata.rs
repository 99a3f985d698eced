//! What browsers tell of a request beside what is asked for (Fetch Metadata Request Headers; other sites cannot set these).

use actix_web::HttpRequest;

use crate::authentication::only_header;

/// The header that tells whose page has led here.
const SITE: &str = "sec-fetch-site";

/// Whether a page of ours has led here, and no other site had a part in it on the way.
pub(crate) fn is_led_by_us(request: &HttpRequest) -> bool {
    only_header(request, SITE) == Some("same-origin")
}

/// Whether another site has led here.
pub(crate) fn is_led_by_another_site(request: &HttpRequest) -> bool {
    only_header(request, SITE) == Some("cross-site")
}

/// Whether a browser fetches what a person might want to see, before they want to; each maker has had a name for it.
pub(crate) fn is_ahead_of_person(request: &HttpRequest) -> bool {
    ["sec-purpose", "purpose", "x-purpose", "x-moz"].iter().any(|name| {
        let mut values = request.headers().get_all(*name);
        values.any(|value| {
            let value = String::from_utf8_lossy(value.as_bytes()).to_ascii_lowercase();
            value.contains("prefetch") || value.contains("prerender") || value.contains("preview")
        })
    })
}
