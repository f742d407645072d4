//! Each route refuses bad input with one problem that lists all errors, and writes nothing.
//!
//! The routes come from `template.yaml`; a route without a case fails. [`case`] makes the checks that all routes share: a body
//! of another type, too large, invalid JSON, or with an unknown field; malformed ids in the path; invalid list parameters. The
//! cases of the nouns add invalid values of their own fields.

mod account;
mod bodies;
mod case;
mod check;
mod customers;
mod imports;
mod merchants;
mod operator;
mod parameters;
mod sales;
mod scene;

use std::collections::BTreeSet;

use serde_yaml_ng::Value as Yaml;
use tandem_tests::{Setup, side_by_side};

use case::Case;
use scene::Scene;

fn cases(scene: &Scene) -> Vec<Case> {
    [
        operator::cases(scene),
        account::cases(scene),
        merchants::cases(scene),
        customers::cases(scene),
        sales::cases(scene),
        imports::cases(scene),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The routes of the template's functions, e.g. `GET /v1/offers/{offerId}`.
pub(crate) fn routes_of_the_template() -> BTreeSet<String> {
    let template: Yaml =
        serde_yaml_ng::from_str(include_str!("../../../template.yaml")).expect("YAML");
    let resources = template["Resources"].as_mapping().expect("resources");
    let events = resources
        .values()
        .filter_map(|resource| resource["Properties"]["Events"].as_mapping());
    let http = events
        .flat_map(|events| events.values())
        .filter(|event| event["Type"] == "HttpApi")
        // The default route is for calls without a route.
        .filter(|event| event["Properties"].get("Path").is_some());
    let text = |value: &Yaml| value.as_str().expect("text").to_owned();
    http.map(|event| {
        format!(
            "{} {}",
            text(&event["Properties"]["Method"]),
            text(&event["Properties"]["Path"])
        )
    })
    .collect()
}

#[test]
fn every_route_has_its_case() {
    let routes = routes_of_the_template();
    assert!(routes.len() > 50, "{routes:?}");
    let cases = cases(&Scene::default());
    let covered: BTreeSet<String> = cases.iter().map(|case| case.route.to_owned()).collect();
    assert_eq!(covered.len(), cases.len(), "a route has two cases");
    assert_eq!(covered, routes);
    let takes_a_body = |route: &str| {
        ["POST", "PUT", "PATCH"]
            .iter()
            .any(|method| route.starts_with(method))
    };
    for case in &cases {
        assert_eq!(
            case.takes_a_body(),
            takes_a_body(case.route),
            "{}",
            case.route
        );
        assert_eq!(
            case.ids.len(),
            case.route.matches('{').count(),
            "{}",
            case.route
        );
    }
}

#[tokio::test]
async fn bad_input_is_rejected_with_all_errors_and_writes_nothing() {
    let setup = Setup::new().await;
    let scene = Scene::prepared(&setup).await;
    let own = scene.own();
    let own: Vec<&str> = own.iter().map(String::as_str).collect();
    let before = setup
        .settle("the preparations to finish", async || {
            let rows = setup.stage().rows_about(&own).await;
            let due = rows
                .iter()
                .filter(|row| row.contains_key("dueShard"))
                .count();
            if due == 0 {
                Ok(rows)
            } else {
                Err(format!("{due} rows are due"))
            }
        })
        .await;
    assert!(before.len() > 30, "{} rows", before.len());

    let checks: Vec<_> = cases(&scene)
        .iter()
        .flat_map(|case| case.checks(&scene))
        .collect();
    let count = checks.len();
    let wrong: Vec<String> = side_by_side(checks.into_iter().map(check::Check::run))
        .await
        .into_iter()
        .flatten()
        .collect();
    assert!(
        wrong.is_empty(),
        "{} of {count} went wrong:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    assert!(count > 800, "{count} checks");

    let after = setup.stage().rows_about(&own).await;
    let (before, after): (BTreeSet<_>, BTreeSet<_>) =
        (before.into_iter().collect(), after.into_iter().collect());
    assert_eq!(
        before.difference(&after).collect::<Vec<_>>(),
        after.difference(&before).collect::<Vec<_>>()
    );
}
