//! Receivers that write without an end, beside the receivers of other clients.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::thread;

use tandem_queue::Message;
use tandem_tests::InProcess;

/// Answers every request by interim answers, as fast as it can; returns the URL.
fn flooding() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}/", listener.local_addr().expect("bound"));
    let piece = "HTTP/1.1 100 \r\n\r\n".repeat(4_096);
    thread::spawn(move || {
        for stream in listener.incoming() {
            let (mut stream, piece) = (stream.expect("a connection"), piece.clone());
            thread::spawn(move || {
                let _ = stream.read(&mut [0; 4_096]);
                while stream.write_all(piece.as_bytes()).is_ok() {}
            });
        }
    });
    url
}

#[tokio::test]
async fn a_batch_of_floods_does_not_fail_another_client() {
    let stage = InProcess::start().await;
    let setup = stage.setup();
    let receiver = setup.receiver().await;
    let hostile = setup.pair_between_two_companies(&flooding()).await;
    let healthy = setup.pair_between_two_companies(&receiver.url()).await;
    stage.work().await;
    let checkout = hostile.checkout().await;
    for sale in 0..9 {
        let sold = checkout.purchase(&format!("sale {sale}")).await;
        let _ = sold.created();
    }
    let _ = healthy.sell().await;
    let batch: Vec<Message> = stage.due_callbacks().await;
    assert_eq!(batch.len(), 10);
    stage.deliver(&batch).await;

    let callbacks = healthy.source.callbacks().await;
    assert_eq!(callbacks[0]["status"], "delivered");
    assert_eq!(receiver.received().len(), 1);
    for callback in hostile.source.callbacks().await {
        let id = callback["id"].as_str().expect("an id");
        let callback = hostile.source.callback(id).await;
        assert_eq!(
            callback["attemptLog"][0]["error"],
            "more than 20 interim answers (1xx) preceded the answer"
        );
    }
}
