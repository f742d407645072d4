### All mail texts in English. The same messages, attributes and variables are in de.ftl; a test compares the two.
### src/outline.rs defines the order of the attributes in a mail, and the API calls between them.

layout =
    .greeting = Hello,
    .footer =
        You receive this message because your address is registered with Tandem
        for client { $client }.
    .time = { $year }-{ $month }-{ $day }, { $time } UTC
    .decimal-mark = .


## Connections

invitation =
    .subject = “{ $partner }” invites you to sell together
    .offer =
        “{ $partner }” would like to share offers with you (connection { $connection }).
        If you accept, you can add these offers to your carts next to your own,
        and your customers buy both in a single purchase.
    .accept = To accept the invitation, call:
    .decline = To decline it, call:

invitation-accepted =
    .subject = “{ $partner }” has accepted your invitation
    .outcome =
        Connection { $connection } is active. “{ $partner }” can add your cross-client offers
        to its carts as long as the access to your offers (offersAccess) is enabled.
    .client =
        Next, create an offer for “{ $partner }”. Its crossClient.targetClientIds must contain
        the client’s ID, which the connection shows:
    .offer = To create the offer, call:

invitation-declined =
    .subject = “{ $partner }” has declined your invitation
    .outcome =
        Connection { $connection } was not established. No offers are shared between you
        and “{ $partner }”.
    .invite = No action is needed. If this is a misunderstanding, you can invite the client again:

invitation-withdrawn =
    .subject = “{ $partner }” has withdrawn its invitation
    .outcome =
        “{ $partner }” has withdrawn the invitation to connection { $connection }.
        You can no longer accept it.
    .contact = No action is needed. If you did not expect this, please contact “{ $partner }”.

connection-blocked =
    .subject = “{ $partner }” has blocked the connection with you
    .outcome =
        Connection { $connection } is blocked. Offers shared through it cannot be sold, and carts
        that contain them cannot be purchased. Earlier sales are not affected: subscriptions
        continue, and vouchers can still be redeemed.
    .view =
        Only “{ $partner }” can take back this block. If you do not know the reason, please
        contact “{ $partner }”. To view the connection, call:

connection-unblocked =
    .subject = “{ $partner }” has unblocked the connection with you
    .outcome =
        Connection { $connection } is active again. Offers shared through it can be sold, and carts
        that contain them can be purchased.
    .view = No action is needed. To view the connection, call:

block-taken-back =
    .subject = “{ $partner }” no longer blocks the connection with you
    .outcome =
        “{ $partner }” has taken back its block of connection { $connection }. Your own block
        remains: offers shared through the connection cannot be sold until you take it back, too.
    .unblock = To take back your block, call:


## Shared offers

access-off =
    .subject = “{ $partner }” has switched off the access to its offers
    .outcome =
        “{ $partner }” no longer gives you access to its offers (connection { $connection }).
        They cannot be sold until the access is switched on again. Earlier sales are not affected.
    .carts = These carts of yours contain such offers: { $carts }.
    .more-carts = These carts of yours, and more, contain such offers: { $carts }.
    .no-carts = None of your active carts contains such an offer.
    .view = If you do not know the reason, please contact “{ $partner }”. To view the connection, call:

access-on =
    .subject = “{ $partner }” has switched on the access to its offers
    .outcome =
        “{ $partner }” gives you access to its offers (connection { $connection }).
        You can sell them in your carts.
    .carts = These carts of yours contain such offers: { $carts }.
    .more-carts = These carts of yours, and more, contain such offers: { $carts }.
    .no-carts = None of your active carts contains such an offer.
    .view = No action is needed. To view the connection, call:

offer-archived =
    .subject = “{ $partner }” has archived its offer “{ $offer }”
    .outcome =
        “{ $offer }” of “{ $partner }” (connection { $connection }) can no longer be sold.
        Earlier sales are not affected: subscriptions continue, and vouchers can still be redeemed.
    .carts = These carts of yours contain it: { $carts }.
    .more-carts = These carts of yours, and more, contain it: { $carts }.
    .no-carts = None of your active carts contains it.
    .remove = To remove the offer from a cart, or to replace it, call:

terms-proposed =
    .subject = “{ $partner }” proposes new terms for “{ $offer }”
    .outcome =
        “{ $partner }” (connection { $connection }) proposes version { $version } of the terms for
        “{ $offer }”: price { $price }, your share { $share } %. You sell the offer at the terms that
        you accepted: price { $old-price }, your share { $old-share } %.
    .effect = Your carts sell at the accepted terms until you accept the new ones.
    .carts = These carts of yours contain the offer: { $carts }.
    .more-carts = These carts of yours, and more, contain the offer: { $carts }.
    .no-carts = None of your active carts contains the offer.
    .accept = Your checkout must show the new price from then on. To accept the new terms, call this with version { $version }:

