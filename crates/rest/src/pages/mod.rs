//! The few pages people see: plain server-rendered HTML without scripts.

mod account;
mod browser_login;
mod callback;
mod connect;
mod form;
mod landing;
mod links;
mod login;
mod own_path;
mod page;
mod same_origin;
mod sign_in;
mod sign_out;
mod turned_away;

use actix_web::web::{self, FormConfig, ServiceConfig};

pub(crate) use self::landing::{Visitor, land};
use self::turned_away::TurnedAway;
use crate::limits::{self, Limit as _, Purpose, behind};

/// Declares the pages with their limits, and a table of them for the tests that walk over every one.
macro_rules! pages {
    ($($method:ident $path:literal => $handler:path: $limit:ident),+ $(,)?) => {
        /// Every page: method, path, and what it is limited as.
        pub const PAGES: &[(&str, &str, Option<Purpose>)] =
            &[$((stringify!($method), $path, limits::$limit::PURPOSE)),+];

        pub(crate) fn routes(config: &mut ServiceConfig) {
            config.app_data(FormConfig::default().limit(form::LARGEST))
                $(.route($path, web::$method().to(behind::<limits::$limit, TurnedAway, _, _>($handler))))+;
        }
    };
}

pages! {
    get "/sign-in" => sign_in::show: Callback,
    post "/sign-in" => sign_in::sign_in: Callback,
    post "/sign-in/{provider}" => browser_login::start: StartLogin,
    post "/sign-out" => sign_out::sign_out: Callback,
    get "/account" => account::show: Callback,
    get "/login/{login}" => login::show: Callback,
    post "/login/{login}" => login::answer: Callback,
    get "/connect/{flow}" => connect::show: Callback,
    post "/connect/{flow}" => connect::answer: Callback,
    get "/connect/{flow}/done" => connect::done: Callback,
    get "/callback/{provider}" => callback::callback: Callback,
    get "/gitauth/{provider}/callback" => callback::callback: Callback,
    get "/external-auth/{provider}/callback" => callback::callback: Callback,
    get "/external-auth" => links::list: Callback,
    get "/external-auth/{provider}" => links::view: Callback,
    post "/external-auth/{provider}/unlink" => links::unlink: Callback,
    post "/external-auth/{provider}/device" => links::begin_device_flow: Callback,
    get "/external-auth/{provider}/device" => links::show_device_flow: PollDeviceFlow,
}
