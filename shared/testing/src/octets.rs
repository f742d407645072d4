//! The size of a row, as DynamoDB charges it.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;

/// The octets of a row: its names and values.
///
/// Source: <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html>
pub fn octets(row: &HashMap<String, AttributeValue>) -> usize {
    row.iter().map(|(name, value)| name.len() + of(value)).sum()
}

fn of(value: &AttributeValue) -> usize {
    match value {
        AttributeValue::S(text) => text.len(),
        AttributeValue::N(number) => of_number(number),
        AttributeValue::B(octets) => octets.as_ref().len(),
        AttributeValue::L(values) => 3 + values.iter().map(|value| 1 + of(value)).sum::<usize>(),
        AttributeValue::M(members) => {
            let members = members.iter();
            3 + members
                .map(|(name, value)| 1 + name.len() + of(value))
                .sum::<usize>()
        }
        AttributeValue::Ss(texts) => texts.iter().map(String::len).sum(),
        _ => 1,
    }
}

/// "Approximately (number of digits / 2) + 1", here for each digit with the sign and the point.
fn of_number(number: &str) -> usize {
    number.len().div_ceil(2) + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_values_count() {
        let text = |text: &str| AttributeValue::S(text.to_owned());
        let number = AttributeValue::N("1764263000000".to_owned());
        let map = AttributeValue::M(HashMap::from([("at".to_owned(), text("now"))]));
        let row = HashMap::from([
            ("pk".to_owned(), text("cli_1")),
            ("n".to_owned(), number),
            ("log".to_owned(), AttributeValue::L(vec![map])),
        ]);
        assert_eq!(
            octets(&row),
            (2 + 5) + (1 + 8) + (3 + 3 + 1 + 3 + 1 + 2 + 3)
        );
    }
}
