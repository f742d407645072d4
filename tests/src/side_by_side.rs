use futures::StreamExt;

/// Enough to keep a small machine busy; DynamoDB and Lambda take more.
const CONCURRENCY: usize = 8;

/// Runs the futures, eight at a time, and returns their results in order.
pub async fn side_by_side<T>(all: impl IntoIterator<Item = impl Future<Output = T>>) -> Vec<T> {
    futures::stream::iter(all)
        .buffered(CONCURRENCY)
        .collect()
        .await
}
