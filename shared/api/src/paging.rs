//! Paging of lists, newest first: `limit`, and a `cursor` that is valid for one caller and one list.

use serde::Serialize;
use serde_json::json;
use tandem_sealing::cursor;
use tandem_store::Page;

use crate::answer::Answer;
use crate::app::App;
use crate::problem::{Code, Problem};
use crate::request::{Query, Request};

/// Rows of a page without `limit`.
const DEFAULT_LIMIT: usize = 20;
const MAX_LIMIT: usize = 100;

/// The requested page.
#[derive(Debug, Clone)]
pub struct Paging {
    pub limit: usize,
    /// The position of the last row of the page before.
    pub after: Option<String>,
    bound_to: String,
}

impl Paging {
    /// Reads `limit` and `cursor`.
    ///
    /// # Errors
    /// Invalid parameters, or a cursor of another list, filter or caller.
    pub fn read(app: &App, request: &Request, query: Query<'_>) -> Result<Self, Problem> {
        Self::read_up_to(app, request, query, DEFAULT_LIMIT, MAX_LIMIT)
    }

    /// [`Self::read`] with other bounds.
    pub fn read_up_to(
        app: &App,
        request: &Request,
        mut query: Query<'_>,
        default: usize,
        max: usize,
    ) -> Result<Self, Problem> {
        let limit = query.number("limit", 1..=max).unwrap_or(default);
        let cursor = query.optional("cursor", |value| {
            Ok(value.as_str().unwrap_or_default().to_owned())
        });
        let bound_to = format!(
            "{}\n{}\n{}",
            request.caller.name(),
            request.path(),
            query.filters()
        );
        query.finish()?;
        let mut paging = Self {
            limit,
            after: None,
            bound_to,
        };
        paging.after = cursor.map(|cursor| paging.open(app, &cursor)).transpose()?;
        Ok(paging)
    }

    /// The cursor of the page after a position.
    pub fn cursor(&self, app: &App, position: &str) -> String {
        cursor::of(&app.sealer, &self.bound_to, position)
    }

    pub fn answer<E, V: Serialize>(
        &self,
        app: &App,
        page: Page<E>,
        view: impl Fn(E) -> V,
    ) -> Answer {
        let next = page.next.map(|position| self.cursor(app, &position));
        let items: Vec<V> = page.items.into_iter().map(view).collect();
        Answer::ok(json!({"items": items, "nextCursor": next}))
    }

    fn open(&self, app: &App, cursor: &str) -> Result<String, Problem> {
        let detail = "use nextCursor of the same list with the same filters, or omit the cursor";
        cursor::open(&app.sealer, &self.bound_to, cursor)
            .ok_or_else(|| Problem::new(Code::InvalidCursor, detail))
    }
}
