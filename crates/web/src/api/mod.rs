//! The same as the pages, for programs.

pub(crate) mod downloads;
pub(crate) mod drift;
pub(crate) mod jobs;
pub(crate) mod learning;
pub(crate) mod loops;
pub(crate) mod studies;
pub(crate) mod why;

use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;

/// Description of the interface (OpenAPI 3.1).
const OPENAPI: &str = include_str!("openapi.json");

/// Answers with the description.
pub(crate) async fn openapi() -> impl IntoResponse {
    ([(CONTENT_TYPE, "application/json")], OPENAPI)
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::OPENAPI;

    #[test]
    fn every_route_is_described() {
        let described: Value = serde_json::from_str(OPENAPI).unwrap();
        let router = include_str!("../router.rs");
        let routes: Vec<&str> =
            router.lines().filter_map(|line| line.trim().strip_prefix(".route(\"/api")?.split('"').next()).collect();
        assert!(routes.len() > 8);
        for route in routes {
            assert!(described["paths"].get(format!("/api{route}")).is_some(), "/api{route}");
        }
        assert_eq!(described["paths"].as_object().unwrap().len(), router.matches(".route(\"/api").count());
    }
}
