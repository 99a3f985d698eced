//! The resources of an API: a service that finds the one of a request.

use std::future::ready;
use std::pin::Pin;

use actix_web::dev::{Service, ServiceFactory, ServiceRequest, ServiceResponse, always_ready};
use actix_web::http::header::HeaderMap;
use actix_web::{Error, HttpResponse, Route};

use super::pattern::{Pattern, Values};

/// The resources of an API, to be served below its base.
pub(crate) struct Resources {
    resources: Vec<Resource<Route>>,
    otherwise: Otherwise,
}

/// What an API answers where it has no handler.
#[derive(Clone, Copy)]
pub(crate) struct Otherwise {
    /// To a path of no resource.
    pub(crate) no_such_path: fn() -> HttpResponse,
    /// To a method that the resource does not take; those that it takes are given.
    pub(crate) method_not_allowed: fn(&[&str]) -> HttpResponse,
}

/// Its paths, and a route for every method that it takes.
struct Resource<R> {
    patterns: Vec<Pattern>,
    methods: &'static [&'static str],
    routes: Vec<Served<R>>,
}

/// A route, and how it is served.
pub(crate) struct Served<R> {
    route: R,
    waits: bool,
}

/// A route that answers at once.
pub(crate) fn served(route: Route) -> Served<Route> {
    Served { route, waits: false }
}

impl Served<Route> {
    /// One whose handler waits for people, thousands of it at a time, and that therefore keeps no header: the map of them takes
    /// kilobytes, and as its values are parts of the buffer that the head of the request was read into, so does that. Whoever
    /// wants to know something of them (the caller, the client's address) has asked by then.
    pub(crate) fn waits(self) -> Self {
        Self { waits: true, ..self }
    }
}

type BoxedFuture<T, E> = Pin<Box<dyn Future<Output = Result<T, E>>>>;

impl Resources {
    /// None yet.
    pub(crate) fn new(otherwise: Otherwise) -> Self {
        Self { resources: Vec::new(), otherwise }
    }

    /// One more, which is looked at after those that are there.
    pub(crate) fn with(
        mut self,
        paths: &[&'static str],
        methods: &'static [&'static str],
        routes: Vec<Served<Route>>,
    ) -> Self {
        let patterns = paths.iter().map(|path| Pattern::of(path)).collect();
        self.resources.push(Resource { patterns, methods, routes });
        self
    }
}

impl ServiceFactory<ServiceRequest> for Resources {
    type Response = ServiceResponse;
    type Error = Error;
    type Config = ();
    type Service = Router;
    type InitError = ();
    type Future = BoxedFuture<Router, ()>;

    fn new_service(&self, (): ()) -> Self::Future {
        let beginnings: Vec<_> = self.resources.iter().map(Resource::begin).collect();
        let otherwise = self.otherwise;
        Box::pin(async move {
            let mut resources = Vec::with_capacity(beginnings.len());
            for beginning in beginnings {
                resources.push(beginning.await?);
            }
            Ok(Router { resources, otherwise })
        })
    }
}

/// A route that takes requests.
type Running = <Route as ServiceFactory<ServiceRequest>>::Service;

impl Resource<Route> {
    fn begin(&self) -> impl Future<Output = Result<Resource<Running>, ()>> + use<> {
        let (patterns, methods) = (self.patterns.clone(), self.methods);
        let beginning = |served: &Served<Route>| (served.route.new_service(()), served.waits);
        let beginnings: Vec<_> = self.routes.iter().map(beginning).collect();
        async move {
            let mut routes = Vec::with_capacity(beginnings.len());
            for (beginning, waits) in beginnings {
                routes.push(Served { route: beginning.await?, waits });
            }
            Ok(Resource { patterns, methods, routes })
        }
    }
}

impl<R> Resource<R> {
    /// The values of the parameters, by the first of the paths that is like this.
    fn values<'p>(&self, path: &'p str) -> Option<Values<'p>> {
        self.patterns.iter().find_map(|pattern| pattern.values(path))
    }
}

/// Passes each request on to the first resource that has its path.
pub(crate) struct Router {
    resources: Vec<Resource<Running>>,
    otherwise: Otherwise,
}

impl Service<ServiceRequest> for Router {
    type Response = ServiceResponse;
    type Error = Error;
    type Future = BoxedFuture<ServiceResponse, Error>;

    always_ready!();

    fn call(&self, mut request: ServiceRequest) -> Self::Future {
        let Some(resource) = self.find(&mut request) else {
            return answer(request, (self.otherwise.no_such_path)());
        };
        match resource.routes.iter().find(|served| served.route.check(&mut request)) {
            Some(served) => {
                if served.waits {
                    forget_headers(&mut request);
                }
                served.route.call(request)
            }
            None => answer(request, (self.otherwise.method_not_allowed)(resource.methods)),
        }
    }
}

impl Router {
    /// The resource of a request, which gets the values of its parameters.
    fn find(&self, request: &mut ServiceRequest) -> Option<&Resource<Running>> {
        let path = request.match_info().unprocessed();
        let mut resources = self.resources.iter();
        let (resource, values) = resources.find_map(|resource| Some((resource, resource.values(path)?)))?;
        let values: Vec<_> = values.into_iter().map(|(name, value)| (name, value.to_owned())).collect();
        for (name, value) in values {
            request.match_info_mut().add_static(name, value);
        }
        Some(resource)
    }
}

/// Only whoever has the request for themselves can do this, as it can be routed at all only then.
fn forget_headers(request: &mut ServiceRequest) {
    *request.head_mut().headers_mut() = HeaderMap::new();
}

fn answer(request: ServiceRequest, answer: HttpResponse) -> BoxedFuture<ServiceResponse, Error> {
    Box::pin(ready(Ok(request.into_response(answer))))
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::{AUTHORIZATION, CONTENT_TYPE};
    use actix_web::test::TestRequest;
    use actix_web::{HttpRequest, web};

    use super::*;

    /// How many headers the handler of a route sees, and its body.
    async fn seen(manner: fn(Served<Route>) -> Served<Route>) -> (usize, String) {
        async fn handler(request: HttpRequest, body: String) -> String {
            format!("{} {body}", request.headers().len())
        }
        let no_such_path = || HttpResponse::NotFound().finish();
        let otherwise =
            Otherwise { no_such_path, method_not_allowed: |_| HttpResponse::BadRequest().finish() };
        let route = manner(served(web::post().to(handler)));
        let router = Resources::new(otherwise).with(&["/wait/{id}"], &["post"], vec![route]);
        let router = router.new_service(()).await.unwrap();
        let request = TestRequest::post().uri("/wait/7").insert_header((AUTHORIZATION, "Bearer x"));
        let request = request.insert_header((CONTENT_TYPE, "text/plain")).set_payload("text");
        let answer = router.call(request.to_srv_request()).await.unwrap();
        let text = actix_web::test::read_body(answer).await;
        let (headers, body) = str::from_utf8(&text).unwrap().split_once(' ').unwrap();
        (headers.parse().unwrap(), body.to_owned())
    }

    #[actix_web::test]
    async fn one_who_waits_keeps_no_headers_and_gets_the_body() {
        assert_eq!(seen(|route| route).await, (3, "text".to_owned()));
        assert_eq!(seen(Served::waits).await, (0, "text".to_owned()));
    }
}
