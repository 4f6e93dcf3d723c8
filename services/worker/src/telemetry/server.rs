//! `/metrics`, `/live` and `/ready`.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tokio::net::TcpListener;

use super::Metrics;
use crate::health::Health;

/// Why the pages can't be served.
#[derive(Debug, thiserror::Error)]
#[error("http.listen: {address} can't be used: {source}")]
pub struct ServeError {
    /// The address.
    pub address: SocketAddr,
    /// Why.
    pub source: std::io::Error,
}

#[derive(Clone)]
struct Pages {
    metrics: Arc<Metrics>,
    health: Arc<Health>,
}

/// Serves the pages until the runtime ends; returns the address, which tells the port where it was 0.
///
/// # Errors
/// Where the address can't be used.
pub async fn serve(
    address: SocketAddr,
    metrics: Arc<Metrics>,
    health: Arc<Health>,
) -> Result<SocketAddr, ServeError> {
    let listener = TcpListener::bind(address).await.map_err(|source| ServeError { address, source })?;
    let bound = listener.local_addr().map_err(|source| ServeError { address, source })?;
    let pages = Router::new()
        .route("/metrics", get(metrics_page))
        .route("/live", get(live_page))
        .route("/ready", get(ready_page))
        .with_state(Pages { metrics, health });
    tokio::spawn(async move {
        if let Err(error) = axum::serve(listener, pages).await {
            tracing::error!(error = &error as &dyn std::error::Error, "pages are no longer served");
        }
    });
    Ok(bound)
}

async fn metrics_page(State(pages): State<Pages>) -> Response {
    match pages.metrics.text() {
        Ok(text) => ([(header::CONTENT_TYPE, prometheus::TEXT_FORMAT)], text).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

async fn live_page(State(pages): State<Pages>) -> Response {
    verdict(pages.health.dead())
}

async fn ready_page(State(pages): State<Pages>) -> Response {
    verdict(pages.health.not_ready())
}

fn verdict(complaint: Option<&'static str>) -> Response {
    match complaint {
        None => "ok\n".into_response(),
        Some(complaint) => (StatusCode::SERVICE_UNAVAILABLE, format!("{complaint}\n")).into_response(),
    }
}
