//! The module of a contracting company is off before the invitation, before its answer, or later: nothing new starts, and paid
//! vouchers stay valid.

use serde_json::Value;
use tandem_tests::{Answer, Client, Company, Module, Pair, Setup, id, verified};

/// Whose contracting company has the module off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Off {
    Source,
    Target,
}

impl Off {
    const BOTH: [Self; 2] = [Self::Source, Self::Target];

    fn of<'a>(self, source: &'a Client, target: &'a Client) -> &'a Company {
        match self {
            Self::Source => &source.company,
            Self::Target => &target.company,
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::Target => "target",
        }
    }
}

/// Two clients of two contracting companies that have the module.
async fn strangers(setup: &Setup) -> (Client, Client) {
    let (ours, theirs) = (
        setup.company("Garden Press", Module::On).await,
        setup.company("Morgenblatt Verlag", Module::On).await,
    );
    (
        setup.client(&ours, "Garden Weekly", "en").await,
        setup.client(&theirs, "Morgenblatt", "de").await,
    )
}

const ADDRESS: Option<&str> = Some("https://example.com/callbacks");

#[track_caller]
fn refused_for_the_module(answer: Answer, side: &str) {
    let problem = answer.problem(409, "module_off");
    let detail = problem["detail"].as_str().unwrap_or_default();
    assert!(
        detail.contains("crossClientConnections") && detail.contains(side),
        "{detail}"
    );
}

#[tokio::test]
async fn with_the_module_off_in_either_company_nobody_invites() {
    let setup = Setup::new().await;
    let (source, target) = strangers(&setup).await;
    for off in Off::BOTH {
        let company = off.of(&source, &target);
        setup.switch_module(company, Module::Off).await;
        refused_for_the_module(source.invite(&target, ADDRESS).await, off.word());
        for client in [&source, &target] {
            assert_eq!(client.api.all("/v1/connections").await, Vec::<Value>::new());
        }
        setup.switch_module(company, Module::On).await;
    }
    assert_eq!(
        source.invite(&target, ADDRESS).await.created()["status"],
        "invited"
    );
    let _ = target
        .mail_about("lädt Sie zum gemeinsamen Verkauf ein")
        .await;
    assert_eq!(
        target.mails().await.len(),
        1,
        "a refused invitation is not mailed"
    );
}

#[tokio::test]
async fn with_the_module_off_in_the_one_company_nobody_invites() {
    let setup = Setup::new().await;
    let company = setup.company("Medienhaus", Module::Off).await;
    let (source, target) = (
        setup.client(&company, "Garden Weekly", "en").await,
        setup.client(&company, "Morgenblatt", "de").await,
    );
    refused_for_the_module(source.invite(&target, None).await, "source");
    setup.switch_module(&company, Module::On).await;
    assert_eq!(
        source.invite(&target, None).await.created()["status"],
        "invited"
    );
}

#[tokio::test]
async fn with_the_module_off_in_either_company_nobody_accepts() {
    let setup = Setup::new().await;
    let (source, target) = strangers(&setup).await;
    let invited = source.invite(&target, ADDRESS).await.created();
    for off in Off::BOTH {
        let company = off.of(&source, &target);
        setup.switch_module(company, Module::Off).await;
        refused_for_the_module(
            target.act_on_connection("accept", id(&invited)).await,
            off.word(),
        );
        assert_eq!(source.connection(id(&invited)).await["status"], "invited");
        setup.switch_module(company, Module::On).await;
    }
    assert_eq!(
        target.act_on_connection("accept", id(&invited)).await.ok()["status"],
        "active"
    );
}

