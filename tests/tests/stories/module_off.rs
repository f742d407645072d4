//! A contracting company has the module switched off, before the invitation, before its answer, or after years: nothing new
//! comes about, and nothing that was paid for is lost.

use serde_json::Value;
use tandem_tests::{
    Answer, Client, Company, Module, Pair, Receiver, World, id, mail_to, mails_to, verified,
};

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
async fn strangers(world: &World) -> (Client, Client) {
    let (ours, theirs) = (
        world.company("Garden Press", Module::On).await,
        world.company("Morgenblatt Verlag", Module::On).await,
    );
    (
        world.client(&ours, "Garden Weekly", "en").await,
        world.client(&theirs, "Morgenblatt", "de").await,
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
async fn no_invitation_is_made_while_the_module_is_off_in_either_company() {
    let world = World::new();
    let (source, target) = strangers(&world).await;
    for off in Off::BOTH {
        let company = off.of(&source, &target);
        world.switch(company, Module::Off).await;
        refused_for_the_module(source.invite(&target, ADDRESS).await, off.word());
        for client in [&source, &target] {
            assert_eq!(client.api.all("/v1/connections").await, Vec::<Value>::new());
        }
        world.switch(company, Module::On).await;
    }
    assert_eq!(
        source.invite(&target, ADDRESS).await.created()["status"],
        "invited"
    );
    let _ = mail_to(&target.email, "lädt Sie zum gemeinsamen Verkauf ein").await;
    assert_eq!(
        mails_to(&target.email).await.len(),
        1,
        "a refused invitation is not mailed"
    );
}

#[tokio::test]
async fn no_invitation_is_made_while_the_module_is_off_in_the_one_company() {
    let world = World::new();
    let company = world.company("Medienhaus", Module::Off).await;
    let (source, target) = (
        world.client(&company, "Garden Weekly", "en").await,
        world.client(&company, "Morgenblatt", "de").await,
    );
    refused_for_the_module(source.invite(&target, None).await, "source");
    world.switch(&company, Module::On).await;
    assert_eq!(
        source.invite(&target, None).await.created()["status"],
        "invited"
    );
}

#[tokio::test]
async fn no_invitation_is_accepted_while_the_module_is_off_in_either_company() {
    let world = World::new();
    let (source, target) = strangers(&world).await;
    let invited = source.invite(&target, ADDRESS).await.created();
    for off in Off::BOTH {
        let company = off.of(&source, &target);
        world.switch(company, Module::Off).await;
        refused_for_the_module(target.make("accept", id(&invited)).await, off.word());
        assert_eq!(source.connection(id(&invited)).await["status"], "invited");
        world.switch(company, Module::On).await;
    }
    assert_eq!(
        target.make("accept", id(&invited)).await.ok()["status"],
        "active"
    );
}

#[tokio::test]
async fn who_wants_out_gets_out_while_the_module_is_off() {
    let world = World::new();
    let (source, target) = strangers(&world).await;
    let moves = [
        (&target, "decline", "declined"),
        (&source, "withdraw", "withdrawn"),
    ];
    for (client, asked, status) in moves {
        let invited = source.invite(&target, ADDRESS).await.created();
        world.switch(&source.company, Module::Off).await;
        assert_eq!(
            client.make(asked, id(&invited)).await.ok()["status"],
            status
        );
        world.switch(&source.company, Module::On).await;
    }
    let pair = Pair::connect(source, target, ADDRESS).await;
    world.switch(&pair.target.company, Module::Off).await;
    assert_eq!(
        pair.target.make("block", &pair.connection_id).await.ok()["status"],
        "blocked"
    );
    assert_eq!(
        pair.target.make("unblock", &pair.connection_id).await.ok()["status"],
        "active"
    );
}

#[tokio::test]
async fn nothing_is_sold_while_the_module_is_off_in_either_company() {
    let world = World::new();
    let receiver = Receiver::start().await;
    let pair = world.pair_between_two_companies(&receiver).await;
    let (cart, customer) = (pair.cart_of_both().await, pair.target.customer().await);
    for off in Off::BOTH {
        let company = off.of(&pair.source, &pair.target);
        world.switch(company, Module::Off).await;
        pair.target
            .sell(&cart, &customer)
            .await
            .not_sellable(2, "crossClientConnections");
        assert_eq!(
            pair.target.offers_shared_with_it().await,
            Vec::<Value>::new(),
            "{off:?}"
        );
        pair.nothing_was_sold().await;
        assert_eq!(
            pair.source.connection(&pair.connection_id).await["status"],
            "active",
            "the connection itself goes on"
        );
        world.switch(company, Module::On).await;
    }
    assert_eq!(pair.target.offers_shared_with_it().await.len(), 1);
    let _ = pair.target.sell(&cart, &customer).await.created();
}

#[tokio::test]
async fn nothing_is_sold_while_the_module_is_off_in_the_one_company() {
    let world = World::new();
    let pair = world.pair_within_one_company().await;
    let (cart, customer) = (pair.cart_of_both().await, pair.target.customer().await);
    world.switch(&pair.source.company, Module::Off).await;
    pair.target
        .sell(&cart, &customer)
        .await
        .not_sellable(2, "crossClientConnections");
    world.switch(&pair.source.company, Module::On).await;
    let _ = pair.target.sell(&cart, &customer).await.created();
}

#[tokio::test]
async fn a_voucher_that_was_paid_for_is_redeemed_whatever_is_switched_off_or_blocked_since() {
    let world = World::new();
    let receiver = Receiver::start().await;
    let pair = world.pair_between_two_companies(&receiver).await;
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
        world.switch(company, Module::Off).await;
        redeem(code).await;
        world.switch(company, Module::On).await;
    }
    let _ = target.make("block", &pair.connection_id).await.ok();
    world.switch(&source.company, Module::Off).await;
    redeem(&codes[2]).await;
}
