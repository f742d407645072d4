//! How the customer paid in the target's checkout.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::input::{Parsed, one_of};

macro_rules! payment_methods {
    ($($variant:ident = $word:literal,)*) => {
        /// A payment method; Tandem only records it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
        #[allow(missing_docs, reason = "the names are the words of the field")]
        pub enum PaymentMethod {
            $(#[serde(rename = $word)] $variant,)*
        }

        impl PaymentMethod {
            const WORDS: &'static [(&'static str, Self)] = &[$(($word, Self::$variant)),*];

            /// The word on the wire.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),* }
            }
        }
    };
}

payment_methods! {
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

impl PaymentMethod {
    /// Reads a payment method.
    ///
    /// # Errors
    /// The word is none of them; the error lists them.
    pub fn parse(value: &Value) -> Parsed<Self> {
        one_of(Self::WORDS)(value)
    }
}
