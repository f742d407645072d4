//! The stories: what people do with Tandem, from the first call to the last effect, against the deployed template. Each
//! module is one of them; `make test` gives them a stack.

mod a_failing_receiver;
mod after_the_sale;
mod bad_input;
mod between_two_contracting_companies;
mod changing_a_connection;
mod dead_letters;
mod erasing_a_customer;
mod imports;
mod lists_page_through_250_rows;
mod module_off;
mod receivers;
mod what_the_logs_hold;
mod who_may_what;
mod within_one_contracting_company;
