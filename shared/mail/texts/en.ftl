### All mail texts in English. The same messages, attributes and variables are in de.ftl; a test compares the two.
### src/outline.rs defines the order of the attributes in a mail, and the API calls between them.

layout =
    .greeting = Hello,
    .footer =
        You receive this message because your address is registered with Tandem
        for client { $client }.
    .time = { $year }-{ $month }-{ $day }, { $time } UTC


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