terms-proposed-until =
    .subject = “{ $partner }” proposes new terms for “{ $offer }” (answer by { $until })
    .outcome =
        “{ $partner }” (connection { $connection }) proposes version { $version } of the terms for
        “{ $offer }”: price { $price }, your share { $share } %. You sell the offer at the terms that
        you accepted: price { $old-price }, your share { $old-share } %.
    .effect =
        Your carts sell at the accepted terms until { $until }. If you have not accepted the new
        terms by then, the offer can no longer be bought in your carts.
    .carts = These carts of yours contain the offer: { $carts }.
    .more-carts = These carts of yours, and more, contain the offer: { $carts }.
    .no-carts = None of your active carts contains the offer.
    .accept = Your checkout must show the new price from then on. To accept the new terms, call this with version { $version }:

terms-expire =
    .subject = “{ $offer }” of “{ $partner }” can be sold at the old terms until { $until } only
    .outcome =
        You have not accepted version { $version } of the terms for “{ $offer }”, which “{ $partner }”
        (connection { $connection }) proposes: price { $price }, your share { $share } %. At present you
        sell at price { $old-price }, your share { $old-share } %.
    .effect =
        Unless you accept the new terms, the offer can no longer be bought in your carts from
        { $until } on.
    .carts = These carts of yours contain the offer: { $carts }.
    .more-carts = These carts of yours, and more, contain the offer: { $carts }.
    .no-carts = None of your active carts contains the offer.
    .accept = Your checkout must show the new price from then on. To accept the new terms, call this with version { $version }:

terms-accepted =
    .subject = “{ $partner }” has accepted the terms for “{ $offer }”
    .outcome =
        “{ $partner }” (connection { $connection }) sells “{ $offer }” at version { $version } of the
        terms from now on: price { $price }, share of the seller { $share } %.
    .view = No action is needed. To view the offer with the terms of each client, call:


## The callback address of a connection

address-exhausted =
    .subject = A callback could not be delivered
    .outcome =
        Callback { $callback } could not be delivered to the callback address of
        connection { $connection } after { $attempts ->
            [one] { $attempts } attempt
           *[other] { $attempts } attempts
        }. Tandem makes no further attempts on its own, and keeps the callback for a replay.
    .log = To see the responses of your callback address, call:
    .replay = Once the cause is fixed, request a replay:

address-gone =
    .subject = Your callback address has been disabled
    .outcome =
        The callback address of connection { $connection } responded to callback { $callback }
        with status 410 (Gone). Tandem no longer sends callbacks to it, and keeps the callbacks
        of this connection for a replay.
    .change =
        Once the address accepts callbacks again, or you have a new one, set it as callback.url,
        even if it has not changed:
    .replay = Then request a replay of the stored callbacks:

address-failing =
    .subject = Your callback address will be disabled soon
    .outcome =
        The callback address of connection { $connection } has not accepted any callback
        since { $since }. If this continues, it will be disabled in 24 hours at the earliest.
        Tandem keeps the callbacks in any case.
    .log = To see the last response, call:
    .change =
        Once callbacks are accepted again, no action is needed. If your address has changed,
        set the new one:

address-given-up =
    .subject = Your callback address has been disabled after days of failures
    .outcome =
        The callback address of connection { $connection } has not accepted any callback
        since { $since }. Tandem no longer sends callbacks to it, and keeps its callbacks,
        including future ones, for a replay.
    .log = To see the last response, call:
    .change =
        Once the address accepts callbacks again, or you have a new one, set it,
        even if it has not changed:
    .replay = Then request a replay of the stored callbacks:


## The client’s own event endpoint

endpoint-exhausted =
    .subject = A callback could not be delivered
    .outcome =
        Callback { $callback } could not be delivered to your event endpoint after { $attempts ->
            [one] { $attempts } attempt
           *[other] { $attempts } attempts
        }. Tandem makes no further attempts on its own, and keeps the callback for a replay.
    .log = To see the responses of your event endpoint, call:
    .replay = Once the cause is fixed, request a replay:

endpoint-gone =
    .subject = Your event endpoint has been disabled
    .outcome =
        Your event endpoint responded to callback { $callback } with status 410 (Gone).
        Tandem no longer sends callbacks to it, and keeps its callbacks for a replay.
    .change =
        Once the endpoint accepts callbacks again, or you have a new address, set it as url,
        even if it has not changed:
    .replay = Then request a replay of the stored callbacks:

endpoint-failing =
    .subject = Your event endpoint will be disabled soon
    .outcome =
        Your event endpoint has not accepted any callback since { $since }. If this continues,
        it will be disabled in 24 hours at the earliest. Tandem keeps the callbacks in any case.
    .log = To see the last response, call:
    .change =
        Once callbacks are accepted again, no action is needed. If your address has changed,
        set the new one:

endpoint-given-up =
    .subject = Your event endpoint has been disabled after days of failures
    .outcome =
        Your event endpoint has not accepted any callback since { $since }. Tandem no longer
        sends callbacks to it, and keeps its callbacks, including future ones, for a replay.
    .log = To see the last response, call:
    .change =
        Once the endpoint accepts callbacks again, or you have a new address, set it,
        even if it has not changed:
    .replay = Then request a replay of the stored callbacks:
