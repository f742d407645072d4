//! Due rows are sent to the queues of their kinds.

use tandem_queue::{Delayed, Kind, Queues};
use tandem_store::outbox::Due;
use tandem_testing::QueueRecorder;

fn due(kind: &str) -> Due {
    Due {
        pk: format!("cli_1#{kind}"),
        sk: kind.to_owned(),
    }
}

#[tokio::test]
async fn each_row_is_sent_to_the_queue_of_its_kind() {
    let ((callbacks, sent_callbacks), (mails, sent_mails)) =
        (QueueRecorder::queue(), QueueRecorder::queue());
    let (imports, sent_imports) = QueueRecorder::queue();
    let queues = Queues::new(callbacks, mails, imports);
    let rows = vec![
        due("callback"),
        due("mail"),
        due("parcel"),
        due("mail"),
        due("chunk#007"),
        due("replay"),
    ];
    queues.send(rows).await.expect("sent");
    let sent = sent_imports.take();
    assert_eq!(
        (sent[0].message.kind, sent[0].message.number()),
        (Kind::Import, Ok(7))
    );
    let kinds = |sent: Vec<Delayed>| {
        sent.into_iter()
            .map(|sent| sent.message.kind)
            .collect::<Vec<_>>()
    };
    assert_eq!(kinds(sent_callbacks.take()), [Kind::Callback, Kind::Replay]);
    assert_eq!(kinds(sent_mails.take()), [Kind::Mail, Kind::Mail]);
}

#[tokio::test]
async fn a_failed_queue_does_not_affect_the_others() {
    let ((callbacks, sent_callbacks), (mails, sent_mails)) =
        (QueueRecorder::queue(), QueueRecorder::queue());
    sent_callbacks.set_failing(true);
    let (imports, _) = QueueRecorder::queue();
    let result = Queues::new(callbacks, mails, imports)
        .send(vec![due("callback"), due("mail")])
        .await;
    assert_eq!(result.map_err(|error| error.failed), Err(1));
    assert_eq!(sent_mails.take().len(), 1);
}
