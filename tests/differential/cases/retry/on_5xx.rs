//! Retries on 5xx until they are exhausted.

use mesh_testkit::{echo::Behaviour, xds::{retry, to}};

use crate::{Case, get, post};

pub(crate) fn build(case: &mut Case) {
    let a = case.server("a");
    let shop = case.cluster("shop", &[a]);
    case.routes([to(&shop).prefix("/").retry(retry("5xx", 2))]);
    case.ask(get("/once").script("a", [Behaviour::status(503)]));
    case.ask(get("/twice").script("a", [Behaviour::status(500), Behaviour::status(502)]));
    case.ask(post("/more", "body").script("a", vec![Behaviour::status(503); 3]));
    case.ask(get("/other").script("a", [Behaviour::status(404)]));
}
