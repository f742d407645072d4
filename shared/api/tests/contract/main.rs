//! What is written about Tandem against what it does: docs/openapi.yaml, docs/errors.md, docs/callbacks.md, template.yaml and the
//! pages of promises against the code.

mod api_keys;
mod authorizer;
mod callbacks;
mod document;
mod documents;
mod errors;
mod examples;
mod fields;
mod functions;
mod manifests;
mod needs;
mod receiver;
mod routes;
mod safety;
mod source;
mod story;
mod template;
mod walker;
