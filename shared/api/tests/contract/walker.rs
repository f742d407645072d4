//! Visits one source file and collects the names that each function mentions.

use std::collections::{BTreeMap, BTreeSet};

use syn::punctuated::Punctuated;
use syn::visit::{self, Visit};
use syn::{
    Attribute, Expr, ExprCall, ExprField, ExprLit, ExprMatch, ExprMethodCall, ExprPath, ExprStruct,
    Lit, Member,
};
use syn::{ImplItemFn, ItemFn, ItemImpl, ItemMod, Pat, Token, Type, UseTree};

/// The path of each imported name of a module.
pub(crate) type Uses = BTreeMap<String, String>;

/// The names and texts in a function.
#[derive(Debug, Default)]
pub(crate) struct Body {
    /// Functions, types and constants, by path.
    pub(crate) paths: BTreeSet<String>,
    /// Methods, each with the type that the variable is named for.
    pub(crate) methods: BTreeSet<(String, String)>,
    pub(crate) fields: BTreeSet<String>,
    /// Calls with text arguments: the callee (`Type::method` for methods) and each argument, if it is a text. A struct literal
    /// counts as a call of its name, with its fields in order.
    pub(crate) calls: Vec<(String, Vec<Option<String>>)>,
    pub(crate) texts: Vec<String>,
}

/// The imports of a file.
pub(crate) fn uses(module: &str, file: &syn::File, modules: &BTreeSet<&str>) -> Uses {
    let mut uses = Uses::new();
    for item in &file.items {
        if let syn::Item::Use(item) = item {
            add_uses(&mut uses, "", &item.tree);
        }
    }
    uses.into_iter()
        .map(|(name, path)| (name, absolute(module, None, &path, &Uses::new(), modules)))
        .collect()
}

fn add_uses(uses: &mut Uses, prefix: &str, tree: &UseTree) {
    let join = |name: &str| {
        if prefix.is_empty() {
            name.to_owned()
        } else {
            format!("{prefix}::{name}")
        }
    };
    match tree {
        UseTree::Path(path) => add_uses(uses, &join(&path.ident.to_string()), &path.tree),
        UseTree::Group(group) => group
            .items
            .iter()
            .for_each(|tree| add_uses(uses, prefix, tree)),
        UseTree::Name(name) if name.ident == "self" => {
            let last = prefix.rsplit("::").next().unwrap_or(prefix);
            uses.insert(last.to_owned(), prefix.to_owned());
        }
        UseTree::Name(name) => {
            drop(uses.insert(name.ident.to_string(), join(&name.ident.to_string())))
        }
        UseTree::Rename(name) => {
            drop(uses.insert(name.rename.to_string(), join(&name.ident.to_string())))
        }
        _ => {}
    }
}

/// The absolute path of a path in a module.
fn absolute(
    module: &str,
    owner: Option<&str>,
    path: &str,
    uses: &Uses,
    modules: &BTreeSet<&str>,
) -> String {
    let (head, rest) = path
        .split_once("::")
        .map_or((path, String::new()), |(head, rest)| {
            (head, format!("::{rest}"))
        });
    let within = |module: &str| format!("{module}::{head}");
    let head = match (head, uses.get(head)) {
        ("crate", _) => module.split("::").next().unwrap_or(module).to_owned(),
        ("self", _) => module.to_owned(),
        ("super", _) => module
            .rsplit_once("::")
            .map_or(module, |(parent, _)| parent)
            .to_owned(),
        ("Self", _) => format!("{module}::{}", owner.unwrap_or("Self")),
        (_, Some(target)) => target.clone(),
        // Only a path with more segments can begin with a crate; a single name is a local function.
        (head, None)
            if !rest.is_empty()
                && modules.contains(head)
                && !modules.contains(within(module).as_str()) =>
        {
            head.to_owned()
        }
        (_, None) => within(module),
    };
    head + &rest
}

pub(crate) struct Walker<'a> {
    module: &'a str,
    uses: &'a Uses,
    modules: &'a BTreeSet<&'a str>,
    owner: Option<String>,
    function: Option<String>,
    functions: &'a mut BTreeMap<String, Body>,
}

impl<'a> Walker<'a> {
    pub(crate) fn new(
        module: &'a str,
        uses: &'a Uses,
        modules: &'a BTreeSet<&'a str>,
        functions: &'a mut BTreeMap<String, Body>,
    ) -> Self {
        Self {
            module,
            uses,
            modules,
            owner: None,
            function: None,
            functions,
        }
    }

    pub(crate) fn file(&mut self, file: &syn::File) {
        self.visit_file(file);
    }

    fn absolute(&self, path: &str) -> String {
        absolute(
            self.module,
            self.owner.as_deref(),
            path,
            self.uses,
            self.modules,
        )
    }

    fn body(&mut self) -> Option<&mut Body> {
        self.function
            .as_ref()
            .map(|name| self.functions.entry(name.clone()).or_default())
    }

    /// Walks with `function` as the current one; a nested function counts as part of it.
    fn within(&mut self, function: String, walk: impl FnOnce(&mut Self)) {
        let outer = self.function.replace(function);
        self.body();
        walk(self);
        self.function = outer;
    }

    fn call(&mut self, name: String, arguments: Vec<Option<String>>) {
        if arguments.iter().any(Option::is_some)
            && let Some(body) = self.body()
        {
            body.calls.push((name, arguments));
        }
    }
}

