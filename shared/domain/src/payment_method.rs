use crate::words::words;

words! {
    /// How the customer paid in the target's checkout; Tandem only records it.
    pub enum PaymentMethod {
        AmazonPay = "AMAZON_PAY",
        ApplePay = "APPLE_PAY",
        BankAccount = "BANK_ACCOUNT",
        Billing = "BILLING",
        CreditCard = "CREDIT_CARD",
        GooglePay = "GOOGLE_PAY",
        Ideal = "IDEAL",
        Paypal = "PAYPAL",
        Postfinance = "POSTFINANCE",
        Sofort = "SOFORT",
        Twint = "TWINT",
        Zero = "ZERO",
    }
}
