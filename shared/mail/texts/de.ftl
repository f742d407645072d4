### All mail texts in German. The same messages, attributes and variables are in en.ftl; a test compares the two.
### src/outline.rs defines the order of the attributes in a mail, and the API calls between them.

layout =
    .greeting = Guten Tag,
    .footer =
        Sie erhalten diese Nachricht, weil Ihre Adresse bei Tandem für den Mandanten
        { $client } hinterlegt ist.
    .time = { $day }.{ $month }.{ $year } um { $time } Uhr (UTC)
    .decimal-mark = ,


## Verbindungen

invitation =
    .subject = „{ $partner }“ lädt Sie zum gemeinsamen Verkauf ein
    .offer =
        „{ $partner }“ möchte Angebote mit Ihnen teilen (Verbindung { $connection }).
        Wenn Sie die Einladung annehmen, können Sie diese Angebote zusammen mit Ihren eigenen
        in Ihre Warenkörbe aufnehmen. Ihre Kundschaft erhält dann beides in einem Kauf.
    .accept = So nehmen Sie die Einladung an:
    .decline = So lehnen Sie die Einladung ab:

invitation-accepted =
    .subject = „{ $partner }“ hat Ihre Einladung angenommen
    .outcome =
        Die Verbindung { $connection } ist jetzt aktiv. „{ $partner }“ kann Ihre
        Cross-Client-Angebote in eigene Warenkörbe aufnehmen, solange der Zugriff auf Ihre
        Angebote (offersAccess) freigegeben ist.
    .client =
        Legen Sie als Nächstes ein Angebot für „{ $partner }“ an, und tragen Sie dabei den
        Mandanten unter crossClient.targetClientIds ein. Seine ID finden Sie in der Verbindung:
    .offer = So legen Sie das Angebot an:

invitation-declined =
    .subject = „{ $partner }“ hat Ihre Einladung abgelehnt
    .outcome =
        Die Verbindung { $connection } ist nicht zustande gekommen. Zwischen Ihnen und
        „{ $partner }“ werden keine Angebote geteilt.
    .invite =
        Sie müssen nichts weiter tun. Sollte es sich um ein Missverständnis handeln, können Sie
        den Mandanten erneut einladen:

invitation-withdrawn =
    .subject = „{ $partner }“ hat die Einladung zurückgezogen
    .outcome =
        „{ $partner }“ hat die Einladung zur Verbindung { $connection } zurückgezogen.
        Sie kann nicht mehr angenommen werden.
    .contact =
        Sie müssen nichts weiter tun. Bei Rückfragen wenden Sie sich bitte an „{ $partner }“.

connection-blocked =
    .subject = „{ $partner }“ hat die Verbindung mit Ihnen gesperrt
    .outcome =
        Die Verbindung { $connection } ist gesperrt. Darüber geteilte Angebote können nicht mehr
        verkauft werden; das gilt auch für Warenkörbe, die solche Angebote enthalten. Bisherige
        Verkäufe sind davon nicht betroffen: Abonnements laufen weiter, und Gutscheine können
        weiterhin eingelöst werden.
    .view =
        Nur „{ $partner }“ kann diese Sperre aufheben. Falls Sie den Grund nicht kennen, wenden Sie
        sich bitte an „{ $partner }“. So rufen Sie die Verbindung ab:

connection-unblocked =
    .subject = „{ $partner }“ hat die Verbindung mit Ihnen wieder freigegeben
    .outcome =
        Die Verbindung { $connection } ist wieder aktiv. Darüber geteilte Angebote können wieder
        verkauft werden; das gilt auch für Warenkörbe, die solche Angebote enthalten.
    .view = Sie müssen nichts weiter tun. So rufen Sie die Verbindung ab:

block-taken-back =
    .subject = „{ $partner }“ sperrt die Verbindung mit Ihnen nicht mehr
    .outcome =
        „{ $partner }“ hat die eigene Sperre der Verbindung { $connection } aufgehoben. Ihre
        Sperre besteht weiter: Darüber geteilte Angebote können erst wieder verkauft werden, wenn
        auch Sie Ihre Sperre aufheben.
    .unblock = So heben Sie Ihre Sperre auf:


