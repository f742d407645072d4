//! Both catalogues have the same texts.

use std::collections::{BTreeMap, BTreeSet};

use fluent_syntax::ast::{Entry, Expression, InlineExpression, Pattern, PatternElement};

/// The variables of each `message.attribute`.
type Catalogue = BTreeMap<String, BTreeSet<String>>;

fn catalogue(source: &str) -> Catalogue {
    let resource = fluent_syntax::parser::parse(source).expect("valid Fluent syntax");
    let mut catalogue = Catalogue::new();
    for entry in resource.body {
        let Entry::Message(message) = entry else {
            continue;
        };
        assert!(message.value.is_none(), "{} has a value", message.id.name);
        for attribute in message.attributes {
            let mut variables = BTreeSet::new();
            collect_variables(&attribute.value, &mut variables);
            let name = format!("{}.{}", message.id.name, attribute.id.name);
            assert!(catalogue.insert(name, variables).is_none(), "repeated");
        }
    }
    catalogue
}

fn collect_variables(pattern: &Pattern<&str>, variables: &mut BTreeSet<String>) {
    for element in &pattern.elements {
        match element {
            PatternElement::TextElement { .. } => {}
            PatternElement::Placeable {
                expression: Expression::Inline(expression),
            } => {
                variables.insert(variable(expression));
            }
            PatternElement::Placeable {
                expression: Expression::Select { selector, variants },
            } => {
                variables.insert(variable(selector));
                for variant in variants {
                    collect_variables(&variant.value, variables);
                }
            }
        }
    }
}

fn variable(expression: &InlineExpression<&str>) -> String {
    match expression {
        InlineExpression::VariableReference { id } => id.name.to_owned(),
        other => panic!("{other:?} is not a variable"),
    }
}

#[test]
fn both_languages_have_the_same_texts_and_arguments() {
    let english = catalogue(include_str!("../texts/en.ftl"));
    let german = catalogue(include_str!("../texts/de.ftl"));
    assert_eq!(english, german);
    assert!(english.len() > 50, "{} texts", english.len());
}
