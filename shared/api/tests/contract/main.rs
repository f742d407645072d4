//! Compares the documents with the code: docs/openapi.yaml, docs/errors.md, docs/callbacks.md, docs/guarantees.md, SECURITY.md
//! and template.yaml.

mod api_keys;
mod authorizer;
mod callbacks;
mod document;
mod documents;
mod english;
mod errors;
mod examples;
mod fields;
mod functions;
mod generated;
mod manifests;
mod metrics;
mod needs;
mod operation;
mod queries;
mod receiver;
mod recursion;
mod routes;
mod safety;
mod snapshot;
mod source;
mod story;
mod template;
mod walker;