## Geteilte Angebote

access-off =
    .subject = „{ $partner }“ hat den Zugriff auf seine Angebote abgeschaltet
    .outcome =
        „{ $partner }“ gibt Ihnen keinen Zugriff mehr auf seine Angebote (Verbindung
        { $connection }). Sie können erst wieder verkauft werden, wenn der Zugriff freigegeben ist.
        Bisherige Verkäufe sind davon nicht betroffen.
    .carts = Diese Ihrer Warenkörbe enthalten solche Angebote: { $carts }.
    .more-carts = Unter anderem diese Ihrer Warenkörbe enthalten solche Angebote: { $carts }.
    .no-carts = Keiner Ihrer aktiven Warenkörbe enthält ein solches Angebot.
    .view =
        Falls Sie den Grund nicht kennen, wenden Sie sich bitte an „{ $partner }“.
        So rufen Sie die Verbindung ab:

access-on =
    .subject = „{ $partner }“ hat den Zugriff auf seine Angebote freigegeben
    .outcome =
        „{ $partner }“ gibt Ihnen Zugriff auf seine Angebote (Verbindung { $connection }).
        Sie können sie in Ihren Warenkörben verkaufen.
    .carts = Diese Ihrer Warenkörbe enthalten solche Angebote: { $carts }.
    .more-carts = Unter anderem diese Ihrer Warenkörbe enthalten solche Angebote: { $carts }.
    .no-carts = Keiner Ihrer aktiven Warenkörbe enthält ein solches Angebot.
    .view = Sie müssen nichts weiter tun. So rufen Sie die Verbindung ab:

offer-archived =
    .subject = „{ $partner }“ hat das Angebot „{ $offer }“ archiviert
    .outcome =
        „{ $offer }“ von „{ $partner }“ (Verbindung { $connection }) kann nicht mehr verkauft werden.
        Bisherige Verkäufe sind davon nicht betroffen: Abonnements laufen weiter, und Gutscheine
        können weiterhin eingelöst werden.
    .carts = Diese Ihrer Warenkörbe enthalten das Angebot: { $carts }.
    .more-carts = Unter anderem diese Ihrer Warenkörbe enthalten das Angebot: { $carts }.
    .no-carts = Keiner Ihrer aktiven Warenkörbe enthält das Angebot.
    .remove = So nehmen Sie das Angebot aus einem Warenkorb oder ersetzen es:

terms-proposed =
    .subject = „{ $partner }“ schlägt neue Konditionen für „{ $offer }“ vor
    .outcome =
        „{ $partner }“ (Verbindung { $connection }) schlägt Version { $version } der Konditionen für
        „{ $offer }“ vor: Preis { $price }, Ihr Anteil { $share } %. Sie verkaufen das Angebot zu den
        Konditionen, die Sie angenommen haben: Preis { $old-price }, Ihr Anteil { $old-share } %.
    .effect =
        Ihre Warenkörbe verkaufen zu den angenommenen Konditionen, bis Sie die neuen annehmen.
    .carts = Diese Ihrer Warenkörbe enthalten das Angebot: { $carts }.
    .more-carts = Unter anderem diese Ihrer Warenkörbe enthalten das Angebot: { $carts }.
    .no-carts = Keiner Ihrer aktiven Warenkörbe enthält das Angebot.
    .accept =
        Ab dann muss Ihr Checkout den neuen Preis anzeigen. So nehmen Sie die neuen Konditionen
        an (mit version { $version }):

