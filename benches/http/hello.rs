//! A plain hello-world of axum, which is built on the HTTP library that the local server uses, hyper: what servers commonly reach
//! with it.

use axum::Router;
use axum::routing::post;
use axum::serve::ListenerExt;
use tokio::net::TcpListener;

fn main() -> std::io::Result<()> {
    let port = std::env::var("PORT").unwrap_or_else(|_| "8081".into());
    let hello = Router::new().route("/predict", post(async || "Hello, world!"));
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?
        .block_on(async {
            let listener = TcpListener::bind(format!("127.0.0.1:{port}")).await?;
            let listener = listener.tap_io(|connection| {
                // It is faster, if it works.
                let _ = connection.set_nodelay(true);
            });
            axum::serve(listener, hello).await
        })
}
