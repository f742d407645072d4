//! The stories: uses of Tandem from the first call to the last effect, one module each. They run in this process, or on the
//! deployed stack that `TANDEM_STACK` names.

mod a_failing_receiver;
mod after_the_sale;
mod bad_input;
mod between_two_contracting_companies;
mod changing_a_connection;
mod erasing_a_customer;
mod imports;
mod lists_page_through_250_rows;
mod module_off;
mod no_route;
mod terms_of_an_offer;
mod who_may_what;
mod within_one_contracting_company;
