//! Reads the workspace's sources: the paths that each function mentions, and so the functions that it can reach.
//!
//! This is not a compiler. It resolves paths, `use`, and methods by a convention of this workspace: a variable has the name of its
//! type (`store.load` is `Store::load`, `transaction.create` is `Transaction::create`). It leaves out unresolved names; the tests
//! that use it name the functions that they expect, so a gap shows.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use crate::walker::{Body, Uses, Walker};

/// All functions outside of tests, by path: `tandem_store::read::Store::get`, `orders::list`. An arm of a `match` over
/// routes is a function of its own: `orders::handle#GET /v1/orders`.
pub(crate) struct Sources {
    functions: BTreeMap<String, Body>,
    uses: BTreeMap<String, Uses>,
}

pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The names of the folders in a folder of the workspace.
pub(crate) fn folders(of: &str) -> BTreeSet<String> {
    let entries =
        std::fs::read_dir(root().join(of)).unwrap_or_else(|error| panic!("{of}: {error}"));
    let folders = entries
        .map(|entry| entry.expect("an entry"))
        .filter(|entry| entry.path().join("Cargo.toml").exists());
    folders
        .map(|entry| entry.file_name().into_string().expect("a plain name"))
        .collect()
}

/// The name of the crate in a folder beneath `functions`.
pub(crate) fn crate_of(function: &str) -> String {
    function.replace('-', "_")
}

impl Sources {
    pub(crate) fn get() -> &'static Self {
        static READ: LazyLock<Sources> = LazyLock::new(Sources::read);
        &READ
    }

    fn read() -> Self {
        let functions = folders("functions")
            .into_iter()
            .map(|name| (crate_of(&name), format!("functions/{name}/src")));
        let shared = folders("shared")
            .into_iter()
            .filter(|name| name != "testing");
        let shared = shared.map(|name| (format!("tandem_{name}"), format!("shared/{name}/src")));
        let files: Vec<(String, syn::File)> = functions
            .chain(shared)
            .flat_map(|(name, folder)| files(&name, &root().join(folder)))
            .collect();
        let modules: BTreeSet<&str> = files.iter().map(|(module, _)| module.as_str()).collect();
        let mut uses: BTreeMap<String, Uses> = BTreeMap::new();
        for (module, file) in &files {
            uses.entry(module.clone())
                .or_default()
                .extend(crate::walker::uses(module, file, &modules));
        }
        let mut functions = BTreeMap::new();
        for (module, file) in &files {
            Walker::new(module, &uses[module], &modules, &mut functions).file(file);
        }
        Self { functions, uses }
    }

    /// The functions whose path has this prefix, with their bodies.
    pub(crate) fn beneath<'a>(&'a self, prefix: &str) -> impl Iterator<Item = (&'a str, &'a Body)> {
        let prefix = prefix.to_owned();
        let all = self
            .functions
            .iter()
            .map(|(path, body)| (path.as_str(), body));
        all.filter(move |(path, _)| path.starts_with(&prefix))
    }

    /// All functions reachable from some, including those. A function that `leaf` accepts is reached but not followed.
    pub(crate) fn reach<'a>(
        &'a self,
        from: impl IntoIterator<Item = &'a str>,
        leaf: impl Fn(&str) -> bool,
    ) -> BTreeMap<&'a str, &'a Body> {
        let mut open: Vec<&str> = from.into_iter().collect();
        let mut reached = BTreeMap::new();
        while let Some(path) = open.pop() {
            let Some((path, body)) = self.functions.get_key_value(path) else {
                continue;
            };
            if reached.insert(path.as_str(), body).is_none() && !leaf(path) {
                open.extend(body.paths.iter().filter_map(|path| self.find(path)));
                open.extend(
                    body.methods
                        .iter()
                        .flat_map(|(owner, method)| self.methods(path, owner, method)),
                );
            }
        }
        reached
    }

    /// The function that a path names, through re-exports.
    fn find(&self, path: &str) -> Option<&str> {
        if let Some((path, _)) = self.functions.get_key_value(path) {
            return Some(path);
        }
        let (at, target) = path.match_indices("::").find_map(|(at, _)| {
            let name = path[at + 2..].split("::").next()?;
            Some((at + 2 + name.len(), self.uses.get(&path[..at])?.get(name)?))
        })?;
        let path = format!("{target}{}", &path[at..]);
        self.functions
            .get_key_value(&path)
            .map(|(path, _)| path.as_str())
    }

    /// The methods that a call may mean: of the same crate or of a shared one, since functions do not depend on each other.
    fn methods<'a>(
        &'a self,
        from: &str,
        owner: &str,
        method: &str,
    ) -> impl Iterator<Item = &'a str> {
        let end = format!("::{owner}::{method}");
        let own = format!("{}::", from.split("::").next().unwrap_or(from));
        let all = self.functions.keys().map(String::as_str);
        all.filter(move |path| {
            path.ends_with(&end) && (path.starts_with(&own) || path.starts_with("tandem_"))
        })
    }
}

fn files(module: &str, folder: &Path) -> Vec<(String, syn::File)> {
    let mut all = Vec::new();
    for entry in
        std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
    {
        let path = entry.expect("an entry").path();
        let stem = path
            .file_stem()
            .and_then(|stem| stem.to_str())
            .expect("a plain name");
        let inner = if matches!(stem, "lib" | "main" | "mod") {
            module.to_owned()
        } else {
            format!("{module}::{stem}")
        };
        if path.is_dir() {
            all.extend(files(&inner, &path));
        } else if stem != "tests" {
            let text = std::fs::read_to_string(&path).expect("a source file");
            all.push((
                inner,
                syn::parse_file(&text)
                    .unwrap_or_else(|error| panic!("{}: {error}", path.display())),
            ));
        }
    }
    all
}