#[tokio::test]
async fn who_wants_out_gets_out_while_the_module_is_off() {
    let setup = Setup::new().await;
    let (source, target) = strangers(&setup).await;
    let moves = [
        (&target, "decline", "declined"),
        (&source, "withdraw", "withdrawn"),
    ];
    for (client, asked, status) in moves {
        let invited = source.invite(&target, ADDRESS).await.created();
        setup.switch_module(&source.company, Module::Off).await;
        assert_eq!(
            client.act_on_connection(asked, id(&invited)).await.ok()["status"],
            status
        );
        setup.switch_module(&source.company, Module::On).await;
    }
    let pair = Pair::connect(source, target, ADDRESS).await;
    setup.switch_module(&pair.target.company, Module::Off).await;
    assert_eq!(
        pair.target
            .act_on_connection("block", &pair.connection_id)
            .await
            .ok()["status"],
        "blocked"
    );
    assert_eq!(
        pair.target
            .act_on_connection("unblock", &pair.connection_id)
            .await
            .ok()["status"],
        "active"
    );
}

#[tokio::test]
async fn nothing_is_sold_while_the_module_is_off_in_either_company() {
    let setup = Setup::new().await;
    let receiver = setup.receiver().await;
    let pair = setup.pair_between_two_companies(&receiver.url()).await;
    let (cart, customer) = (pair.cart_of_both().await, pair.target.customer().await);
    for off in Off::BOTH {
        let company = off.of(&pair.source, &pair.target);
        setup.switch_module(company, Module::Off).await;
        pair.target
            .sell(&cart, &customer)
            .await
            .not_sellable(2, "crossClientConnections");
        assert_eq!(
            pair.target.offers_shared_with_it().await,
            Vec::<Value>::new(),
            "{off:?}"
        );
        pair.assert_nothing_sold().await;
        assert_eq!(
            pair.source.connection(&pair.connection_id).await["status"],
            "active",
            "the connection itself goes on"
        );
        setup.switch_module(company, Module::On).await;
    }
    assert_eq!(pair.target.offers_shared_with_it().await.len(), 1);
    let _ = pair.target.sell(&cart, &customer).await.created();
}

#[tokio::test]
async fn nothing_is_sold_while_the_module_is_off_in_the_one_company() {
    let setup = Setup::new().await;
    let pair = setup.pair_within_one_company().await;
    let (cart, customer) = (pair.cart_of_both().await, pair.target.customer().await);
    setup.switch_module(&pair.source.company, Module::Off).await;
    pair.target
        .sell(&cart, &customer)
        .await
        .not_sellable(2, "crossClientConnections");
    setup.switch_module(&pair.source.company, Module::On).await;
    let _ = pair.target.sell(&cart, &customer).await.created();
}

#[tokio::test]
async fn a_paid_voucher_is_redeemable_after_a_block_or_switch_off() {
    let setup = Setup::new().await;
    let receiver = setup.receiver().await;
    let pair = setup.pair_between_two_companies(&receiver.url()).await;
    let (source, target) = (&pair.source, &pair.target);
    let cart = pair.cart_of_both().await;
    let customer = target.customer().await;
    for _ in 0..3 {
        let _ = target.sell(&cart, &customer).await.created();
    }
    let mut codes = Vec::new();
    for received in receiver.wait_for(3).await {
        let callback = verified(&received, pair.secret());
        codes.push(
            callback["data"]["voucherCode"]
                .as_str()
                .expect("a code")
                .to_owned(),
        );
    }

    let redeem = async |code: &str| {
        let customer = source.customer().await;
        let linked = source.redeem(code, &customer).await.ok();
        assert_eq!(
            (&linked["status"], &linked["customerId"]),
            (&Value::from("active"), &customer["id"])
        );
    };
    for (off, code) in Off::BOTH.into_iter().zip(&codes) {
        let company = off.of(source, target);
        setup.switch_module(company, Module::Off).await;
        redeem(code).await;
        setup.switch_module(company, Module::On).await;
    }
    let _ = target
        .act_on_connection("block", &pair.connection_id)
        .await
        .ok();
    setup.switch_module(&source.company, Module::Off).await;
    redeem(&codes[2]).await;
}
