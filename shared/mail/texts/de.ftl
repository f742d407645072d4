### All mail texts in German. The same messages, attributes and variables are in en.ftl; a test compares the two.
### src/outline.rs defines the order of the attributes in a mail, and the API calls between them.

layout =
    .greeting = Guten Tag,
    .footer =
        Sie erhalten diese Nachricht, weil Ihre Adresse bei Tandem für den Mandanten
        { $client } hinterlegt ist.
    .time = { $day }.{ $month }.{ $year } um { $time } Uhr (UTC)


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
