//! Fast tests of the handlers, the workers and the store on an in-process DynamoDB.

mod absence;
mod authorizing;
mod dead_letters;
mod delivering;
mod dropping;
mod erasing;
mod failing_endpoints;
mod forgetting;
mod hanging_endpoints;
mod importing;
mod importing_bad_input;
mod importing_costs;
mod importing_dead_letters;
mod importing_faults;
mod inviting;
mod noting;
mod out_of_time;
mod paging;
mod purchasing;
mod racing;
mod redeeming;
mod repeating;
mod replaying;
mod storing;
mod tenancy;
