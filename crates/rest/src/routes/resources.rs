//! The resources of an API: a service that finds the one of a request.

use std::future::ready;
use std::pin::Pin;

use actix_web::dev::{Service, ServiceFactory, ServiceRequest, ServiceResponse, always_ready};
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
    routes: Vec<R>,
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
        routes: Vec<Route>,
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
        let beginnings: Vec<_> = self.routes.iter().map(|route| route.new_service(())).collect();
        async move {
            let mut routes = Vec::with_capacity(beginnings.len());
            for beginning in beginnings {
                routes.push(beginning.await?);
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
        match resource.routes.iter().find(|route| route.check(&mut request)) {
            Some(route) => route.call(request),
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

fn answer(request: ServiceRequest, answer: HttpResponse) -> BoxedFuture<ServiceResponse, Error> {
    Box::pin(ready(Ok(request.into_response(answer))))
}
