//! Every case. `CASE=retry cargo test -p mesh-differential --test cases` runs those whose names
//! contain a text.

use mesh_differential::{Envoy, Suite};

#[tokio::test]
async fn we_answer_as_envoy_does() {
    let Some(envoy) = Envoy::installed() else {
        return;
    };
    let filter = std::env::var("CASE").unwrap_or_default();
    let suite = Suite::start(&envoy, &filter).await;
    let differences = suite.run().await;
    if !differences.is_empty() {
        panic!(
            "{} cases differ:\n{}",
            differences.len(),
            differences.join("\n")
        );
    }
}
