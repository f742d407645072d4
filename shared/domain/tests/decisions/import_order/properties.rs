//! Random imports of one order, in any order of execution.

use jiff::SignedDuration;
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Value, json};
use tandem_domain::import::history::{History, MAX_IMPORTS, REMEMBERED};
use tandem_domain::import::imported::MAX_SETTLED;
use tandem_domain::import::kept::Import;

use super::stored::Stored;
use super::{CUSTOMER, OFFER, import, promise};
use crate::fixtures::now;
use crate::import::item;

/// An item of one id: few values of each member, so that imports conflict often.
fn any_members() -> impl Strategy<Value = Value> {
    let month = |month: u32| json!(format!("2026-{month:02}-01T00:00:00Z"));
    let clearable = |value: BoxedStrategy<Value>| {
        prop_oneof![
            3 => Just(None),
            1 => Just(Some(Value::Null)),
            2 => value.prop_map(Some),
        ]
    };
    let required = (
        prop_oneof![6 => Just(None), 1 => Just(Some(json!(OFFER)))],
        prop_oneof![6 => Just(None), 1 => Just(Some(json!(CUSTOMER)))],
        1_u32..4,
        (1_u32..6).prop_map(month),
    );
    let optional = (
        clearable((5_u32..9).prop_map(month).boxed()),
        clearable((1_u32..3).prop_map(month).boxed()),
        clearable(Just(json!(CUSTOMER)).boxed()),
        clearable((0_u32..3).prop_map(Value::from).boxed()),
        clearable(any::<bool>().prop_map(Value::from).boxed()),
    );
    (required, optional).prop_map(
        |((offer, customer, quantity, start), (end, ordered, delivery, discount, paid))| {
            let mut members = json!({"quantity": quantity, "startDate": start});
            for (name, value) in [
                ("offerId", offer),
                ("invoiceCustomerId", customer),
                ("endDate", end),
                ("orderDate", ordered),
                ("deliveryCustomerId", delivery),
                ("discountPercentage", discount),
                ("currentPaymentPeriodPaid", paid),
            ] {
                if let Some(value) = value {
                    members[name] = value;
                }
            }
            members
        },
    )
}

/// Imports in the order of acceptance; some are retries of earlier ones. With an order in which they run.
fn any_imports() -> impl Strategy<Value = (Vec<Import>, Vec<usize>)> {
    let one = (any_members(), prop::option::weighted(0.15, any::<Index>()));
    prop::collection::vec(one, 1..=MAX_IMPORTS)
        .prop_map(|imports| {
            (0_u64..)
                .zip(imports)
                .map(|(number, (members, retried))| {
                    let rank = retried.map_or(number, |index| {
                        u64::try_from(index.index(usize::try_from(number).unwrap_or(0) + 1))
                            .unwrap_or(number)
                    });
                    Import {
                        rank: promise(rank),
                        ..import(number, members)
                    }
                })
                .collect::<Vec<_>>()
        })
        .prop_flat_map(|imports| {
            let places: Vec<usize> = (0..imports.len()).collect();
            (Just(imports), Just(places).prop_shuffle())
        })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn rows_depend_on_the_order_of_acceptance_alone((imports, places) in any_imports(), again in any::<Index>()) {
        let (mut one_by_one, mut shuffled) = (Stored::default(), Stored::default());
        for import in &imports {
            one_by_one.process(import, now());
        }
        for place in &places {
            shuffled.process(&imports[*place], now());
            // A redelivery.
            shuffled.process(&imports[places[again.index(places.len())].min(*place)], now());
        }
        for place in &places {
            shuffled.process(&imports[*place], now());
        }
        prop_assert_eq!(one_by_one.state(), shuffled.state());
        prop_assert_eq!(shuffled.log.len(), imports.len());
        let (expected, found) = (one_by_one.verdicts(), shuffled.verdicts());
        for (promise, problem) in &found {
            if let Some(expected) = expected.get(promise) {
                prop_assert_eq!(problem, expected);
            }
        }
    }

    /// As `process` asserts after each import. Records leave the row for pages, and none is lost.
    #[test]
    fn a_row_is_read_as_it_was_stored((imports, places) in any_imports(), later in any::<Index>()) {
        let mut rows = Stored::default();
        let split = later.index(places.len());
        for (number, place) in places.iter().enumerate() {
            let time = if number < split { now() } else { now() + REMEMBERED };
            rows.process(&imports[*place], time);
        }
        let row = rows.row.clone().expect("a row");
        let paged = rows.pages.iter().flat_map(|page| page.records.keys());
        let mut known: Vec<_> = row.records.keys().chain(paged).copied().collect();
        known.sort();
        let mut expected: Vec<_> = imports.iter().map(|import| import.promise).collect();
        expected.sort();
        prop_assert_eq!(known, expected);
        let settled = row.records.keys().filter(|promise| !row.history.contains(**promise));
        prop_assert!(settled.count() <= MAX_SETTLED);
        // Repeated items have the results of the first time, whether their records are in the row or in a page.
        for import in &imports {
            rows.process(import, now() + REMEMBERED);
        }
        prop_assert_eq!(rows.log.len(), imports.len());
    }

    #[test]
    fn forgetting_imports_changes_no_member((imports, _) in any_imports()) {
        let mut young = History::default();
        let mut old = History::default();
        for import in &imports {
            young = young.receive(import, now()).history;
            old = old.receive(import, now() + REMEMBERED + SignedDuration::from_hours(1)).history;
            prop_assert_eq!(young.kept(), old.kept());
        }
    }

    /// After the base has swallowed all later imports, the members that they left open are still set.
    #[test]
    fn a_very_late_import_sets_only_open_members(late in any_members(), (imports, _) in any_imports()) {
        let late = Import { members: item(late).members, ..import(0, json!({})) };
        let mut history = History::default();
        for import in imports.iter().skip(1) {
            history = history.receive(import, now() + REMEMBERED * 2).history;
        }
        let Some(before) = history.kept() else { return Ok(()) };
        let effect = history.receive(&late, now() + REMEMBERED * 2);
        let after = effect.kept.expect("an order");
        prop_assert!(effect.revised.is_empty());
        let rank = Some(late.rank);
        prop_assert!(before.quantity.by <= rank || before.quantity == after.quantity);
        prop_assert!(before.start_date.by <= rank || before.start_date == after.start_date);
        prop_assert!(before.end_date.by <= rank || before.end_date == after.end_date);
        let discount = (before.discount_basis_points, after.discount_basis_points);
        prop_assert!(discount.0.by <= rank || discount.0 == discount.1);
    }
}