terms-proposed-until =
    .subject = „{ $partner }“ schlägt neue Konditionen für „{ $offer }“ vor (Antwort bis { $until })
    .outcome =
        „{ $partner }“ (Verbindung { $connection }) schlägt Version { $version } der Konditionen für
        „{ $offer }“ vor: Preis { $price }, Ihr Anteil { $share } %. Sie verkaufen das Angebot zu den
        Konditionen, die Sie angenommen haben: Preis { $old-price }, Ihr Anteil { $old-share } %.
    .effect =
        Ihre Warenkörbe verkaufen noch bis { $until } zu den angenommenen Konditionen. Haben Sie die
        neuen bis dahin nicht angenommen, kann das Angebot in Ihren Warenkörben nicht mehr gekauft
        werden.
    .carts = Diese Ihrer Warenkörbe enthalten das Angebot: { $carts }.
    .more-carts = Unter anderem diese Ihrer Warenkörbe enthalten das Angebot: { $carts }.
    .no-carts = Keiner Ihrer aktiven Warenkörbe enthält das Angebot.
    .accept =
        Ab dann muss Ihr Checkout den neuen Preis anzeigen. So nehmen Sie die neuen Konditionen
        an (mit version { $version }):

terms-expire =
    .subject = „{ $offer }“ von „{ $partner }“: alte Konditionen gelten nur noch bis { $until }
    .outcome =
        Sie haben Version { $version } der Konditionen für „{ $offer }“ noch nicht angenommen, die
        „{ $partner }“ (Verbindung { $connection }) vorschlägt: Preis { $price }, Ihr Anteil
        { $share } %. Derzeit verkaufen Sie zum Preis { $old-price }, Ihr Anteil { $old-share } %.
    .effect =
        Wenn Sie die neuen Konditionen nicht annehmen, kann das Angebot nach dem { $until } in Ihren
        Warenkörben nicht mehr gekauft werden.
    .carts = Diese Ihrer Warenkörbe enthalten das Angebot: { $carts }.
    .more-carts = Unter anderem diese Ihrer Warenkörbe enthalten das Angebot: { $carts }.
    .no-carts = Keiner Ihrer aktiven Warenkörbe enthält das Angebot.
    .accept =
        Ab dann muss Ihr Checkout den neuen Preis anzeigen. So nehmen Sie die neuen Konditionen
        an (mit version { $version }):

terms-accepted =
    .subject = „{ $partner }“ hat die Konditionen für „{ $offer }“ angenommen
    .outcome =
        „{ $partner }“ (Verbindung { $connection }) verkauft „{ $offer }“ ab jetzt zu Version
        { $version } der Konditionen: Preis { $price }, Anteil des Verkäufers { $share } %.
    .view =
        Sie müssen nichts weiter tun. So rufen Sie das Angebot mit den Konditionen aller Mandanten ab:


## Die Callback-Adresse einer Verbindung

address-exhausted =
    .subject = Ein Callback konnte nicht zugestellt werden
    .outcome =
        Der Callback { $callback } konnte nach { $attempts ->
            [one] { $attempts } Versuch
           *[other] { $attempts } Versuchen
        } nicht an die Callback-Adresse der Verbindung { $connection } zugestellt werden.
        Weitere automatische Versuche gibt es nicht. Der Callback bleibt gespeichert,
        bis Sie ihn erneut zustellen lassen.
    .log = So sehen Sie, wie Ihre Callback-Adresse geantwortet hat:
    .replay = Sobald die Ursache behoben ist, stoßen Sie die Zustellung erneut an:

address-gone =
    .subject = Ihre Callback-Adresse wurde abgeschaltet
    .outcome =
        Die Callback-Adresse der Verbindung { $connection } hat auf den Callback { $callback }
        mit dem Status 410 (Gone) geantwortet. Tandem sendet keine Callbacks mehr an diese
        Adresse. Die Callbacks der Verbindung bleiben gespeichert, bis Sie sie zustellen lassen.
    .change =
        Sobald die Adresse wieder Callbacks annimmt oder Sie eine neue haben, tragen Sie sie unter
        callback.url ein, auch wenn sie sich nicht geändert hat:
    .replay = Lassen Sie anschließend die gespeicherten Callbacks zustellen:

