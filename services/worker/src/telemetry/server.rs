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

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    async fn get_page(address: SocketAddr, path: &str) -> String {
        let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    }

    #[tokio::test]
    async fn the_pages_tell_what_an_orchestrator_asks() {
        let (metrics, health) = (Arc::new(Metrics::new().unwrap()), Arc::new(Health::default()));
        let anywhere = SocketAddr::from(([127, 0, 0, 1], 0));
        let address = serve(anywhere, metrics, Arc::clone(&health)).await.unwrap();
        assert!(get_page(address, "/live").await.starts_with("HTTP/1.1 200"));
        let ready = get_page(address, "/ready").await;
        assert!(ready.starts_with("HTTP/1.1 503") && ready.contains("not a member"), "{ready}");
        health.joined(true);
        assert!(get_page(address, "/ready").await.starts_with("HTTP/1.1 200"));
        assert!(get_page(address, "/metrics").await.contains("callqa_calls_in_flight 0"));
        let taken = serve(address, Arc::new(Metrics::new().unwrap()), health).await.unwrap_err();
        assert!(taken.to_string().starts_with(&format!("http.listen: {address} can't be used: ")));
    }
}
