//! A call and its expected refusal.

use tandem_tests::Call;

/// Invalid fields with their codes.
pub(super) type Fields = Vec<(String, String)>;

/// A call and its expected refusal.
pub(super) struct Check {
    pub(super) what: String,
    pub(super) call: Call,
    pub(super) status: u16,
    pub(super) code: &'static str,
    pub(super) fields: Fields,
}

impl Check {
    /// Describes the difference from the expected refusal.
    pub(super) async fn run(self) -> Option<String> {
        let answer = self.call.send().await;
        let mut fields = answer.fields();
        let mut expected = self.fields;
        fields.sort();
        expected.sort();
        let explained = |error: &serde_json::Value| {
            error["detail"]
                .as_str()
                .is_some_and(|detail| !detail.is_empty())
        };
        let proper = answer.header("content-type") == Some("application/problem+json")
            && answer.body["status"] == self.status
            && ["type", "title", "detail"]
                .iter()
                .all(|name| answer.body[name].is_string())
            && answer.body["errors"]
                .as_array()
                .is_none_or(|errors| errors.iter().all(explained));
        let right = answer.status == self.status
            && answer.body["code"] == self.code
            && fields == expected
            && proper;
        (!right).then(|| {
            format!(
                "{}: expected {} {} {expected:?}\n    {answer}",
                self.what, self.status, self.code
            )
        })
    }
}
