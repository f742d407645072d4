//! Doing much of the same.

use futures::StreamExt;

/// As many as keep a small machine busy and no longer; DynamoDB and Lambda take more.
const AT_A_TIME: usize = 8;

/// Does all of it, eight at a time, and gives what came of each, in order.
pub async fn side_by_side<T>(all: impl IntoIterator<Item = impl Future<Output = T>>) -> Vec<T> {
    futures::stream::iter(all)
        .buffered(AT_A_TIME)
        .collect()
        .await
}