impl<'ast> Visit<'ast> for Walker<'_> {
    fn visit_item_mod(&mut self, item: &'ast ItemMod) {
        if !is_test(&item.attrs) {
            visit::visit_item_mod(self, item);
        }
    }

    fn visit_item_fn(&mut self, item: &'ast ItemFn) {
        let name = format!("{}::{}", self.module, item.sig.ident);
        self.within(name, |walker| visit::visit_item_fn(walker, item));
    }

    fn visit_item_impl(&mut self, item: &'ast ItemImpl) {
        let Type::Path(owner) = &*item.self_ty else {
            return;
        };
        self.owner = owner
            .path
            .segments
            .last()
            .map(|segment| segment.ident.to_string());
        visit::visit_item_impl(self, item);
        self.owner = None;
    }

    fn visit_impl_item_fn(&mut self, item: &'ast ImplItemFn) {
        let name = format!(
            "{}::{}::{}",
            self.module,
            self.owner.as_deref().unwrap_or_default(),
            item.sig.ident
        );
        self.within(name, |walker| visit::visit_impl_item_fn(walker, item));
    }

    fn visit_expr_match(&mut self, item: &'ast ExprMatch) {
        visit::visit_expr_match(self, item);
        for arm in &item.arms {
            if let (
                Pat::Lit(ExprLit {
                    lit: Lit::Str(route),
                    ..
                }),
                Some(function),
            ) = (&arm.pat, self.function.clone())
            {
                self.within(format!("{function}#{}", route.value()), |walker| {
                    walker.visit_expr(&arm.body)
                });
            }
        }
    }

    fn visit_expr_path(&mut self, item: &'ast ExprPath) {
        let path = self.absolute(&text_of(&item.path));
        // An imported module and a local function may share a name.
        let here = item
            .path
            .get_ident()
            .map(|name| format!("{}::{name}", self.module));
        if let Some(body) = self.body() {
            body.paths.extend([path].into_iter().chain(here));
        }
    }

    fn visit_expr_call(&mut self, item: &'ast ExprCall) {
        if let Expr::Path(function) = &*item.func {
            let name = self.absolute(&text_of(&function.path));
            self.call(name, item.args.iter().map(literal).collect());
        }
        visit::visit_expr_call(self, item);
    }

    fn visit_expr_method_call(&mut self, item: &'ast ExprMethodCall) {
        let (value, method) = (name_of(&item.receiver), item.method.to_string());
        let owner = if value == "self" {
            self.owner.clone().unwrap_or_default()
        } else {
            camel(&value)
        };
        self.call(
            format!("{owner}::{method}"),
            item.args.iter().map(literal).collect(),
        );
        self.body().map(|body| body.methods.insert((owner, method)));
        visit::visit_expr_method_call(self, item);
    }

    fn visit_expr_struct(&mut self, item: &'ast ExprStruct) {
        let name = self.absolute(&text_of(&item.path));
        self.call(
            name,
            item.fields
                .iter()
                .map(|field| literal(&field.expr))
                .collect(),
        );
        visit::visit_expr_struct(self, item);
    }

    fn visit_expr_field(&mut self, item: &'ast ExprField) {
        if let Member::Named(name) = &item.member {
            let name = name.to_string();
            self.body().map(|body| body.fields.insert(name));
        }
        visit::visit_expr_field(self, item);
    }

    // The parser does not parse macro contents; those of `vec![…]` are ordinary expressions.
    fn visit_macro(&mut self, item: &'ast syn::Macro) {
        if item.path.is_ident("vec")
            && let Ok(expressions) =
                item.parse_body_with(Punctuated::<Expr, Token![,]>::parse_terminated)
        {
            expressions
                .iter()
                .for_each(|expression| Visit::visit_expr(self, expression));
        }
    }

    // Texts of attributes are documentation.
    fn visit_attribute(&mut self, _: &'ast Attribute) {}

    fn visit_lit_str(&mut self, item: &'ast syn::LitStr) {
        let text = item.value();
        if let Some(body) = self.body() {
            body.texts.push(text);
        }
    }
}

fn is_test(attributes: &[Attribute]) -> bool {
    attributes
        .iter()
        .any(|attribute| attribute.path().is_ident("cfg"))
}

fn text_of(path: &syn::Path) -> String {
    path.segments
        .iter()
        .map(|segment| segment.ident.to_string())
        .collect::<Vec<_>>()
        .join("::")
}

fn literal(expression: &Expr) -> Option<String> {
    match expression {
        Expr::Lit(ExprLit {
            lit: Lit::Str(text),
            ..
        }) => Some(text.value()),
        _ => None,
    }
}

/// The name of a variable: `store` for `self.app.store`, also through `&`, `?`, `.await` and `.clone()`.
fn name_of(value: &Expr) -> String {
    match value {
        Expr::Path(path) => path
            .path
            .segments
            .last()
            .map_or_else(String::new, |segment| segment.ident.to_string()),
        Expr::Field(field) => match &field.member {
            Member::Named(name) => name.to_string(),
            Member::Unnamed(_) => String::new(),
        },
        Expr::MethodCall(call) if call.method == "clone" => name_of(&call.receiver),
        Expr::Reference(inner) => name_of(&inner.expr),
        Expr::Try(inner) => name_of(&inner.expr),
        Expr::Await(inner) => name_of(&inner.base),
        _ => String::new(),
    }
}

fn camel(name: &str) -> String {
    let words = name
        .split('_')
        .map(|word| word[..word.len().min(1)].to_uppercase() + word.get(1..).unwrap_or_default());
    words.collect()
}