address-failing =
    .subject = Ihre Callback-Adresse wird demnächst abgeschaltet
    .outcome =
        Seit dem { $since } hat die Callback-Adresse der Verbindung { $connection } keinen
        Callback mehr angenommen. Bleibt es dabei, wird sie frühestens in 24 Stunden
        abgeschaltet. Die Callbacks bleiben in jedem Fall gespeichert.
    .log = So sehen Sie die letzte Antwort:
    .change =
        Sobald Callbacks wieder angenommen werden, müssen Sie nichts weiter tun. Hat sich Ihre
        Adresse geändert, tragen Sie die neue ein:

address-given-up =
    .subject = Ihre Callback-Adresse wurde nach mehreren Tagen ohne Zustellung abgeschaltet
    .outcome =
        Seit dem { $since } hat die Callback-Adresse der Verbindung { $connection } keinen
        Callback mehr angenommen. Tandem sendet deshalb keine Callbacks mehr an diese Adresse.
        Alle Callbacks, auch künftige, bleiben gespeichert, bis Sie sie zustellen lassen.
    .log = So sehen Sie die letzte Antwort:
    .change =
        Sobald die Adresse wieder Callbacks annimmt oder Sie eine neue haben, tragen Sie sie ein,
        auch wenn sie sich nicht geändert hat:
    .replay = Lassen Sie anschließend die gespeicherten Callbacks zustellen:


## Der Ereignis-Endpunkt eines Mandanten

endpoint-exhausted =
    .subject = Ein Callback konnte nicht zugestellt werden
    .outcome =
        Der Callback { $callback } konnte nach { $attempts ->
            [one] { $attempts } Versuch
           *[other] { $attempts } Versuchen
        } nicht an Ihren Ereignis-Endpunkt zugestellt werden. Weitere automatische Versuche gibt
        es nicht. Der Callback bleibt gespeichert, bis Sie ihn erneut zustellen lassen.
    .log = So sehen Sie, wie Ihr Ereignis-Endpunkt geantwortet hat:
    .replay = Sobald die Ursache behoben ist, stoßen Sie die Zustellung erneut an:

endpoint-gone =
    .subject = Ihr Ereignis-Endpunkt wurde abgeschaltet
    .outcome =
        Ihr Ereignis-Endpunkt hat auf den Callback { $callback } mit dem Status 410 (Gone)
        geantwortet. Tandem sendet keine Callbacks mehr dorthin. Alle Callbacks bleiben
        gespeichert, bis Sie sie zustellen lassen.
    .change =
        Sobald der Endpunkt wieder Callbacks annimmt oder Sie eine neue Adresse haben, tragen Sie
        die Adresse unter url ein, auch wenn sie sich nicht geändert hat:
    .replay = Lassen Sie anschließend die gespeicherten Callbacks zustellen:

endpoint-failing =
    .subject = Ihr Ereignis-Endpunkt wird demnächst abgeschaltet
    .outcome =
        Seit dem { $since } hat Ihr Ereignis-Endpunkt keinen Callback mehr angenommen.
        Bleibt es dabei, wird er frühestens in 24 Stunden abgeschaltet. Die Callbacks bleiben
        in jedem Fall gespeichert.
    .log = So sehen Sie die letzte Antwort:
    .change =
        Sobald Callbacks wieder angenommen werden, müssen Sie nichts weiter tun. Hat sich Ihre
        Adresse geändert, tragen Sie die neue ein:

endpoint-given-up =
    .subject = Ihr Ereignis-Endpunkt wurde nach mehreren Tagen ohne Zustellung abgeschaltet
    .outcome =
        Seit dem { $since } hat Ihr Ereignis-Endpunkt keinen Callback mehr angenommen.
        Tandem sendet deshalb keine Callbacks mehr dorthin. Alle Callbacks, auch künftige,
        bleiben gespeichert, bis Sie sie zustellen lassen.
    .log = So sehen Sie die letzte Antwort:
    .change =
        Sobald der Endpunkt wieder Callbacks annimmt oder Sie eine neue Adresse haben, tragen Sie
        die Adresse ein, auch wenn sie sich nicht geändert hat:
    .replay = Lassen Sie anschließend die gespeicherten Callbacks zustellen:
